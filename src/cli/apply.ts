import { join } from 'node:path';
import { obstacleWords, prepareAcceptance, type Conflict } from '../overlay/acceptance.ts';
import { applyChanges } from '../overlay/apply.ts';
import type { Obstacle } from '../overlay/applySteps.ts';
import type { Change, OverlayFolder } from '../overlay/changeset.ts';
import { discardChanges } from '../overlay/discard.ts';
import { lookAtChanges, type Look } from '../overlay/lookAtChanges.ts';
import { closeSelection, isNamed } from '../overlay/selection.ts';
import { openTrash } from '../store/trash.ts';
import { protectionOf } from '../../sandbox/protectedPaths.ts';
import { readChangeArguments, type ChangeArguments } from './changeArguments.ts';
import { changeLine, reportChange, visibleName } from './changeReport.ts';
import { canAsk, confirm } from './confirm.ts';
import { findKeptSession, whileClosed, type KeptSession } from './keptSession.ts';
import { pathsIn } from './pathsIn.ts';
import { stateDirectory } from './stateDirectory.ts';

/**
 * `cordon apply [--workspace DIR] [--session ID] [--yes] [--json] [PATH…]`: takes a session's changes over into the real
 * files, all or none. Protected paths count only when each is named. Resolves to the exit status: 0 when everything
 * that was asked for is applied, 1 when nothing was changed, 2 for wrong usage.
 */
export async function applyCommand(argv: readonly string[]): Promise<number> {
  const wanted = readChangeArguments(argv);
  if (wanted.kind === 'wrong') {
    process.stderr.write(`cordon apply: ${wanted.message}\n`);
    return 2;
  }
  if (!wanted.yes && !canAsk()) {
    process.stderr.write(
      'cordon apply: without a terminal to ask on, --yes is needed. Nothing was changed.\n',
    );
    return 2;
  }
  const session = await findKeptSession(wanted.folders, wanted.session);
  let status = 0;
  for (const folder of session.folders) {
    const names = pathsIn(folder.lower, wanted.paths);
    if (names) status = Math.max(status, await applyFolder(session, folder, names, wanted));
  }
  return status;
}

async function applyFolder(
  session: KeptSession,
  folder: OverlayFolder,
  names: readonly string[],
  wanted: ChangeArguments,
): Promise<number> {
  using look = await lookAtChanges(folder, { include: names });
  const { chosen, heldBack, unknown } = choose(look, names);
  if (unknown.length > 0) {
    process.stderr.write(`cordon apply: nothing was changed at ${unknown.map(visibleName).join(', ')}.\n`);
    return 1;
  }
  const { desired, merged, conflicts } = await prepareAcceptance(
    folder,
    chosen.map(change => ({ change })),
    look.bases,
  );
  const report = { session: session.id, folder: folder.lower, heldBack };
  if (conflicts.length > 0) {
    say(wanted, { ...report, applied: [], conflicts }, () => refuse(conflicts));
    return 1;
  }
  if (!wanted.yes && chosen.length > 0) {
    for (const change of chosen) process.stderr.write(`${changeLine(await reportChange(folder, change))}\n`);
    if (!(await confirm(`Apply ${count(chosen.length)} to ${visibleName(folder.lower)}?`))) return 1;
  }
  const state = stateDirectory();
  using trash = openTrash(join(state, 'trash'));
  const result = await applyChanges(folder.lower, desired, { journals: join(state, 'applies'), trash });
  if (result.kind === 'blocked') {
    say(wanted, { ...report, applied: [], conflicts: result.obstacles }, () => refuse(result.obstacles));
    return 1;
  }
  look.bases.applied(result.paths);
  // What is the user's own now need not lie in the overlay; where the session is open it stays until the next time.
  await whileClosed(session, () => discardChanges(folder, result.paths));
  say(wanted, { ...report, applied: result.paths, merged, conflicts: [], trash: result.id }, () => {
    process.stdout.write(`Applied ${count(result.paths.length)} to ${visibleName(folder.lower)}.\n`);
    for (const path of merged) process.stdout.write(`  merged with your own change: ${visibleName(path)}\n`);
    for (const { path, because } of heldBack)
      process.stdout.write(
        `! held back: ${visibleName(path)} (it ${because}; name it by itself to apply it)\n`,
      );
  });
  return 0;
}

/** Protected paths, and what goes with them, stay out unless they were named by themselves. */
function choose(
  { changeset }: Look,
  names: readonly string[],
): { chosen: Change[]; heldBack: { path: string; because: string }[]; unknown: string[] } {
  const { changes } = changeset;
  const meant = changes.filter(({ path }) => names.length === 0 || isNamed(path, names));
  const selected = closeSelection(changes, new Set(meant.map(({ path }) => path)));
  const heldBack = selected.flatMap(({ path }) => {
    const because = names.includes(path) ? undefined : protectionOf(path);
    return because === undefined ? [] : [{ path, because }];
  });
  const held = new Set(heldBack.map(({ path }) => path));
  // A folder that goes cannot go without what is protected in it.
  const around = (path: string) => [...held].some(inner => inner.startsWith(`${path}/`));
  const chosen = selected.filter(
    ({ path, after }) => !held.has(path) && !(around(path) && after?.kind !== 'directory'),
  );
  const unknown = names.filter(name => name !== '' && !changes.some(({ path }) => isNamed(path, [name])));
  return { chosen, heldBack, unknown };
}

function refuse(conflicts: readonly (Conflict | Obstacle)[]): void {
  process.stderr.write('cordon apply: nothing was changed.\n');
  for (const { path, kind } of conflicts)
    process.stderr.write(`  conflict  ${visibleName(path)}  (${obstacleWords(kind)})\n`);
  process.stderr.write('Name the other paths to apply them without these.\n');
}

function say(wanted: ChangeArguments, object: object, words: () => void): void {
  if (wanted.json) process.stdout.write(`${JSON.stringify(object)}\n`);
  else words();
}

function count(changes: number): string {
  return changes === 1 ? '1 change' : `${changes} changes`;
}
