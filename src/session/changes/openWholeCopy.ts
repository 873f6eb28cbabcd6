import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { isInside } from '../../../sandbox/inside.ts';
import { CordonError } from '../../base/errors.ts';
import { cloneIn } from './clonedFolder.ts';
import { engineThread } from './engineThread.ts';
import type { CopyOptions } from './openOverlayCopy.ts';
import type { WholeFolder } from './copyEngine.ts';
import type { WorkingCopy } from './workingCopy.ts';

/**
 * Opens a conversation's work where there is no overlay: in clones of the folders, or (`direct`) in the user's own
 * files, with what they hold kept before each change. Rejects with `clone.failed` or `copy.unavailable`.
 */
export async function openWholeCopy(
  kind: 'clone' | 'direct',
  options: Omit<CopyOptions, 'bwrap'>,
): Promise<WorkingCopy> {
  // Files are reached through descriptors of their folders, by paths that only Linux has.
  if (process.platform !== 'linux')
    throw new CordonError('copy.unavailable', 'On this system Cordon cannot keep what files held yet.');
  const { directory, unlisted = [], asOurselves = false, journals, trash } = options;
  const all = outermost(
    kind === 'direct' ? options.folders.filter(each => !unlisted.includes(each)) : options.folders,
  );
  const places = all.map((folder): WholeFolder => ({
    kind,
    folder,
    directory: placeFor(directory, kind, folder),
    asOurselves,
  }));
  for (const place of places) mkdirSync(place.directory, { recursive: true, mode: 0o700 });
  // What is not listed is cloned all the same: a repository belongs to the files it is the repository of.
  const isListed = (folder: string) => !unlisted.includes(folder);
  const { engine, worker } = engineThread(options.worker, { folders: places, journals, trash });
  try {
    await engine.open();
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  return {
    kind,
    folders: all.filter(isListed),
    ...(kind === 'clone'
      ? {
          view: {
            folders: all,
            changes: new Map(),
            sources: Object.fromEntries(places.map(each => [each.folder, cloneIn(each.directory)])),
          },
        }
      : {
          beforeChange: async () => {
            await engine.beginChange();
            return () => engine.endChange();
          },
        }),
    changes: {
      ...engine,
      review: async include => (await engine.review(include)).filter(({ folder }) => isListed(folder)),
      changedSince: async mark => {
        const { files, others } = await engine.changedSince(mark);
        return { files: files.filter(({ folder }) => isListed(folder)), others };
      },
    },
    refresh: () => engine.refresh(),
    async [Symbol.asyncDispose]() {
      // What is asked already is done first; what the agent worked from is noted for the next time.
      await engine.review().catch(() => undefined);
      await worker.terminate();
    },
  };
}

/** Where a folder's part is kept. Depends on the folder's path alone, so that a conversation finds it again. */
export function placeFor(directory: string, kind: 'clone' | 'direct', folder: string): string {
  return path.join(directory, kind, createHash('sha256').update(folder).digest('hex').slice(0, 16));
}

/** A folder inside another one is part of its copy. */
function outermost(folders: readonly string[]): string[] {
  const unique = [...new Set(folders)];
  return unique.filter(folder => !unique.some(other => other !== folder && isInside(folder, other)));
}
