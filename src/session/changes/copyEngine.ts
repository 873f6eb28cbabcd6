import { CordonError } from '../../base/errors.ts';
import { randomId } from '../../base/ids.ts';
import { recoverApplies } from '../../overlay/apply.ts';
import type { OverlayFolder } from '../../overlay/changeset.ts';
import type { TrashItem } from '../../store/trash.ts';
import type {
  AcceptOutcome,
  ChangedPath,
  ChangesEngine,
  Choice,
  CopyCheckpoint,
  DiscardOutcome,
  FileSides,
  FolderReview,
} from './changesEngine.ts';
import { ClonedFolder } from './clonedFolder.ts';
import { DirectFolder } from './directFolder.ts';
import { Marks, type Written } from './marks.ts';
import { OverlayedFolder, type Applied, type Preparation } from './overlayedFolder.ts';
import { TrashCan } from './trashCan.ts';

/** A workspace folder, and where the broker keeps what belongs to the copy of it. */
export interface WholeFolder {
  readonly kind: 'clone' | 'direct';
  readonly folder: string;
  readonly directory: string;
  /** Commands do not run as the owner of the folder, where root is at work and that is somebody else. */
  readonly asOurselves?: boolean;
}

/** What the engine needs to know of an open copy. */
export interface CopyEngineOptions {
  readonly folders: readonly (OverlayFolder | WholeFolder)[];
  /** The process that keeps the view open; absent when nothing has it open. */
  readonly holder?: number;
  /** Shows in the view what changed in these of its folders. Absent when nothing has it open. */
  readonly refresh?: (folders: readonly string[]) => Promise<void>;
  /** Folders of the broker's, one for all workspaces: where applies are journalled, and the trash. */
  readonly journals: string;
  readonly trash: string;
}

