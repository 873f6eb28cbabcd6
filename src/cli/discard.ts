import { CordonError } from '../base/errors.ts';
import type { OverlayFolder } from '../overlay/changeset.ts';
import { Checkpoints } from '../overlay/checkpoints.ts';
import { discardAll, discardChanges } from '../overlay/discard.ts';
import { lookAtChanges } from '../overlay/lookAtChanges.ts';
import { closeDropping, isNamed } from '../overlay/selection.ts';
import { readChangeArguments } from './changeArguments.ts';
import { visibleName } from './changeReport.ts';
import { canAsk, confirm } from './confirm.ts';
import { discardDirect } from './directSession.ts';
import { findKeptSession, whileClosed } from './keptSession.ts';
import { pathsIn } from './pathsIn.ts';

/**
 * `cordon discard [--workspace DIR] [--session ID] [--yes] [--json] [PATH…]`: drops a session's changes; without paths
 * all of them. The real files are not touched, save for a session that worked in them: those become what they were. A
 * checkpoint is taken first. Resolves to the exit status: 2 for wrong
 * usage.
 */
export async function discardCommand(argv: readonly string[]): Promise<number> {
  const wanted = readChangeArguments(argv);
  if (wanted.kind === 'wrong') {
    process.stderr.write(`cordon discard: ${wanted.message}\n`);
    return 2;
  }
  const session = await findKeptSession(wanted.folders, wanted.session);
  const what = wanted.paths.length === 0 ? 'all changes' : wanted.paths.map(visibleName).join(', ');
  if (!wanted.yes && canAsk() && !(await confirm(`Discard ${what} of session ${session.id}?`))) return 1;
  const discarded = session.direct.length > 0 ? await discardDirect(session, wanted.paths) : [];
  const done = await whileClosed(session, async () => {
    for (const folder of session.folders) {
      const names = pathsIn(folder.lower, wanted.paths);
      if (names) discarded.push(...(await discardIn(folder, names)).map(path => `${folder.lower}/${path}`));
    }
  });
  if (!done) throw inUse(session.id);
  if (wanted.json) process.stdout.write(`${JSON.stringify({ session: session.id, discarded })}\n`);
  else
    process.stdout.write(`Discarded ${discarded.length} ${discarded.length === 1 ? 'change' : 'changes'}.\n`);
  return 0;
}

async function discardIn(folder: OverlayFolder, names: readonly string[]): Promise<string[]> {
  using look = await lookAtChanges(folder);
  const { changes, groups } = look.changeset;
  await new Checkpoints(folder, look.record).take('Before discarding');
  if (names.length === 0 || names.includes('')) {
    discardAll(folder);
    return [...changes.map(({ path }) => path), ...groups.flatMap(({ paths }) => paths)];
  }
  const meant = changes.filter(({ path }) => isNamed(path, names)).map(({ path }) => path);
  const paths = closeDropping(changes, new Set(meant)).map(({ path }) => path);
  const wholes = groups.flatMap(group => group.paths.filter(path => isNamed(path, names)));
  await discardChanges(folder, paths, wholes);
  return [...paths, ...wholes];
}

function inUse(session: string): CordonError {
  return new CordonError(
    'session.inUse',
    `Something still runs in session ${session}. Nothing was discarded.`,
    'End it, then try again.',
  );
}
