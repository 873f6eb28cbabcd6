import { perform, type Operation } from './operations.ts';

/** Fills a folder: a few folders that the operations know of, and what these make. */
export function filled(...operations: Operation[]): (real: string) => void {
  return real => {
    for (const folder of ['a', 'src', 'src/docs', 'docs']) perform(real, { do: 'makeFolder', path: folder });
    for (const each of operations) perform(real, each);
  };
}
