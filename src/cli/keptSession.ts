import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import { CordonError } from '../base/errors.ts';
import { recoverApplies } from '../overlay/apply.ts';
import type { OverlayFolder } from '../overlay/changeset.ts';
import { openJournals } from '../overlay/journal.ts';
import { withLock } from '../overlay/lock.ts';
import { livingHolder } from '../overlay/overlay.ts';
import { placeFor } from '../session/changes/openWholeCopy.ts';
import type { WholeFolder } from '../session/changes/copyEngine.ts';
import { openTrash } from '../store/trash.ts';
import { stateDirectory, workspaceDirectory } from './stateDirectory.ts';

/** A session whose copy-on-write view was kept, and the workspace folders that it holds changes of. */
export interface KeptSession {
  readonly id: string;
  readonly directory: string;
  readonly folders: readonly OverlayFolder[];
  /** Where it worked in the user's own files instead, which were kept beforehand. */
  readonly direct: readonly WholeFolder[];
}

/**
 * The named session of these workspace folders, or the one used last. An apply that was interrupted is finished or
 * undone first, so that what is compared is whole. Throws `session.none` or `session.unknown`, or `apply.recover`.
 */
export async function findKeptSession(
  workspaces: readonly string[],
  named: string | undefined,
): Promise<KeptSession> {
  await mend();
  const sessions = path.join(workspaceDirectory(workspaces), 'sessions');
  const ids = (existsSync(sessions) ? readdirSync(sessions) : [])
    .filter(
      name =>
        name.startsWith(prefix) &&
        ['layers', 'direct'].some(each => existsSync(path.join(sessions, name, each))),
    )
    .map(name => name.slice(prefix.length));
  const id = named === undefined ? latest(sessions, ids) : ids.find(each => each === named);
  if (id === undefined) throw named === undefined ? noSession(workspaces) : unknownSession(named, ids);
  const directory = sessionDirectory(workspaces, id);
  const direct = workspaces
    .map((folder): WholeFolder => ({
      kind: 'direct',
      folder,
      directory: placeFor(directory, 'direct', folder),
    }))
    .filter(each => existsSync(each.directory));
  const layers = layersIn(path.join(directory, 'layers'), workspaces);
  // Of a view that could not be mounted, layers without anything in them are left.
  const folders = direct.length > 0 ? layers.filter(({ upper }) => readdirSync(upper).length > 0) : layers;
  return { id, directory, folders, direct };
}

/** Where the session of these workspace folders is kept, or would be. */
export function sessionDirectory(workspaces: readonly string[], id: string): string {
  return path.join(workspaceDirectory(workspaces), 'sessions', prefix + id);
}

async function mend(): Promise<void> {
  const state = stateDirectory();
  const journals = path.join(state, 'applies');
  if (openJournals(journals).length === 0) return;
  using trash = openTrash(path.join(state, 'trash'));
  for (const folder of await recoverApplies({ journals, trash }))
    process.stderr.write(`cordon: an interrupted apply to ${folder} was brought to its end.\n`);
}

/** Does the work while nothing has the session's view open, and lets nothing open it. Returns false when it is open. */
export async function whileClosed(session: KeptSession, work: () => Promise<void>): Promise<boolean> {
  return await withLock(path.join(session.directory, 'lock'), async () => {
    if (livingHolder(session.directory) !== undefined) return false;
    await work();
    return true;
  });
}

const prefix = 'named-';

/** Opening a session and leaving it both write to its folder of holders. */
function latest(sessions: string, ids: readonly string[]): string | undefined {
  const used = (id: string) =>
    Math.max(
      ...['holders', 'direct'].map(
        name => statSync(path.join(sessions, prefix + id, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
      ),
    );
  return ids.toSorted((one, other) => used(other) - used(one))[0];
}

/** A repository that lies outside has a layer too; its commits are imported by git, and by nothing else. */
function layersIn(layers: string, workspaces: readonly string[]): OverlayFolder[] {
  if (!existsSync(layers)) return [];
  return readdirSync(layers)
    .sort()
    .flatMap(name => {
      const directory = path.join(layers, name);
      const lower = readlinkSync(path.join(directory, 'lower'));
      const holds = workspaces.some(folder => folder === lower || folder.startsWith(`${lower}/`));
      return holds ? [{ lower, upper: path.join(directory, 'upper') }] : [];
    });
}

function noSession(workspaces: readonly string[]): CordonError {
  return new CordonError(
    'session.none',
    `No session of ${workspaces.join(', ')} was kept.`,
    'Those of "cordon run" and of "cordon sandbox --session ID" are kept.',
  );
}

function unknownSession(id: string, ids: readonly string[]): CordonError {
  return new CordonError(
    'session.unknown',
    `There is no session "${id}" of this workspace.`,
    ids.length > 0 ? `There is: ${ids.join(', ')}.` : 'There is none at all.',
  );
}
