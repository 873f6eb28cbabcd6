import path from 'node:path';
import { CordonError } from '../base/errors.ts';
import { isNamed } from '../overlay/selection.ts';
import type { Choice, FolderReview } from '../session/changes/changesEngine.ts';
import { CopyEngine } from '../session/changes/copyEngine.ts';
import { changeLine, groupLine, visibleName } from './changeReport.ts';
import type { KeptSession } from './keptSession.ts';
import { pathsIn } from './pathsIn.ts';
import { stateDirectory } from './stateDirectory.ts';

// Sessions that worked in the user's own files: what these held is kept, and can be brought back.

/** What such a session changed, of the named paths or all. */
export async function reviewDirect(session: KeptSession, paths: readonly string[]): Promise<FolderReview[]> {
  return await chosen(engineOf(session), paths);
}

export function printDirect(session: KeptSession, reviews: readonly FolderReview[]): void {
  for (const { folder, changes, groups } of reviews) {
    const count = changes.length === 1 ? '1 change' : `${changes.length} changes`;
    process.stdout.write(`Session ${session.id}, ${visibleName(folder)}, in your own files: ${count}\n`);
    for (const change of changes) process.stdout.write(`${changeLine(change)}\n`);
    for (const group of groups) process.stdout.write(`${groupLine(group)}\n`);
  }
}

/**
 * Brings back what the named paths held, or all; what they hold now goes to the trash. Returns absolute paths. Throws
 * `discard.obstructed` when the user changed one since; then nothing was done.
 */
export async function discardDirect(session: KeptSession, paths: readonly string[]): Promise<string[]> {
  const engine = engineOf(session);
  const reviews = await chosen(engine, paths);
  const choices = reviews.flatMap(({ folder, changes }) =>
    changes.map(({ path: inner }): Choice => ({ folder, path: inner })),
  );
  const outcome = await engine.discard(choices);
  if (outcome.kind === 'discarded') return outcome.discarded.map(each => `${each.folder}/${each.path}`);
  const named = outcome.obstructions.map(each => `${visibleName(each.path)}: ${each.words}`);
  throw new CordonError(
    'discard.obstructed',
    `Nothing was discarded (${named.join('; ')}).`,
    'Name the other paths, or put your own changes aside first.',
  );
}

async function chosen(engine: CopyEngine, paths: readonly string[]): Promise<FolderReview[]> {
  const reviews = await engine.review();
  return reviews.flatMap((review): FolderReview[] => {
    const names = pathsIn(review.folder, paths);
    if (!names) return [];
    const wanted = names.length > 0 ? names : [''];
    return [{ ...review, changes: review.changes.filter(change => isNamed(change.path, wanted)) }];
  });
}

function engineOf({ direct }: KeptSession): CopyEngine {
  const state = stateDirectory();
  return new CopyEngine({
    folders: direct,
    journals: path.join(state, 'applies'),
    trash: path.join(state, 'trash'),
  });
}
