import { quote } from 'shell-quote';
import { obstacleWords } from '../overlay/acceptance.ts';
import { lookAtChanges } from '../overlay/lookAtChanges.ts';
import { visibleName } from './changeReport.ts';
import { findKeptSession, type KeptSession } from './keptSession.ts';
import { prepareApply } from './prepareApply.ts';

/** What became of a run's changes. Paths are absolute. */
export interface RunChanges {
  /** How many changes are not taken over yet. */
  readonly waiting: number;
  readonly applied: readonly string[];
  /** Joined with a change of the user's own. */
  readonly merged: readonly string[];
  /** Protected paths: each is applied only when it is named. `because` is the end of a sentence about it. */
  readonly heldBack: readonly { readonly path: string; readonly because: string }[];
  /** What kept them from being applied; then none was. */
  readonly obstacles: readonly { readonly path: string; readonly why: string }[];
}

/**
 * Takes over what a session changed, into the real files, folder by folder and each all or none. Nothing may have the
 * session open. Protected paths stay out.
 */
export async function applyRun(folders: readonly string[], id: string): Promise<RunChanges> {
  const session = await findKeptSession(folders, id);
  const prepared = [];
  for (const folder of session.folders)
    prepared.push({ folder, plan: await prepareApply(session, folder, []) });
  const heldBack = prepared.flatMap(({ folder, plan }) =>
    plan.heldBack.map(({ path, because }) => ({ path: `${folder.lower}/${path}`, because })),
  );
  const conflicts = prepared.flatMap(({ folder, plan }) =>
    plan.conflicts.map(({ path, kind }) => ({ path: `${folder.lower}/${path}`, why: obstacleWords(kind) })),
  );
  const none = { applied: [], merged: [], heldBack };
  if (conflicts.length > 0) return { ...none, obstacles: conflicts, waiting: await countWaiting(session) };
  const applied: string[] = [];
  const merged: string[] = [];
  for (const { folder, plan } of prepared) {
    if (plan.chosen.length === 0) continue;
    const result = await plan.apply();
    const absolute = (path: string) => `${folder.lower}/${path}`;
    if (result.kind === 'blocked') {
      const obstacles = result.obstacles.map(({ path, kind }) => ({
        path: absolute(path),
        why: obstacleWords(kind),
      }));
      return { applied, merged, heldBack, obstacles, waiting: await countWaiting(session) };
    }
    applied.push(...result.paths.map(absolute));
    merged.push(...plan.merged.map(absolute));
  }
  return { applied, merged, heldBack, obstacles: [], waiting: await countWaiting(session) };
}

/** The same, with everything left for the user to review. */
export async function leaveRun(folders: readonly string[], id: string): Promise<RunChanges> {
  const waiting = await countWaiting(await findKeptSession(folders, id));
  return { waiting, applied: [], merged: [], heldBack: [], obstacles: [] };
}

async function countWaiting({ folders }: KeptSession): Promise<number> {
  let count = 0;
  for (const folder of folders) {
    using look = await lookAtChanges(folder);
    count += look.changeset.changes.length;
  }
  return count;
}

/** What the user is told of it, and what to type next. Empty when nothing was changed. */
export function changesSentence(
  { waiting, applied, merged, heldBack, obstacles }: RunChanges,
  { session, workspaces }: { readonly session: string; readonly workspaces: readonly string[] },
): string {
  const where = [...workspaces.flatMap(folder => ['--workspace', folder]), '--session', session];
  const command = (word: string, ...more: string[]) => quote(['cordon', word, ...where, ...more]);
  const lines: string[] = [];
  if (applied.length > 0) lines.push(`${counted(applied.length)} applied; "cordon trash" undoes it.`);
  for (const path of merged) lines.push(`Merged with your own change: ${visibleName(path)}`);
  for (const { path, why } of obstacles) lines.push(`In the way: ${visibleName(path)} (${why})`);
  if (obstacles.length > 0)
    lines.push(`Nothing more was applied. See all with ${command('review')}, and apply by name.`);
  for (const { path, because } of heldBack)
    lines.push(
      `Held back: ${visibleName(path)} (it ${because}). To apply it: ${command('apply', '--yes', path)}`,
    );
  if (waiting > heldBack.length && obstacles.length === 0) {
    const wait = waiting === 1 ? '1 change waits' : `${waiting} changes wait`;
    lines.push(`${wait} for you. See: ${command('review')}. Take over: ${command('apply')}`);
  }
  return lines.join('\n');
}

function counted(changes: number): string {
  return changes === 1 ? '1 change' : `${changes} changes`;
}
