import { readNames } from '../../base/fileName.ts';
import type { AnchoredFolder } from '../anchoredFolder.ts';
import { readEntry, type Entry } from '../entry.ts';
import { isCode } from '../errorCodes.ts';

/**
 * Looks at everything below an open folder, parents first; no link is followed, whoever swaps what meanwhile. A folder
 * for which `visit` returns false is not entered. What cannot be read, or is gone by then, is left out.
 */
export async function walkTree(
  root: AnchoredFolder,
  visit: (path: string, entry: Entry) => boolean,
): Promise<void> {
  const waiting = [''];
  for (let folder; (folder = waiting.pop()) !== undefined;) {
    const inner: string[] = [];
    for (const [name, entry] of entriesOf(root, folder)) {
      const path = folder === '' ? name : `${folder}/${name}`;
      if (visit(path, entry) && entry.kind === 'directory') inner.push(path);
    }
    waiting.push(...inner.toReversed());
    // Lets other work through: a large folder takes its time.
    await new Promise(resolve => setImmediate(resolve));
  }
}

/** The folders on the way to a path, from the outside in. */
export function foldersAround(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, at) => names.slice(0, at + 1).join('/'));
}

function entriesOf(root: AnchoredFolder, folder: string): [string, Entry][] {
  try {
    return root.open(folder, descriptor => {
      const place = `/proc/self/fd/${descriptor}`;
      return readNames(place).flatMap((name): [string, Entry][] => {
        const entry = readEntry(`${place}/${name}`);
        return entry ? [[name, entry]] : [];
      });
    });
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'overlay.moved')) return [];
    throw error;
  }
}
