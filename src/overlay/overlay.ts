import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type FolderOwner, otherOwner } from '../../sandbox/folderOwner.ts';
import { joinHolder, startHolder, type Holder, type OverlayMount } from '../../sandbox/holder.ts';
import { isInside } from '../../sandbox/inside.ts';
import { startTime } from '../../sandbox/processTree.ts';
import type { CopyOnWriteView } from '../../sandbox/sandbox.ts';
import { ViewRefresh } from '../../sandbox/viewRefresh.ts';
import { withLock } from './lock.ts';
import { removeTree } from '../base/removeTree.ts';

/** A copy-on-write view of folders: they appear at their own paths, and what is written stays in `directory`. */
export interface Overlay extends AsyncDisposable {
  readonly view: CopyOnWriteView & Required<Pick<CopyOnWriteView, 'enter' | 'holder' | 'refresh'>>;
  /** Where the changes of each folder are kept: real path of the folder → upper directory. */
  readonly changes: ReadonlyMap<string, string>;
}

export interface OverlayOptions {
  /** Of the broker's (0700), on a file system that can hold an upper layer. Made when missing. */
  readonly directory: string;
  /** Absolute real paths. A folder inside another one is part of its view. */
  readonly folders: readonly string[];
  readonly bwrap: string;
  /** Whether `directory` is removed, with all changes, when the view is disposed. Nobody else opens it then. */
  readonly dropAtEnd: boolean;
  /** The caller notes by itself what the agent worked from, before it disposes. */
  readonly isNoted?: boolean;
  /** Commands are not to run as the owner of the folders, where root is at work and that is somebody else. */
  readonly asOurselves?: boolean;
}

/**
 * Opens a view, or joins it when another process has it open: both see the same files then. Rejects with
 * `overlay.unavailable` where the kernel or the file system does not allow it; nothing was changed in that case.
 */
export async function openOverlay(options: OverlayOptions): Promise<Overlay> {
  const { directory } = options;
  mkdirSync(join(directory, 'holders'), { recursive: true, mode: 0o700 });
  const folders = outermost(options.folders.map(folder => realpathSync(folder)));
  const owner = options.asOurselves === true ? undefined : otherOwner(folders);
  const mounts = folders.map(folder => ({
    ...control(directory, folder, owner),
    isDropped: options.dropAtEnd,
  }));
  const open = async () => {
    const living = livingHolder(directory);
    const opened =
      (living === undefined ? undefined : await joinLiving(living, directory)) ??
      (await startHolder(options.bwrap, mounts, owner !== undefined));
    record(directory, opened);
    return opened;
  };
  // What is dropped at the end is nobody else's.
  const opening = options.dropAtEnd ? open() : withLock(join(directory, 'lock'), open);
  const holder = await opening.catch((error: unknown) => {
    if (options.dropAtEnd) removeTree(directory);
    throw error;
  });
  const changes = new Map(mounts.map(({ control, folder }) => [folder, join(control, 'upper')]));
  return {
    view: {
      enter: holder.enter,
      holder: holder.pid,
      folders,
      changes,
      refresh: new ViewRefresh(holder.pid),
      ...(owner === undefined ? {} : { owner }),
    },
    changes,
    async [Symbol.asyncDispose]() {
      if (!options.dropAtEnd && options.isNoted !== true) await noteChanges(mounts, holder.pid);
      await holder[Symbol.asyncDispose]();
      if (options.dropAtEnd) removeTree(directory);
      else removeTree(recordOf(directory, holder));
    },
  };
}

/** Undefined when the other process ended on the way: whoever kept it may have been killed just now. */
async function joinLiving(living: number, directory: string): Promise<Holder | undefined> {
  try {
    return await joinHolder(living);
  } catch (error) {
    if (livingHolder(directory) === living) throw error;
    return undefined;
  }
}

/** The sooner a change is seen, the surer it is what it was made from. Whoever looks next notes what could not be now. */
async function noteChanges(mounts: readonly OverlayMount[], holder: number): Promise<void> {
  // SQLite's native module would take an older Node down with it.
  if (Number(process.versions.node.split('.')[0]) < 22) return;
  const { lookAtChanges } = await import('./lookAtChanges.ts');
  for (const { control, folder } of mounts) {
    const merged = `/proc/${holder}/root${folder}`;
    const look = await lookAtChanges({ lower: folder, upper: join(control, 'upper') }, { merged }).catch(
      () => undefined,
    );
    look?.[Symbol.dispose]();
  }
}

/** Of nested folders only the outer one is mounted: it holds the others. */
function outermost(folders: readonly string[]): string[] {
  const unique = [...new Set(folders)];
  return unique.filter(folder => !unique.some(other => other !== folder && isInside(folder, other)));
}

/** The layers of one folder. Its place depends on the folder's path alone, so that a named session finds it again. */
function control(directory: string, folder: string, owner: FolderOwner | undefined): OverlayMount {
  const path = join(directory, 'layers', createHash('sha256').update(folder).digest('hex').slice(0, 16));
  for (const name of ['upper', 'work']) mkdirSync(join(path, name), { recursive: true, mode: 0o700 });
  // The view of the folder itself has the rights of its upper layer.
  const { uid, gid, mode } = statSync(folder);
  if (owner !== undefined) chownSync(join(path, 'upper'), uid, gid);
  chmodSync(join(path, 'upper'), mode & 0o7777);
  try {
    symlinkSync(folder, join(path, 'lower'));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return { control: path, folder };
}

function recordOf(directory: string, holder: Holder): string {
  return join(directory, 'holders', String(holder.pid));
}

function record(directory: string, holder: Holder): void {
  writeFileSync(recordOf(directory, holder), String(startTime(holder.pid) ?? 0), { mode: 0o600 });
}

/** A process that keeps the view in this directory open, if one is alive. */
export function livingHolder(directory: string): number | undefined {
  for (const name of readdirSync(join(directory, 'holders'))) {
    const file = join(directory, 'holders', name);
    const pid = Number(name);
    const lives = Number.isInteger(pid) && startTime(pid) !== undefined && hasNamespaces(pid);
    if (lives && String(startTime(pid)) === contentOf(file)) return pid;
    removeTree(file);
  }
  return undefined;
}

/** One that was killed is a process for a moment still, or until it is waited for, but keeps nothing open. */
function hasNamespaces(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/ns/mnt`);
    return true;
  } catch {
    return false;
  }
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
