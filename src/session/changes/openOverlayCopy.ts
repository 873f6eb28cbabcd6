import { mkdirSync } from 'node:fs';
import { isInside } from '../../../sandbox/inside.ts';
import type { OverlayFolder } from '../../overlay/changeset.ts';
import { readUpperEntry } from '../../overlay/entry.ts';
import { openOverlay } from '../../overlay/overlay.ts';
import { engineThread } from './engineThread.ts';
import type { CopyEngineOptions } from './copyEngine.ts';
import type { WorkingCopy } from './workingCopy.ts';

export interface CopyOptions {
  /** Where the copy is kept: of the broker's (0700), on a file system that can hold an upper layer. Made when missing. */
  readonly directory: string;
  /** Absolute real paths of the workspace folders, and of repositories behind them. */
  readonly folders: readonly string[];
  /** Those of them that are not for review: a repository's own data. */
  readonly unlisted?: readonly string[];
  readonly bwrap: string;
  /** See `OverlayOptions`. */
  readonly asOurselves?: boolean;
  /** Folders of the broker's, one for all workspaces. */
  readonly journals: string;
  readonly trash: string;
  /** dist/changes-worker.cjs. */
  readonly worker: string;
}

/**
 * Opens the copy-on-write view of a conversation, with what it changed before. Rejects with `overlay.unavailable` where
 * the kernel or the file system does not allow it.
 */
export async function openOverlayCopy(options: CopyOptions): Promise<WorkingCopy> {
  const { directory, folders, unlisted = [], bwrap, asOurselves = false, journals, trash } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const overlay = await openOverlay({
    directory,
    folders,
    bwrap,
    dropAtEnd: false,
    isNoted: true,
    asOurselves,
  });
  const layers = [...overlay.changes]
    .map(([lower, upper]): OverlayFolder => ({ lower, upper }))
    .filter(({ lower }) => !unlisted.includes(lower));
  const { holder, refresh } = overlay.view;
  const data: CopyEngineOptions = {
    folders: layers,
    holder,
    journals,
    trash,
    refresh: folders => refresh.refresh(folders),
  };
  const { engine, worker } = engineThread(options.worker, data);
  return {
    kind: 'overlay',
    folders: layers.map(({ lower }) => lower),
    view: overlay.view,
    changes: engine,
    holds: file => {
      const at = layers.find(({ lower }) => isInside(file, lower));
      return at !== undefined && readUpperEntry(at.upper + file.slice(at.lower.length)) !== undefined;
    },
    refresh: () => engine.refresh(),
    async [Symbol.asyncDispose]() {
      // What is asked already is done first; what the agent worked from is noted for the next time.
      await engine.review().catch(() => undefined);
      await worker.terminate();
      await overlay[Symbol.asyncDispose]();
    },
  };
}
