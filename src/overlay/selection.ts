import { parentOf } from './applySteps.ts';
import type { Change } from './changeset.ts';

/**
 * The changes that go with the chosen ones, since these mean nothing without them: the folders around what is new,
 * everything in a folder that goes, and the other half of a rename. In the order of `changes`.
 */
export function closeSelection(changes: readonly Change[], chosen: ReadonlySet<string>): Change[] {
  return closed(changes, chosen, ({ path, before, after }, byPath) => [
    ...(after ? newFoldersAround(path, byPath) : []),
    ...(before?.kind === 'directory' && after?.kind !== 'directory'
      ? changes.filter(inner => !inner.after && inner.path.startsWith(`${path}/`)).map(inner => inner.path)
      : []),
  ]);
}

/**
 * The same for changes that are dropped from an overlay: everything in a folder that is not to be any more, and the
 * other half of a rename. A new folder around a dropped file stays, for what else is in it. In the order of `changes`.
 */
export function closeDropping(changes: readonly Change[], chosen: ReadonlySet<string>): Change[] {
  return closed(changes, chosen, ({ path, before, after }) =>
    after?.kind === 'directory' && before?.kind !== 'directory'
      ? changes.filter(inner => inner.path.startsWith(`${path}/`)).map(inner => inner.path)
      : [],
  );
}

/** The chosen changes, the other halves of their renames, and what `along` says goes with each; and so on with these. */
function closed(
  changes: readonly Change[],
  chosen: ReadonlySet<string>,
  along: (change: Change, byPath: ReadonlyMap<string, Change>) => readonly string[],
): Change[] {
  const byPath = new Map(changes.map(change => [change.path, change]));
  const taken = new Set<string>();
  const take = (path: string): void => {
    const change = byPath.get(path);
    if (!change || taken.has(path)) return;
    taken.add(path);
    if (change.renamed !== undefined) take(change.renamed);
    for (const other of along(change, byPath)) take(other);
  };
  for (const path of chosen) take(path);
  return changes.filter(({ path }) => taken.has(path));
}

function newFoldersAround(path: string, byPath: ReadonlyMap<string, Change>): string[] {
  const found: string[] = [];
  for (let outer = parentOf(path); outer !== ''; outer = parentOf(outer)) {
    const change = byPath.get(outer);
    if (change?.after?.kind === 'directory' && change.kind !== 'mode') found.push(outer);
  }
  return found;
}

/** Whether the path is one of those named, or lies in a folder that is. */
export function isNamed(path: string, names: readonly string[]): boolean {
  return names.some(name => name === '' || path === name || path.startsWith(`${name}/`));
}
