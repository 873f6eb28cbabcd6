import { obstacleWords, type Conflict } from '../overlay/acceptance.ts';
import type { Obstacle } from '../overlay/applySteps.ts';
import type { OverlayFolder } from '../overlay/changeset.ts';
import { readChangeArguments, type ChangeArguments } from './changeArguments.ts';
import { changeLine, reportChange, visibleName } from './changeReport.ts';
import { canAsk, confirm } from './confirm.ts';
import { findKeptSession, type KeptSession } from './keptSession.ts';
import { pathsIn } from './pathsIn.ts';
import { prepareApply } from './prepareApply.ts';

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
  if (session.direct.length > 0 && session.folders.length === 0) {
    process.stdout.write('This session worked in your own files: there is nothing to apply.\n');
    return 0;
  }
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
  const prepared = await prepareApply(session, folder, names);
  const { chosen, heldBack, unknown, merged, conflicts } = prepared;
  if (unknown.length > 0) {
    process.stderr.write(`cordon apply: nothing was changed at ${unknown.map(visibleName).join(', ')}.\n`);
    return 1;
  }
  const report = { session: session.id, folder: folder.lower, heldBack };
  if (conflicts.length > 0) {
    say(wanted, { ...report, applied: [], conflicts }, () => refuse(conflicts));
    return 1;
  }
  if (!wanted.yes && chosen.length > 0) {
    for (const change of chosen) process.stderr.write(`${changeLine(await reportChange(folder, change))}\n`);
    if (!(await confirm(`Apply ${count(chosen.length)} to ${visibleName(folder.lower)}?`))) return 1;
  }
  const result = await prepared.apply();
  if (result.kind === 'blocked') {
    say(wanted, { ...report, applied: [], conflicts: result.obstacles }, () => refuse(result.obstacles));
    return 1;
  }
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
