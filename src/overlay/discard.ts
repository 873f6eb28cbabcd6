import { CordonError } from '../base/errors.ts';
import { readNames } from '../base/fileName.ts';
import { parentOf } from './applySteps.ts';
import type { Change, OverlayFolder } from './changeset.ts';
import { readLower, readUpper } from './content.ts';
import { readEntry, readUpperEntry } from './entry.ts';
import { hunksOf, withHunks } from './hunks.ts';
import { readUpperLayer, UpperLayer } from './upperLayer.ts';

/**
 * Drops changes from an overlay: each path shows again what the user's folder has. For a folder that is one on both
 * sides that means its permissions; what is in it are changes of their own, unless `wholes` names it: that goes with
 * everything in it. The overlay must not be mounted. Take a checkpoint first, so that it can be undone. Throws
 * `discard.inFile` for a path below something that is not a folder in the overlay.
 */
export async function discardChanges(
  folder: OverlayFolder,
  paths: readonly string[],
  wholes: readonly string[] = [],
): Promise<void> {
  const upper = new UpperLayer(folder);
  const entryAt = (path: string) => readUpperEntry(`${folder.upper}/${path}`);
  // What replaced folders hide is written out by name, and their marks go: a name that is hidden in a folder with the
  // mark would be listed as a ghost.
  const plain = new Set<string>();
  for (const [path, entry] of await readUpperLayer(folder)) {
    if (entry !== 'whiteout' || entryAt(path)) continue;
    upper.hide(path);
    for (const outer of outersOf(path))
      if (!plain.has(outer) && readEntry(`${folder.lower}/${outer}`)?.kind === 'directory') {
        upper.makePlain(outer);
        plain.add(outer);
      }
  }
  for (const path of [...paths, ...wholes].sort(outerFirst)) {
    const outers = outersOf(path);
    for (const outer of outers) {
      const entry = entryAt(outer);
      if (!entry) break;
      const lower = readEntry(`${folder.lower}/${outer}`);
      if (entry === 'whiteout') reveal(folder, upper, outer);
      else if (entry.kind !== 'directory') throw insideFile(path, outer);
      else if (lower?.kind === 'directory' && !plain.has(outer)) upper.makePlain(outer);
      plain.add(outer);
    }
    const [entry, lower] = [entryAt(path), readEntry(`${folder.lower}/${path}`)];
    const isFolder =
      entry && entry !== 'whiteout' && entry.kind === 'directory' && lower?.kind === 'directory';
    if (isFolder && !wholes.includes(path)) upper.setMode(path, lower.mode);
    else upper.remove(path);
    for (const outer of [...outers, path].toReversed()) tidy(folder, upper, outer);
  }
}

/**
 * Drops some hunks of a file's change (their places in `hunksOf`) and keeps the others. The overlay must not be mounted.
 * Throws a TypeError for a change that has no hunks.
 */
export async function discardHunks(
  folder: OverlayFolder,
  { path, before, after }: Change,
  dropped: ReadonlySet<number>,
): Promise<void> {
  if (before?.kind !== 'file' || after?.kind !== 'file')
    throw new TypeError(`Only changes of a file have hunks: ${path}`);
  const old = await readLower(folder, path);
  const hunks = hunksOf(old, await readUpper(folder, path));
  if (!hunks) throw new TypeError(`No hunks were found in time: ${path}`);
  const kept = new Set([...hunks.keys()].filter(index => !dropped.has(index)));
  new UpperLayer(folder).write(path, withHunks(old, hunks, kept), after.mode);
}

/** Drops everything. The overlay must not be mounted. */
export function discardAll(folder: OverlayFolder): void {
  const upper = new UpperLayer(folder);
  for (const name of readNames(folder.upper)) upper.remove(name);
}

/** A deleted folder comes back with everything in it still deleted. */
function reveal(folder: OverlayFolder, upper: UpperLayer, path: string): void {
  const lower = readEntry(`${folder.lower}/${path}`);
  if (lower?.kind !== 'directory') return;
  upper.remove(path);
  upper.makeFolder(path, lower.mode | 0o700);
  for (const name of readNames(`${folder.lower}/${path}`)) upper.hide(`${path}/${name}`);
  upper.setMode(path, lower.mode);
}

/** A folder that holds no change any more need not be held. */
function tidy(folder: OverlayFolder, upper: UpperLayer, path: string): void {
  const [entry, lower] = [readUpperEntry(`${folder.upper}/${path}`), readEntry(`${folder.lower}/${path}`)];
  if (!entry || entry === 'whiteout' || entry.kind !== 'directory' || lower?.kind !== 'directory') return;
  if (entry.mode === lower.mode && readNames(`${folder.upper}/${path}`).length === 0) upper.remove(path);
}

function outerFirst(one: string, other: string): number {
  return one.split('/').length - other.split('/').length;
}

/** From the outside in. */
function outersOf(path: string): string[] {
  const outers: string[] = [];
  for (let each = parentOf(path); each !== ''; each = parentOf(each)) outers.unshift(each);
  return outers;
}

function insideFile(path: string, outer: string): CordonError {
  return new CordonError(
    'discard.inFile',
    `"${path}" cannot be brought back alone: "${outer}" is not a folder any more.`,
    `Discard the change of "${outer}" instead.`,
  );
}
