import { existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { findProgram } from '../../../sandbox/facts.ts';
import { ownershipNote } from '../../../sandbox/folderOwner.ts';
import { outsideGitDirectories } from '../../../sandbox/gitDirectories.ts';
import { sandboxErrors } from '../../../sandbox/sandboxErrors.ts';
import { CordonError, messageOf } from '../../base/errors.ts';
import { canClone } from '../../overlay/tree/mirror.ts';
import { chooseCopy, type CopyFacts } from './chooseCopy.ts';
import { foreignFolder } from './foreignFolder.ts';
import { openOverlayCopy, type CopyOptions } from './openOverlayCopy.ts';
import { openWholeCopy } from './openWholeCopy.ts';
import type { WorkingCopy } from './workingCopy.ts';

export interface OpenOptions extends Pick<CopyOptions, 'directory' | 'journals' | 'trash' | 'worker'> {
  /** Workspace folders as the user named them. */
  readonly folders: readonly string[];
  readonly home: string;
  readonly wanted: CopyFacts['wanted'];
  /** What will put up the walls around the commands. */
  readonly backend: 'bubblewrap' | 'podman';
}

/**
 * Opens the best that is to be had here for a conversation, with what it changed before. Overlays are tried, not guessed
 * at. Rejects with a CordonError when even working in the user's own files cannot be made safe.
 */
export async function openWorkingCopy({
  home,
  wanted,
  backend,
  ...options
}: OpenOptions): Promise<WorkingCopy> {
  const { directory } = options;
  const real = options.folders.map(folder => realpathSync(folder));
  const repositories = real.flatMap(folder => outsideGitDirectories(folder, home));
  const folders = [...real, ...repositories];
  const all = { ...options, folders, unlisted: repositories, asOurselves: backend === 'podman' };
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const known = { wanted, platform: process.platform };
  const note = ownershipNote(folders, backend);
  let noOverlay: string | undefined;
  if (chooseCopy({ ...known, canClone: false }).kind === 'overlay') {
    const bwrap = findProgram('bwrap', process.env['PATH'], options.folders);
    try {
      const user = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
      const foreign = foreignFolder(real, user);
      if (foreign !== undefined)
        throw new CordonError(
          'overlay.unavailable',
          `${foreign} belongs to another user or group, and a copy-on-write view can change only what is your own.`,
        );
      if (bwrap === undefined) throw sandboxErrors.noView(process.platform);
      const copy = await openOverlayCopy({ ...all, bwrap });
      return note === undefined ? copy : { ...copy, because: note };
    } catch (error) {
      if (!(error instanceof CordonError) || error.code !== 'overlay.unavailable') throw error;
      noOverlay = messageOf(error);
    }
  }
  const choice = chooseCopy({
    ...known,
    ...(noOverlay === undefined ? {} : { noOverlay }),
    canClone: folders.every(folder => canClone(folder, directory)),
  });
  const because = [choice.because, hiddenBefore(directory), note].filter(Boolean).join(' ');
  if (choice.kind === 'clone') {
    try {
      return { ...(await openWholeCopy('clone', all)), because };
    } catch (error) {
      if (!(error instanceof CordonError) || error.code !== 'clone.failed') throw error;
      return { ...(await openWholeCopy('direct', all)), because: `${because} ${messageOf(error)}` };
    }
  }
  return { ...(await openWholeCopy('direct', all)), because };
}

/** What this conversation changed in an overlay is not lost when that cannot be mounted today. */
function hiddenBefore(directory: string): string {
  const layers = path.join(directory, 'layers');
  const places = existsSync(layers) ? readdirSync(layers) : [];
  const holds = (place: string) => {
    const upper = path.join(layers, place, 'upper');
    return existsSync(upper) && readdirSync(upper).length > 0;
  };
  if (!places.some(holds)) return '';
  return 'What the conversation changed in its copy before is kept, and shows again where that can be mounted.';
}
