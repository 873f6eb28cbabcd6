import { isNamed } from '../overlay/selection.ts';
import { prepareAcceptance, obstacleWords, type Conflict } from '../overlay/acceptance.ts';
import { lookAtChanges } from '../overlay/lookAtChanges.ts';
import {
  changeLine,
  changePatch,
  groupLine,
  reportChange,
  visibleName,
  type ReportedChange,
} from './changeReport.ts';
import { readChangeArguments } from './changeArguments.ts';
import { printDirect, reviewDirect } from './directSession.ts';
import { findKeptSession } from './keptSession.ts';
import { pathsIn } from './pathsIn.ts';

/**
 * `cordon review [--workspace DIR] [--session ID] [--json] [PATH…]`: what a session would change, and with paths also
 * how. Changes nothing. Resolves to the exit status: 2 for wrong usage.
 */
export async function reviewCommand(argv: readonly string[]): Promise<number> {
  const wanted = readChangeArguments(argv);
  if (wanted.kind === 'wrong') {
    process.stderr.write(`cordon review: ${wanted.message}\n`);
    return 2;
  }
  const session = await findKeptSession(wanted.folders, wanted.session);
  const direct = await reviewDirect(session, wanted.paths);
  if (!wanted.json) printDirect(session, direct);
  const reports: object[] = direct.map(review => ({ ...review, conflicts: [] }));
  for (const folder of session.folders) {
    const names = pathsIn(folder.lower, wanted.paths);
    if (!names) continue;
    using look = await lookAtChanges(folder, { include: names });
    const changes = look.changeset.changes.filter(({ path }) =>
      isNamed(path, names.length > 0 ? names : ['']),
    );
    const { conflicts } = await prepareAcceptance(
      folder,
      changes.map(change => ({ change })),
      look.bases,
    );
    const reported = [];
    for (const change of changes) reported.push(await reportChange(folder, change));
    const { groups } = look.changeset;
    if (wanted.json) reports.push({ folder: folder.lower, changes: reported, conflicts, groups });
    else {
      print(session.id, folder.lower, reported, conflicts);
      for (const group of groups) process.stdout.write(`${groupLine(group)}\n`);
      if (names.length > 0)
        for (const change of changes) {
          const patch = await changePatch(folder, change);
          if (patch !== '') process.stdout.write(`\n${patch}`);
        }
    }
  }
  if (wanted.json) process.stdout.write(`${JSON.stringify({ session: session.id, folders: reports })}\n`);
  return 0;
}

function print(
  session: string,
  folder: string,
  changes: readonly ReportedChange[],
  conflicts: readonly Conflict[],
): void {
  const count = changes.length === 1 ? '1 change' : `${changes.length} changes`;
  process.stdout.write(`Session ${session}, ${visibleName(folder)}: ${count}\n`);
  for (const change of changes) process.stdout.write(`${changeLine(change)}\n`);
  for (const { path, kind } of conflicts)
    process.stdout.write(`  conflict  ${visibleName(path)}  (${obstacleWords(kind)})\n`);
}
