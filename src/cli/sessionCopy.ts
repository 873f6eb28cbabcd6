import { mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeTree } from '../base/removeTree.ts';
import { openOverlayCopy } from '../session/changes/openOverlayCopy.ts';
import { openWholeCopy } from '../session/changes/openWholeCopy.ts';
import type { WorkingCopy } from '../session/changes/workingCopy.ts';
import { findProgram } from '../../sandbox/facts.ts';
import { outsideGitDirectories } from '../../sandbox/gitDirectories.ts';
import { sandboxErrors } from '../../sandbox/sandboxErrors.ts';
import { sessionDirectory } from './keptSession.ts';
import { stateDirectory } from './stateDirectory.ts';

/**
 * Opens the copy of the workspace that is kept under a session's id: the one that `cordon sandbox --session` works in,
 * and that `cordon review`, `apply` and `discard` read. Rejects with `overlay.unavailable` where there can be none.
 */
export async function openSessionCopy(
  folders: readonly string[],
  session: string,
  backend: 'bubblewrap' | 'podman' = 'bubblewrap',
): Promise<WorkingCopy> {
  const bwrap = findProgram('bwrap', process.env['PATH'], folders);
  if (bwrap === undefined || process.platform !== 'linux') throw sandboxErrors.noView(process.platform);
  const real = folders.map(folder => realpathSync(folder));
  const repositories = real.flatMap(folder => outsideGitDirectories(folder, homedir()));
  return await openOverlayCopy({
    directory: sessionDirectory(folders, session),
    folders: [...real, ...repositories],
    unlisted: repositories,
    bwrap,
    asOurselves: backend === 'podman',
    ...places(),
  });
}

/** Work in the user's own files, under a session's id: what they hold is kept before each change. */
export async function openDirectSession(folders: readonly string[], session: string): Promise<WorkingCopy> {
  return await openWholeCopy('direct', {
    ...places(),
    directory: sessionDirectory(folders, session),
    folders: folders.map(folder => realpathSync(folder)),
  });
}

function places() {
  return {
    journals: path.join(stateDirectory(), 'applies'),
    trash: path.join(stateDirectory(), 'trash'),
    worker: path.join(path.dirname(fileURLToPath(import.meta.url)), 'changes-worker.cjs'),
  };
}

/** The /tmp of a session, which lasts as long as its copy. */
export function sessionTemporaryDirectory(folders: readonly string[], session: string): string {
  const directory = path.join(sessionDirectory(folders, session), 'tmp');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}

/** Removes a closed copy that differs in nothing from the workspace. Returns whether it did. */
export function removeIfUnchanged(folders: readonly string[], session: string): boolean {
  const directory = sessionDirectory(folders, session);
  const layers = path.join(directory, 'layers');
  const isUnchanged = readdirSync(layers).every(
    name => readdirSync(path.join(layers, name, 'upper')).length === 0,
  );
  if (isUnchanged) removeTree(directory);
  return isUnchanged;
}
