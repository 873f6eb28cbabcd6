import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { AnchoredFolder, othersThan } from '../../overlay/anchoredFolder.ts';
import type { Discarded, Trash } from '../../overlay/discarded.ts';
import type { Entry } from '../../overlay/entry.ts';
import { isCode } from '../../overlay/errorCodes.ts';
import { removeTree } from '../../base/removeTree.ts';
import { lookAt, Mirror } from '../../overlay/tree/mirror.ts';
import { stampOf } from '../../overlay/tree/treeIndex.ts';
import { untilSettled } from '../../overlay/tree/treeLayer.ts';
import { foldersAround, walkTree } from '../../overlay/tree/walkTree.ts';
import { CordonError, messageOf } from '../../base/errors.ts';
import type { Choice } from './changesEngine.ts';
import type { Preparation } from './overlayedFolder.ts';
import { TreeFolder } from './treeFolder.ts';

/** Where the clone of a folder lies in the place that is kept for it. */
export function cloneIn(directory: string): string {
  return path.join(directory, 'clone');
}

/**
 * A workspace folder of which the agent works in a clone: files share their blocks with the user's own until one side
 * writes. The user's folder is touched by accepting alone.
 */
export class ClonedFolder extends TreeFolder {
  constructor(
    folder: string,
    directory: string,
    private readonly journals: string,
    /** What root clones of somebody else's stays root's, as do the commands. */
    private readonly asOurselves = false,
  ) {
    mkdirSync(cloneIn(directory), { recursive: true, mode: 0o700 });
    super({ lower: folder, upper: cloneIn(directory) }, directory, work =>
      work({ journals, trash: nowhere }),
    );
  }

  /** Clones the folder, unless it was done before. Throws `clone.failed`. */
  override async open(): Promise<void> {
    if (this.fact('made') !== undefined) return;
    // What an interrupted attempt left.
    removeTree(this.layers.upper);
    mkdirSync(this.layers.upper, { recursive: true, mode: 0o700 });
    const owner = this.asOurselves ? undefined : othersThan(statSync(this.layers.lower));
    if (owner) chownSync(this.layers.upper, owner.uid, owner.gid);
    this.index.clear();
    await this.#bringOver(new Set());
    chmodSync(this.layers.upper, statSync(this.layers.lower).mode & 0o7777);
    this.setFact('made', 'whole');
  }

  /** Takes over what the user did to files that the agent has not touched. No command may run. */
  override async settle(): Promise<void> {
    await super.settle();
    // What the agent touched, and from which state of the user's files, is noted before these are looked at anew.
    await this.note();
    await this.#bringOver(new Set((await this.readLayer()).keys()));
  }

  override async prepare(choices: readonly Choice[]): Promise<Preparation> {
    const { obstructions, apply } = await super.prepare(choices);
    return {
      obstructions,
      apply: async options => {
        const applied = await apply(options);
        if (applied.kind === 'applied') await this.noteSame(applied.paths);
        return applied;
      },
    };
  }

  override untaken(paths: readonly string[]): void {
    super.untaken(paths);
    using real = new AnchoredFolder(this.layers.lower);
    // What the clone holds is a change again, also where it is what was taken over.
    for (const inner of paths)
      this.index.set(inner, { worked: 'differs', origin: stampOf(lookAt(real, inner)) });
    this.index.save();
  }

  override async fork(id: number, directory: string): Promise<void> {
    const to = path.join(directory, 'clone', path.basename(this.directory));
    mkdirSync(to, { recursive: true, mode: 0o700 });
    this.record.database.pragma('wal_checkpoint(TRUNCATE)');
    for (const name of ['record.db', 'contents'])
      await promisify(execFile)('cp', [
        '--archive',
        '--reflink=auto',
        '--',
        path.join(this.directory, name),
        to,
      ]);
    using fork = new ClonedFolder(this.layers.lower, to, this.journals, this.asOurselves);
    fork.setFact('made', undefined);
    await fork.open();
    await fork.goBack(id);
  }

  /** Makes the clone like the user's folder, save for what was touched in it. */
  async #bringOver(touched: ReadonlySet<string>): Promise<void> {
    const { lower, upper } = this.layers;
    using from = new AnchoredFolder(lower);
    using to = new AnchoredFolder(upper);
    const mirror = new Mirror(from, to, path.join(this.directory, 'spare'), 'clone', this.asOurselves);
    const isTouched = (inner: string) =>
      touched.has(inner) ||
      foldersAround(inner).some(outer => touched.has(outer) && mirror.at(outer)?.kind !== 'directory');
    const found = new Set<string>();
    const came: [string, Entry][] = [];
    await walkTree(from, (inner, entry) => {
      found.add(inner);
      if (this.index.find(inner)?.origin === stampOf(entry)) return true;
      if (isTouched(inner)) this.noteDiffering(inner, entry);
      else came.push([inner, entry]);
      return true;
    });
    // What the user deleted goes first, from the inside out: something else may have come to lie there.
    for (const inner of [...this.index.paths]
      .filter(each => !found.has(each))
      .sort()
      .toReversed())
      if (!isTouched(inner) && mirror.remove(inner)) this.index.delete(inner);
    const folders = new Map<string, number>();
    for (const [inner, entry] of came) {
      if (!this.#put(mirror, inner, entry)) continue;
      if (entry.kind === 'directory') folders.set(inner, entry.mode);
    }
    mirror.close(folders);
    await untilSettled();
    for (const [inner, entry] of came) {
      const copy = mirror.at(inner);
      // A file that was not copied, for want of the right to read it, is no deletion by the agent.
      if (copy?.kind === entry.kind && entry.kind !== 'special')
        this.index.set(inner, { worked: stampOf(copy), origin: stampOf(entry) });
    }
    this.index.save();
  }

  #put(mirror: Mirror, inner: string, entry: Entry): boolean {
    try {
      return mirror.put(inner, entry);
    } catch (error) {
      // Unreadable, or gone meanwhile.
      if (isCode(error, 'EACCES', 'ENOENT', 'ELOOP')) return false;
      throw new CordonError(
        'clone.failed',
        `${this.path} could not be cloned (${inner}: ${messageOf(error)}).`,
        isCode(error, 'ENOSPC', 'EDQUOT')
          ? 'Free some space and try again.'
          : 'Set cordon.workspace.mode to direct, or try again.',
        { cause: error },
      );
    }
  }
}

/** What goes in the clone is in the checkpoint made before, and was never the user's file. */
const nowhere: Trash = {
  store: () => ({ content: '', size: 0 }),
  note: (_batch: string, _items: readonly Discarded[]) => {},
  keep: () => {},
  forget: () => {},
};
