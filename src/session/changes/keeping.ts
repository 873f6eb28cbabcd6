import { chmodSync, closeSync, constants, copyFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isSecretFile } from '../../../sandbox/secretFiles.ts';
import { AnchoredFolder } from '../../overlay/anchoredFolder.ts';
import type { Change, ChangeGroup, OverlayFolder } from '../../overlay/changeset.ts';
import { openToRead, readContent, readUpper } from '../../overlay/content.ts';
import type { Entry } from '../../overlay/entry.ts';
import { isCode } from '../../overlay/errorCodes.ts';
import { hunksOf, withHunks } from '../../overlay/hunks.ts';
import { IgnoredOutputs } from '../../overlay/ignoredOutputs.ts';
import type { OverlayRecord } from '../../overlay/overlayRecord.ts';
import { lookAt, Mirror } from '../../overlay/tree/mirror.ts';
import { stampOf, type TreeIndex } from '../../overlay/tree/treeIndex.ts';
import { untilSettled } from '../../overlay/tree/treeLayer.ts';
import { foldersAround, walkTree } from '../../overlay/tree/walkTree.ts';
import { CordonError, messageOf } from '../../base/errors.ts';
import { encodePath } from '../../base/fileName.ts';
import { randomId } from '../../base/ids.ts';

/** Why a path is not kept. With the stamp of a large file, so that a change to it is at least told. */
type Reason = 'ignored' | 'unreadable' | `large ${string}`;

/**
 * Keeps what a user's folder (`upper`) holds, as a folder of the broker's (`lower`), before an agent works in it. Not
 * kept: ignored outputs, secrets, what is in `.git`, and files that are large and cannot be cloned.
 */
export class Keeping {
  readonly #leftOut = new Map<string, Reason>();

  constructor(
    private readonly layers: OverlayFolder,
    private readonly directory: string,
    private readonly index: TreeIndex,
    private readonly record: OverlayRecord,
  ) {
    const rows = record.database.prepare('SELECT path, why FROM left_out').all() as {
      path: string;
      why: string;
    }[];
    for (const { path, why } of rows) this.#leftOut.set(JSON.parse(path) as string, why as Reason);
  }

  /** Keeps all of it. What was kept before must be gone. Throws `direct.notKept`. */
  async everything(): Promise<void> {
    const { upper, lower } = this.layers;
    this.#leftOut.clear();
    const found: [string, Entry][] = [];
    // The user's own rules, as they are before the agent can change them.
    const ignored = new IgnoredOutputs({ lower: upper, upper: lower });
    using from = new AnchoredFolder(upper);
    await walkTree(from, (inner, entry) => {
      if (isNeverKept(inner, entry)) return false;
      if (ignored.find(inner, entry.kind === 'directory', true)) {
        this.#leftOut.set(inner, 'ignored');
        return false;
      }
      found.push([inner, entry]);
      return true;
    });
    this.#keepExclusions();
    await this.update(found);
  }

  /** Whether the path, which is not kept, does not count. */
  leavesOut(inner: string, entry: Entry): boolean {
    return isNeverKept(inner, entry) || this.#leftOut.has(inner);
  }

  /** Keeps these as they are now: what came or changed, and what is gone. */
  async update(layer: Iterable<readonly [string, Entry | 'whiteout']>): Promise<void> {
    const [gone, came]: [string[], [string, Entry][]] = [[], []];
    for (const [inner, held] of layer) {
      if (held === 'whiteout') gone.push(inner);
      else if (held.kind !== 'special') came.push([inner, held]);
    }
    if (gone.length + came.length === 0) return;
    // What was written within the clock's last tick could be written again without a trace.
    if (came.some(([, entry]) => !isSettled(entry))) await untilSettled();
    using from = new AnchoredFolder(this.layers.upper);
    using to = new AnchoredFolder(this.layers.lower);
    const places = [from, to, path.join(this.directory, 'spare')] as const;
    const [copier, cloner] = [new Mirror(...places, 'copy'), new Mirror(...places, 'clone')];
    for (const inner of gone.sort().toReversed()) if (copier.remove(inner)) this.index.delete(inner);
    const folders = new Map<string, number>();
    for (const [inner, entry] of came.sort(([one], [other]) => (inOrder(one) < inOrder(other) ? -1 : 1))) {
      for (const outer of foldersAround(inner)) {
        // Somebody put this into a folder of the agent's, which has to stay then.
        const around = copier.at(outer)?.kind === 'directory' ? undefined : lookAt(from, outer);
        if (around?.kind !== 'directory') continue;
        this.#keep(outer, around, copier);
        folders.set(outer, around.mode);
      }
      this.#keep(inner, entry, entry.kind === 'file' && entry.size > largest ? cloner : copier);
      if (entry.kind === 'directory') folders.set(inner, entry.mode);
    }
    copier.close(folders);
    this.#save();
  }

