import type { Change, OverlayFolder } from './changeset.ts';
import { hashFile, hashUpper } from './content.ts';

/**
 * Marks deleted and added files that have the same content as the two halves of a rename. Only files whose sizes meet
 * are read. Where one content went to several places, the most alike path is taken.
 */
export async function pairRenames(changes: readonly Change[], folder: OverlayFolder): Promise<Change[]> {
  const gone = changes.filter(({ kind, before }) => kind === 'deleted' && sizeOf(before) > 0);
  const come = changes.filter(({ kind, after }) => kind === 'added' && sizeOf(after) > 0);
  const goneSizes = new Set(gone.map(({ before }) => sizeOf(before)));
  const comeSizes = new Set(come.map(({ after }) => sizeOf(after)));

  const byContent = new Map<string, Change[]>();
  for (const change of come) {
    if (!goneSizes.has(sizeOf(change.after))) continue;
    const hash = await hashUpper(folder, change.path);
    if (hash !== undefined) byContent.set(hash, [...(byContent.get(hash) ?? []), change]);
  }
  const renamed = new Map<string, string>();
  for (const change of gone) {
    if (!comeSizes.has(sizeOf(change.before))) continue;
    const hash = await hashFile(`${folder.lower}/${change.path}`).catch(() => undefined);
    const candidates = hash === undefined ? undefined : byContent.get(hash);
    const target = candidates && mostAlike(change.path, candidates);
    if (!target) continue;
    candidates.splice(candidates.indexOf(target), 1);
    renamed.set(`deleted ${change.path}`, target.path).set(`added ${target.path}`, change.path);
  }
  return changes.map(change => {
    const other = renamed.get(`${change.kind} ${change.path}`);
    return other === undefined ? change : { ...change, renamed: other };
  });
}

function sizeOf(entry: Change['before']): number {
  return entry?.kind === 'file' ? entry.size : 0;
}

/** The candidate that shares the longest end with the path: the same name elsewhere before another name here. */
function mostAlike(path: string, candidates: readonly Change[]): Change | undefined {
  let best: { change: Change; shared: number } | undefined;
  for (const change of candidates) {
    let shared = 0;
    while (shared < path.length && path.at(-1 - shared) === change.path.at(-1 - shared)) shared++;
    if (!best || shared > best.shared) best = { change, shared };
  }
  return best?.change;
}
