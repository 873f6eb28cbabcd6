import { existsSync } from 'node:fs';
import { CordonError } from '../../base/errors.ts';
import { obstacleWords } from '../../overlay/acceptance.ts';
import { applyChanges } from '../../overlay/apply.ts';
import { restoreChanges } from '../../overlay/restore.ts';
import { openTrash, type Trash, type TrashItem } from '../../store/trash.ts';
import type { AcceptOutcome, ChangedPath, Obstruction } from './changesEngine.ts';

/** What accepting and restoring overwrote and deleted. Open only while it is used: other windows use it too. */
export class TrashCan {
  constructor(private readonly places: { readonly trash: string; readonly journals: string }) {}

  async use<T>(work: (trash: Trash) => Promise<T>): Promise<T> {
    using trash = openTrash(this.places.trash);
    return await work(trash);
  }

  /** Newest first. */
  async list(folders: readonly string[]): Promise<TrashItem[]> {
    return await this.use(async trash => trash.list().filter(({ folder }) => folders.includes(folder)));
  }

  /** Of several items of one path the newest is restored. What it overwrites goes to the trash in turn. */
  async restore(ids: readonly number[]): Promise<AcceptOutcome> {
    return await this.use(async trash => {
      const items = trash.list().filter(({ id }) => ids.includes(id));
      const missing = items.find(item => item.kind === 'file' && !existsSync(trash.contentPath(item)));
      if (items.length < new Set(ids).size || missing) throw gone(missing);
      const newest = new Map<string, TrashItem>();
      for (const item of items.toSorted((one, other) => one.id - other.id))
        newest.set(JSON.stringify([item.folder, item.path]), item);
      const accepted: ChangedPath[] = [];
      const batches: string[] = [];
      for (const [folder, own] of Map.groupBy(newest.values(), ({ folder }) => folder)) {
        const changes = restoreChanges(folder, own, item => trash.contentPath(item));
        const result = await applyChanges(folder, changes, { journals: this.places.journals, trash });
        if (result.kind === 'blocked') {
          const obstructions = result.obstacles.map(({ path, kind }): Obstruction => ({
            folder,
            path,
            kind: 'disk',
            words: obstacleWords(kind),
          }));
          return { kind: 'obstructed', obstructions, accepted };
        }
        batches.push(result.id);
        accepted.push(...result.paths.map(path => ({ folder, path })));
      }
      return { kind: 'accepted', accepted, merged: [], batches };
    });
  }
}

function gone(item: TrashItem | undefined): CordonError {
  return new CordonError(
    'trash.gone',
    item
      ? `The content of ${item.folder}/${item.path} is not in the trash any more.`
      : 'It is not in the trash any more.',
    'It cannot be restored.',
  );
}