  /** What is kept becomes what lies there now. */
  async renew(paths: readonly string[]): Promise<void> {
    using from = new AnchoredFolder(this.layers.upper);
    await this.update(paths.map(inner => [inner, lookAt(from, inner) ?? 'whiteout'] as const));
  }

  /** Of a file only these hunks are accepted: what was kept has them too, and the others are still changes. */
  async takeHunks({ path: inner, before, after }: Change, chosen: ReadonlySet<number>): Promise<void> {
    if (before?.kind !== 'file' || after?.kind !== 'file')
      throw new TypeError(`Only changes of a file have hunks: ${inner}`);
    const old = await readContent(`${this.layers.lower}/${inner}`);
    const hunks = hunksOf(old, await readUpper(this.layers, inner));
    if (!hunks) throw new TypeError(`No hunks were found in time: ${inner}`);
    const fresh = path.join(this.directory, randomId());
    writeFileSync(fresh, withHunks(old, hunks, chosen), { flag: 'wx', mode: 0o600 });
    chmodSync(fresh, before.mode);
    renameSync(fresh, encodePath(`${this.layers.lower}/${inner}`));
  }

  /** Files that were changed and whose earlier content was too large to keep. */
  unrecorded(): ChangeGroup[] {
    using from = new AnchoredFolder(this.layers.upper);
    return [...this.#leftOut].flatMap(([inner, why]): ChangeGroup[] => {
      if (!why.startsWith('large ') || why === `large ${stampOf(lookAt(from, inner))}`) return [];
      return [{ kind: 'unrecorded', name: inner, paths: [inner], files: 1 }];
    });
  }

  #keep(inner: string, found: Entry, mirror: Mirror): void {
    let entry = found;
    try {
      if (!isSettled(entry)) entry = mirror.from(inner) ?? entry;
      if (!mirror.put(inner, entry)) return;
      this.index.set(inner, { worked: stampNow(entry), origin: stampOf(mirror.at(inner)) });
      this.#leftOut.delete(inner);
    } catch (error) {
      // Gone meanwhile: the next look will tell.
      if (isCode(error, 'ENOENT', 'ELOOP', 'overlay.moved')) return;
      if (isCode(error, 'EACCES')) this.#leftOut.set(inner, 'unreadable');
      else if (isCode(error, 'ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EINVAL', 'ENOTTY', 'ENOSYS'))
        this.#leftOut.set(inner, `large ${stampOf(entry)}`);
      else throw notKept(this.layers.upper, inner, error);
    }
  }

  /** The one file in `.git` that says what is ignored. */
  #keepExclusions(): void {
    const folder = `${this.layers.lower}/.git/info`;
    try {
      using from = new AnchoredFolder(this.layers.upper);
      const source = from.at('.git/info/exclude', openToRead);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      copyFileSync(`/proc/self/fd/${source}`, `${folder}/exclude`, constants.COPYFILE_FICLONE);
      closeSync(source);
    } catch (error) {
      if (!isCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'overlay.moved')) throw error;
    }
  }

  #save(): void {
    this.index.save();
    const { database } = this.record;
    const insert = database.prepare('INSERT INTO left_out (path, why) VALUES (?, ?)');
    database
      .transaction(() => {
        database.exec('DELETE FROM left_out');
        for (const [inner, why] of this.#leftOut) insert.run(JSON.stringify(inner), why);
      })
      .immediate();
  }
}

/** Whether whatever is written to it from now on carries another time. */
function isSettled(entry: Entry): boolean {
  return entry.kind !== 'file' || BigInt(Date.now()) * 1_000_000n - entry.stamp.changedAt > 20_000_000n;
}

/** Of a file that is written all the time no state is known for sure: it is compared the next time. */
function stampNow(entry: Entry): string {
  return isSettled(entry) ? stampOf(entry) : `${stampOf(entry)} fresh`;
}

function isNeverKept(inner: string, entry: Entry): boolean {
  const name = path.posix.basename(inner);
  return name === '.git' || entry.kind === 'special' || (entry.kind !== 'directory' && isSecretFile(name));
}

function inOrder(inner: string): string {
  return inner.replaceAll('/', '\0');
}

/** Bytes of a file that is copied where it cannot be cloned. */
const largest = 64 * 1024 * 1024;

/** `inner`: the path that was being kept, if it was one. */
export function notKept(folder: string, inner: string, cause: unknown): CordonError {
  const where = inner === '' ? '' : `${inner}: `;
  return new CordonError(
    'direct.notKept',
    `What ${folder} holds could not be kept before a change (${where}${messageOf(cause)}). Nothing was changed.`,
    isCode(cause, 'ENOSPC', 'EDQUOT') ? 'Free some space and try again.' : 'Mend the cause and try again.',
    { cause },
  );
}
