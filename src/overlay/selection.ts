import { parentOf } from './applySteps.ts';
import type { Change } from './changeset.ts';

/**
 * The changes that go with the chosen ones, since these mean nothing without them: the folders around what is new,
 * everything in a folder that goes, and the other half of a rename. In the order of `changes`.
 */
export function closeSelection(changes: readonly Change[], chosen: ReadonlySet<string>): Change[] {
  const byPath = new Map(changes.map(change => [change.path, change]));
  const taken = new Set<string>();
  const take = (path: string): void => {
    const change = byPath.get(path);
    if (!change || taken.has(path)) return;
    taken.add(path);
    if (change.renamed !== undefined) take(change.renamed);
    if (change.after)
      for (let outer = parentOf(path); outer !== ''; outer = parentOf(outer))
        if (byPath.get(outer)?.after?.kind === 'directory' && byPath.get(outer)?.kind !== 'mode') take(outer);
    if (change.before?.kind === 'directory' && change.after?.kind !== 'directory')
      for (const inner of changes) if (inner.path.startsWith(`${path}/`) && !inner.after) take(inner.path);
  };
  for (const path of chosen) take(path);
  return changes.filter(({ path }) => taken.has(path));
}

/**
 * The same for changes that are dropped from an overlay: everything in a folder that is not to be any more, and the
 * other half of a rename. A new folder around a dropped file stays, for what else is in it. In the order of `changes`.
 */
export function closeDropping(changes: readonly Change[], chosen: ReadonlySet<string>): Change[] {
  const byPath = new Map(changes.map(change => [change.path, change]));
  const taken = new Set<string>();
  const take = (path: string): void => {
    const change = byPath.get(path);
    if (!change || taken.has(path)) return;
    taken.add(path);
    if (change.renamed !== undefined) take(change.renamed);
    if (change.after?.kind === 'directory' && change.before?.kind !== 'directory')
      for (const inner of changes) if (inner.path.startsWith(`${path}/`)) take(inner.path);
  };
  for (const path of chosen) take(path);
  return changes.filter(({ path }) => taken.has(path));
}

/** Whether the path is one of those named, or lies in a folder that is. */
export function isNamed(path: string, names: readonly string[]): boolean {
  return names.some(name => name === '' || path === name || path.startsWith(`${name}/`));
}
