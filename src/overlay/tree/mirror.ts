import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import path from 'node:path';
import { encodePath, readNames } from '../../base/fileName.ts';
import { randomId } from '../../base/ids.ts';
import { type AnchoredFolder, giveAt, othersThan, setModeAt } from '../anchoredFolder.ts';
import { parentOf } from '../applySteps.ts';
import { openToRead } from '../content.ts';
import { readEntry, type Entry } from '../entry.ts';
import { isCode } from '../errorCodes.ts';

/** `clone`: blocks are shared, or it fails. `copy`: they are shared where the file system can, else copied. */
export type Copying = 'clone' | 'copy';

/** Makes one folder like another one, path by path. No link is followed on either side, and a file comes whole or not. */
export class Mirror {
  constructor(
    private readonly source: AnchoredFolder,
    private readonly to: AnchoredFolder,
    /** Of the broker's, on the file system of `to`: files are made here. */
    private readonly spare: string,
    private readonly copying: Copying,
    /** Folders and links that root makes stay root's, whosever they are in the source. */
    private readonly keeps = false,
  ) {
    mkdirSync(spare, { recursive: true, mode: 0o700 });
  }

  /**
   * Makes the path what it is in the source; of a folder, itself and its permissions alone. False where something else stands
   * in the way: a folder that holds more, or a parent that is none. Throws what the file system says.
   */
  put(inner: string, entry: Entry): boolean {
    const there = this.at(inner);
    if (there && there.kind !== entry.kind && !this.remove(inner)) return false;
    using _ = this.#opened(inner);
    try {
      switch (entry.kind) {
        case 'directory':
          if (there?.kind !== 'directory') {
            this.to.at(inner, place => mkdirSync(encodePath(place), { mode: 0o700 }));
            this.#give(inner);
          }
          // What lies in it comes next; whoever may not write in it is told at the end, by `close`.
          this.to.at(inner, place => setModeAt(place, entry.mode | 0o700));
          break;
        case 'symlink':
          if (there) this.remove(inner);
          this.to.at(inner, place => symlinkSync(encodePath(entry.target), encodePath(place)));
          this.#give(inner);
          break;
        case 'file':
          this.#putFile(inner, entry.mode);
          break;
        case 'special':
          return false;
      }
    } catch (error) {
      if (isCode(error, 'overlay.moved', 'ENOTDIR')) return false;
      throw error;
    }
    return true;
  }

  /** Gives folders the permissions that they are to have, from the inside out. */
  close(folders: ReadonlyMap<string, number>): void {
    for (const [inner, mode] of [...folders].toReversed())
      if (this.at(inner)?.kind === 'directory') this.to.at(inner, place => setModeAt(place, mode));
  }

  /** Takes a file, a link or an empty folder away. False when the folder is not empty. */
  remove(inner: string): boolean {
    const there = this.at(inner);
    if (!there) return true;
    using _ = this.#opened(inner);
    try {
      this.to.at(inner, place =>
        there.kind === 'directory' ? rmdirSync(encodePath(place)) : unlinkSync(encodePath(place)),
      );
      return true;
    } catch (error) {
      if (isCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'overlay.moved')) return isCode(error, 'ENOENT');
      throw error;
    }
  }

  /** What lies in `to` at the path. */
  at(inner: string): Entry | undefined {
    return lookAt(this.to, inner);
  }

  /** The folder around the path can be written as long as this is held, whatever its permissions are. */
  #opened(inner: string): Disposable {
    const outer = parentOf(inner);
    const folder = outer === '' ? undefined : this.at(outer);
    const isClosed = folder?.kind === 'directory' && (folder.mode & 0o300) !== 0o300;
    const setMode = (mode: number) => this.to.at(outer, place => setModeAt(place, mode));
    if (isClosed) setMode(folder.mode | 0o300);
    return { [Symbol.dispose]: () => void (isClosed && setMode(folder.mode)) };
  }

  /** What lies in the source at the path. */
  from(inner: string): Entry | undefined {
    return lookAt(this.source, inner);
  }

  /** To whom has it in the source, where root is at work for somebody else. */
  #give(inner: string): void {
    if (this.keeps || !this.source.owner) return;
    const owner = othersThan(this.source.at(inner, place => lstatSync(encodePath(place))));
    if (owner) this.to.at(inner, place => giveAt(place, owner));
  }

  #putFile(inner: string, mode: number): void {
    const fresh = path.join(this.spare, randomId());
    const source = this.source.at(inner, openToRead);
    try {
      copyFileSync(`/proc/self/fd/${source}`, fresh, flags[this.copying]);
      const { uid, gid, atimeMs, mtimeMs } = fstatSync(source);
      keepOwner(fresh, uid, gid);
      chmodSync(fresh, mode);
      // Build tools go by it.
      lutimesSync(fresh, atimeMs / 1_000, mtimeMs / 1_000);
      this.to.at(inner, place => renameSync(fresh, encodePath(place)));
    } catch (error) {
      removeIfThere(fresh);
      throw error;
    } finally {
      closeSync(source);
    }
  }
}

/** What lies at the path below an open folder; undefined when nothing does. */
export function lookAt(folder: AnchoredFolder, inner: string): Entry | undefined {
  try {
    return folder.at(inner, place => readEntry(place));
  } catch (error) {
    if (isCode(error, 'overlay.moved', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Whether files can be cloned from the one folder into the other: the same file system, and one that can. */
export function canClone(from: string, to: string): boolean {
  const [source, target] = [path.join(to, `probe-${randomId()}`), path.join(to, `probe-${randomId()}`)];
  const sample = sampleIn(from);
  try {
    if (sample === undefined) {
      // Nothing to try with in there: it must be the same file system.
      if (statSync(from).dev !== statSync(to).dev) return false;
      closeSync(openSync(source, 'wx', 0o600));
      copyFileSync(source, target, flags.clone);
    } else copyFileSync(encodePath(sample), target, flags.clone);
    return true;
  } catch {
    return false;
  } finally {
    for (const each of [source, target]) removeIfThere(each);
  }
}

/** A file at the top of the folder that can be read. */
function sampleIn(folder: string): string | undefined {
  for (const name of readNames(folder)) {
    const file = `${folder}/${name}`;
    if (readEntry(file)?.kind !== 'file') continue;
    try {
      closeSync(openToRead(file));
      return file;
    } catch {
      // Another one, then.
    }
  }
  return undefined;
}

const flags = {
  clone: constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE,
  copy: constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE,
} as const;

const own = { uid: process.getuid?.(), gid: process.getgid?.() };

function keepOwner(file: string, uid: number, gid: number): void {
  if (uid === own.uid && gid === own.gid) return;
  try {
    lchownSync(file, uid, gid);
  } catch (error) {
    // Only root gives files away; for anybody else the copy is his own.
    if (!isCode(error, 'EPERM')) throw error;
  }
}

function removeIfThere(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}
