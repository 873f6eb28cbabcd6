import { encodePath, readNames } from '../base/fileName.ts';
import type { AnchoredFolder } from './anchoredFolder.ts';
import { isCode } from './errorCodes.ts';
import { parentOf, type DesiredChange, type Facts } from './applySteps.ts';
import { readEntry, type Entry } from './entry.ts';

/** Looks at everything that planning the changes needs to know: the paths, their parents, and what is in folders that go. */
export function readFacts(folder: AnchoredFolder, changes: readonly DesiredChange[]): Facts {
  const entries = new Map<string, Entry>();
  const names = new Map<string, readonly string[]>();
  const looked = new Set<string>();

  const look = (path: string): Entry | undefined => {
    if (path === '') return undefined;
    if (!looked.has(path)) {
      looked.add(path);
      look(parentOf(path));
      const entry = readAt(folder, path);
      if (entry) entries.set(path, entry);
    }
    return entries.get(path);
  };
  const lookInside = (path: string): void => {
    if (names.has(path) || look(path)?.kind !== 'directory') return;
    const found = folder.at(path, place => readNames(place));
    names.set(path, found);
    for (const name of found) lookInside(`${path}/${name}`);
  };

  for (const { path, desired } of changes) {
    look(path);
    if (desired.kind !== 'directory' && desired.kind !== 'mode') lookInside(path);
  }
  return { entries, names, ignoresCase: ignoresCase(folder) };
}

function readAt(folder: AnchoredFolder, path: string): Entry | undefined {
  try {
    return folder.at(path, place => readEntry(place));
  } catch (error) {
    if (isCode(error, 'overlay.moved', 'EACCES')) return undefined;
    throw error;
  }
}

/** Whether a name in the folder is found under another case too. */
function ignoresCase(folder: AnchoredFolder): boolean {
  const name = readNames(folder.path).find(
    each => swapCase(each) !== each && typeof encodePath(each) === 'string',
  );
  if (name === undefined) return false;
  const [one, other] = [readAt(folder, name), readAt(folder, swapCase(name))];
  return one !== undefined && one.stamp.identity === other?.stamp.identity;
}

function swapCase(name: string): string {
  return name.replace(/[a-z]/gi, letter =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
}