/** The changes of a conversation's copy that is open, or of its work in the user's own files. */
export class CopyEngine implements ChangesEngine {
  readonly #folders: readonly OverlayedFolder[];
  readonly #trash: TrashCan;
  readonly #marks: Marks;
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: CopyEngineOptions) {
    const { holder } = options;
    this.#trash = new TrashCan(options);
    this.#folders = options.folders.map(each => {
      if ('kind' in each) return this.#whole(each);
      return new OverlayedFolder(
        each,
        holder === undefined ? undefined : `/proc/${holder}/root${each.lower}`,
      );
    });
    this.#marks = new Marks(this.#folders);
    // Whatever a crash interrupted is brought to its end before anything is compared.
    void this.#inTurn(() =>
      this.#trash.use(async trash => void (await recoverApplies({ ...options, trash }))),
    );
  }

  /** Makes what must be there before anything works in the copy. */
  open(): Promise<void> {
    return this.#inTurn(async () => {
      for (const folder of this.#folders) await folder.open();
    });
  }

  /**
   * To be done before the user's own files are changed: what they hold is kept. Rejects when it cannot be; then nothing
   * may be changed.
   */
  beginChange(): Promise<void> {
    return this.#inTurn(async () => {
      const begun: OverlayedFolder[] = [];
      try {
        for (const folder of this.#folders) {
          await folder.beginChange();
          begun.push(folder);
        }
      } catch (error) {
        for (const folder of begun) await folder.endChange();
        throw error;
      }
    });
  }

  /** The change is over: what differs now is the agent's doing. */
  endChange(): Promise<void> {
    return this.#inTurn(async () => {
      for (const folder of this.#folders) await folder.endChange();
    });
  }

  review(include: readonly ChangedPath[] = []): Promise<readonly FolderReview[]> {
    return this.#inTurn(() =>
      each(this.#folders, folder =>
        folder.review(include.filter(named => named.folder === folder.path).map(named => named.path)),
      ),
    );
  }

  sides({ folder, path }: ChangedPath): Promise<FileSides> {
    return this.#inTurn(() => this.#find(folder).sides(path));
  }

  accept(choices: readonly Choice[]): Promise<AcceptOutcome> {
    return this.#inTurn(async () => {
      const parts = this.#byFolder(choices);
      const prepared = await each(parts, async ([folder, own]) => ({
        folder,
        preparation: await folder.prepare(own),
      }));
      const obstructions = prepared.flatMap(({ preparation }) => preparation.obstructions);
      if (obstructions.length > 0) return { kind: 'obstructed', obstructions, accepted: [] };
      return await this.#apply(prepared);
    });
  }

  mergeInto({ folder, path }: ChangedPath, editorText: string): Promise<string | null> {
    return this.#inTurn(() => this.#find(folder).mergeInto(path, editorText));
  }

  workedFrom({ folder, path }: ChangedPath, text: string): Promise<void> {
    return this.#inTurn(async () => this.#find(folder).workedFrom(path, text));
  }

  taken(files: readonly ChangedPath[]): Promise<void> {
    return this.#inTurn(async () => {
      for (const [folder, own] of this.#byFolder(files)) await folder.taken(own.map(({ path }) => path));
    });
  }

  discard(choices: readonly Choice[]): Promise<DiscardOutcome> {
    return this.#inTurn(async () => {
      const parts = this.#byFolder(choices);
      const obstructions = (await each(parts, ([folder, own]) => folder.problemsOf(own))).flat();
      if (obstructions.length > 0) return { kind: 'obstructed', obstructions };
      await this.#checkpoint(`Before discarding at ${new Date().toISOString()}`);
      const discarded: ChangedPath[] = [];
      for (const [folder, own] of parts)
        for (const path of await folder.discard(own)) discarded.push({ folder: folder.path, path });
      await this.#refresh();
      return { kind: 'discarded', discarded };
    });
  }

  checkpoint(name: string): Promise<void> {
    return this.#inTurn(() => this.#checkpoint(name));
  }

  checkpoints(): Promise<readonly CopyCheckpoint[]> {
    return this.#inTurn(async () => {
      const all = this.#folders.flatMap(folder => folder.checkpoints());
      const newest = new Map(all.toSorted((a, b) => a.at - b.at).map(({ name, at }) => [name, { name, at }]));
      return [...newest.values()].toSorted((a, b) => a.at - b.at);
    });
  }

  changedBetween(from: string, to?: string): Promise<readonly ChangedPath[]> {
    return this.#inTurn(async () => {
      const end = to ?? `Now ${randomId()}`;
      if (to === undefined) await this.#checkpoint(end);
      return this.#folders.flatMap(folder => {
        const [first, last] = [from, end].map(
          name => folder.checkpoints().findLast(at => at.name === name)?.id,
        );
        if (first === undefined || last === undefined) return [];
        return folder.changedBetween(first, last).map(path => ({ folder: folder.path, path }));
      });
    });
  }

  goBack(name: string): Promise<string> {
    return this.#inTurn(async () => {
      let before: string | undefined;
      for (const folder of this.#folders) {
        const id = folder.checkpoints().findLast(at => at.name === name)?.id;
        if (id !== undefined) before = await folder.goBack(id);
      }
      if (before === undefined) throw unknownCheckpoint(name);
      await this.#refresh();
      return before;
    });
  }

  mark(): Promise<string> {
    return this.#inTurn(() => this.#marks.set());
  }

  changedSince(mark: string): Promise<Written> {
    return this.#inTurn(() => this.#marks.writtenSince(mark));
  }

  fork(name: string, directory: string): Promise<void> {
    return this.#inTurn(async () => {
      for (const folder of this.#folders) {
        const id = folder.checkpoints().findLast(at => at.name === name)?.id;
        if (id === undefined) throw unknownCheckpoint(name);
        await folder.fork(id, directory);
      }
    });
  }

  trash(): Promise<readonly TrashItem[]> {
    return this.#inTurn(() => this.#trash.list(this.#folders.map(({ path }) => path)));
  }

  restore(ids: readonly number[]): Promise<AcceptOutcome> {
    return this.#inTurn(async () => {
      const outcome = await this.#trash.restore(ids);
      await this.#refresh();
      return outcome;
    });
  }

  undo(batches: readonly string[]): Promise<AcceptOutcome> {
    return this.#inTurn(async () => {
      const outcome = await this.#trash.undo(batches);
      const own = outcome.accepted.filter(({ folder }) => this.#folders.some(({ path }) => path === folder));
      for (const [folder, paths] of this.#byFolder(own)) folder.untaken(paths.map(({ path }) => path));
      await this.#refresh();
      return outcome;
    });
  }

  /** Shows the user's files as they are now. To be called when no command runs. */
  refresh(): Promise<void> {
    return this.#inTurn(async () => {
      for (const folder of this.#folders) {
        await folder.settle();
        await folder.note();
      }
      await this.#refresh();
    });
  }

  async #apply(
    prepared: readonly { folder: OverlayedFolder; preparation: Preparation }[],
  ): Promise<AcceptOutcome> {
    const { journals } = this.options;
    return await this.#trash.use(async trash => {
      const done: (ChangedPath & { merged: boolean })[] = [];
      const batches: string[] = [];
      try {
        for (const { folder, preparation } of prepared) {
          const result: Applied = await preparation.apply({ journals, trash });
          if (result.kind === 'obstructed')
            return { ...result, accepted: done.map(({ folder, path }) => ({ folder, path })) };
          if (result.batch !== undefined) batches.push(result.batch);
          for (const path of result.paths)
            done.push({ folder: folder.path, path, merged: result.merged.includes(path) });
        }
      } finally {
        await this.#refresh();
      }
      const plain = (all: typeof done) => all.map(({ folder, path }) => ({ folder, path }));
      return {
        kind: 'accepted',
        accepted: plain(done),
        merged: plain(done.filter(one => one.merged)),
        batches,
      };
    });
  }

  #whole({ kind, folder, directory, asOurselves }: WholeFolder): OverlayedFolder {
    const { journals } = this.options;
    if (kind === 'clone') return new ClonedFolder(folder, directory, journals, asOurselves);
    return new DirectFolder(folder, directory, work => this.#trash.use(trash => work({ journals, trash })));
  }

  async #checkpoint(name: string): Promise<void> {
    for (const folder of this.#folders) await folder.checkpoint(name);
  }

  async #refresh(): Promise<void> {
    await this.options.refresh?.(this.#folders.map(({ path }) => path));
  }

  #byFolder<T extends ChangedPath>(all: readonly T[]): [OverlayedFolder, T[]][] {
    const groups = Map.groupBy(all, ({ folder }) => this.#find(folder));
    return [...groups];
  }

  #find(folder: string): OverlayedFolder {
    const found = this.#folders.find(({ path }) => path === folder);
    if (!found)
      throw new CordonError('changes.unknownFolder', `${folder} is no folder of this conversation.`);
    return found;
  }

  /** One after the other: what one call sees, no other one changes meanwhile. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

async function each<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const one of all) results.push(await work(one));
  return results;
}

function unknownCheckpoint(name: string): CordonError {
  return new CordonError(
    'checkpoint.unknown',
    `There is no checkpoint "${name}" in this conversation.`,
    'Checkpoints are made when a turn begins; choose one of those that are listed.',
  );
}
