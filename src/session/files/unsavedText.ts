import type { WorkingCopy } from '../changes/workingCopy.ts';

/** Text that the user has typed and not saved. Paths are absolute, as the editor knows them. */
export interface UnsavedText {
  /** What the editor shows for this file, when that is not what is on disk. */
  textOf(path: string): string | undefined;
  /** Every file with such text. */
  paths(): readonly string[];
  /** Calls the listener when a file begins or ends to be such a file. */
  onChange(listener: () => void): Disposable;
}

/**
 * The unsaved text that the agent is to see: of a file that it has changed in its copy, it goes on seeing its own
 * version, and the two are joined when the user takes that over.
 */
export function unsavedBeside(copy: Pick<WorkingCopy, 'holds'> | undefined, all: UnsavedText): UnsavedText {
  const isSeen = (path: string) => copy?.holds?.(path) !== true;
  return {
    textOf: path => (isSeen(path) ? all.textOf(path) : undefined),
    paths: () => all.paths().filter(isSeen),
    onChange: listener => all.onChange(listener),
  };
}
