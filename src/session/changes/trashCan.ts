import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { CordonError } from '../../base/errors.ts';
import { obstacleWords } from '../../overlay/acceptance.ts';
import { applyChanges, recoverApplies } from '../../overlay/apply.ts';
import { restoreChanges } from '../../overlay/restore.ts';
import { openTrash, type Trash, type TrashItem } from '../../store/trash.ts';
import type { AcceptOutcome, ChangedPath, Obstruction } from './changesEngine.ts';

/** Folders of the broker's, one for all workspaces: where applies are journalled, and the trash. Plain data. */
export interface TrashPlaces {
  readonly trash: string;
  readonly journals: string;
}

/** What accepting and restoring overwrote and deleted. Open only while it is used: other windows use it too. */
export class TrashCan {
  constructor(private readonly places: TrashPlaces) {}

  async use<T>(work: (trash: Trash) => Promise<T>): Promise<T> {
    using trash = openTrash(this.places.trash);
    return await work(trash);
  }

  /** Newest first. */
  async list(folders: readonly string[]): Promise<TrashItem[]> {
    return await this.use(async trash => trash.list().filter(({ folder }) => folders.includes(folder)));
  }

  /** What a file held; the target of a link. Throws `trash.gone` or `trash.tooLarge` (more than 20 MB). */
  async content(id: number): Promise<Uint8Array> {
    return await this.use(async trash => {
      const item = trash.list().find(each => each.id === id);
      if (!item || isContentGone(trash, item)) throw gone(item);
      if (item.size > largest) throw tooLarge(item);
      return item.kind === 'file' ? await readFile(trash.contentPath(item)) : Buffer.from(item.content);
    });
  }

  /** Of several items of one path the newest is restored. What it overwrites goes to the trash in turn. */
  async restore(ids: readonly number[]): Promise<AcceptOutcome> {
    return await this.use(async trash => {
      const items = trash.list().filter(({ id }) => ids.includes(id));
      if (items.length < new Set(ids).size) throw gone(undefined);
      return await this.#putBack(trash, items);
    });
  }

  /** Undoes whole batches: what they made goes, what they overwrote or deleted comes back. */
  async undo(batches: readonly string[]): Promise<AcceptOutcome> {
    return await this.use(async trash => {
      const items = batches.flatMap(batch => trash.batch(batch));
      if (items.length === 0) throw gone(undefined);
      return await this.#putBack(trash, items);
    });
  }

  /** Finishes or undoes applies that a crash interrupted. Returns the folders that were mended. Throws `apply.*`. */
  async recover(): Promise<string[]> {
    return await this.use(trash => recoverApplies({ journals: this.places.journals, trash }));
  }

  async #putBack(trash: Trash, items: readonly TrashItem[]): Promise<AcceptOutcome> {
    const missing = items.find(item => isContentGone(trash, item));
    if (missing) throw gone(missing);
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
  }
}

/** Bytes of a file that is shown. */
const largest = 20 * 1024 * 1024;

function isContentGone(trash: Trash, item: TrashItem): boolean {
  const hasContent = item.kind === 'file' && (item.why === 'overwritten' || item.why === 'deleted');
  return hasContent && !existsSync(trash.contentPath(item));
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

function tooLarge({ path, size }: TrashItem): CordonError {
  return new CordonError(
    'trash.tooLarge',
    `${path} has ${Math.round(size / 1024 / 1024)} MB; more than 20 are not shown.`,
    'It can be restored all the same.',
  );
}
