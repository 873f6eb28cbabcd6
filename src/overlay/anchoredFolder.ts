import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { isRootsAlone } from '../../sandbox/folderOwner.ts';
import { CordonError } from '../base/errors.ts';
import { encodePath } from '../base/fileName.ts';

/**
 * A folder held open, so that paths below it are resolved one name at a time, without following a single link, anew for
 * each use. A process that swaps a folder for a link while this works makes it fail, and cannot send a write anywhere
 * else. Disposing closes the folder.
 */
export class AnchoredFolder implements Disposable {
  readonly #descriptor: number;
  /** Device and inode: whether it is the same folder as at another time. */
  readonly identity: string;
  /** Whom to give what is made in it: set where root is at work in a folder of somebody else's. */
  readonly owner?: Owner;

  /** Throws `overlay.folder` when there is no such folder. A link is followed for the folder itself only. */
  constructor(readonly path: string) {
    try {
      this.#descriptor = openSync(encodePath(path), constants.O_RDONLY | constants.O_DIRECTORY);
    } catch (cause) {
      throw new CordonError(
        'overlay.folder',
        `The folder ${path} cannot be opened.`,
        'Check that it still exists and may be read, then try again.',
        { cause },
      );
    }
    const { dev, ino, uid, gid } = fstatSync(this.#descriptor, { bigint: true });
    this.identity = `${dev}:${ino}`;
    const owner = othersThan({ uid: Number(uid), gid: Number(gid) });
    if (owner) this.owner = owner;
    if (process.geteuid?.() === 0 && !isThere(path, this.#descriptor)) {
      closeSync(this.#descriptor);
      throw ledAstray(path);
    }
  }

  /**
   * Calls `use` with a place to hand to a system call that does not follow a link in its last name (lstat, rename,
   * link, unlink, symlink, mkdir, open with O_NOFOLLOW). The place is good during the call only; `use` is synchronous.
   * Throws `overlay.moved` when a parent is missing or is not a folder.
   */
  at<T>(path: string, use: (place: string) => T): T {
    const { names, name } = namesOf(path);
    return this.#inFolder(names, parent => use(`${parent}/${name}`));
  }

  /** Calls `use` with the open folder at the path itself, `''` for this one: to sync it. */
  open<T>(path: string, use: (descriptor: number) => T): T {
    const { names, name } = path === '' ? { names: [], name: '.' } : namesOf(path);
    return this.#inFolder(names, parent => {
      const descriptor = openSync(encodePath(`${parent}/${name}`), constants.O_RDONLY | asFolder);
      try {
        return use(descriptor);
      } finally {
        closeSync(descriptor);
      }
    });
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  #inFolder<T>(names: readonly string[], use: (place: string) => T): T {
    let descriptor = this.#descriptor;
    try {
      for (const name of names) {
        const outer = descriptor;
        try {
          descriptor = openSync(encodePath(`/proc/self/fd/${outer}/${name}`), pathOnly | asFolder);
        } catch (cause) {
          throw parentMoved(names.join('/'), cause);
        }
        if (outer !== this.#descriptor) closeSync(outer);
      }
      return use(`/proc/self/fd/${descriptor}`);
    } finally {
      if (descriptor !== this.#descriptor) closeSync(descriptor);
    }
  }
}

/**
 * Calls `use` with the inside of the folder at a place: it stays that folder, whatever comes to lie at the place
 * meanwhile. Synchronous. Throws ENOTDIR when a link lies there, or anything else that is no folder.
 */
export function insideAt<T>(place: string, use: (inside: string) => T): T {
  const descriptor = openSync(encodePath(place), constants.O_RDONLY | asFolder);
  try {
    return use(`/proc/self/fd/${descriptor}`);
  } finally {
    closeSync(descriptor);
  }
}

/** Sets the permissions of what lies at a place, unless that is a link. Throws ENOENT when nothing does. */
export function setModeAt(place: string, mode: number): void {
  const descriptor = openSync(encodePath(place), pathOnly | constants.O_NOFOLLOW);
  try {
    if (!fstatSync(descriptor).isSymbolicLink()) chmodSync(`/proc/self/fd/${descriptor}`, mode);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Whether the open folder is the one at the path without a link that anybody but root could have put there: whoever may
 * write around a folder could otherwise send root anywhere.
 */
function isThere(path: string, descriptor: number): boolean {
  // Through a process's own view of the files; the kernel alone puts links there.
  if (path.startsWith('/proc/')) return true;
  const at = readlinkSync(`/proc/self/fd/${descriptor}`, { encoding: 'buffer' });
  if (at.equals(Buffer.from(encodePath(path)))) return true;
  try {
    const real = realpathSync(encodePath(path), { encoding: 'buffer' });
    return at.equals(real) && linksOnTheWay(path).every(link => isRootsAlone(dirname(link)));
  } catch {
    return false;
  }
}

function linksOnTheWay(path: string): string[] {
  const names = path.split('/').filter(name => name !== '');
  const ways = names.map((_, at) => `/${names.slice(0, at + 1).join('/')}`);
  return ways.filter(way => lstatSync(encodePath(way)).isSymbolicLink());
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** To be given what root makes; nobody else can give anything away, and root need not to itself. */
export function othersThan({ uid, gid }: Owner): Owner | undefined {
  return process.geteuid?.() === 0 && uid !== 0 ? { uid, gid } : undefined;
}

/**
 * Gives a link or an empty folder away that root has just made at this place. Whoever may write around it can have put
 * something else there, so nothing else is given, and no link is followed.
 */
export function giveAt(place: string, { uid, gid }: Owner): void {
  const descriptor = openSync(encodePath(place), pathOnly | constants.O_NOFOLLOW);
  try {
    const there = `/proc/self/fd/${descriptor}`;
    const stat = fstatSync(descriptor);
    const isFresh = stat.isDirectory() && readdirSync(there).length === 0;
    if (stat.uid === 0 && (isFresh || stat.isSymbolicLink())) chownSync(there, uid, gid);
  } finally {
    closeSync(descriptor);
  }
}

/** Names a thing without opening it: needs no right to read it. Node has no name for it; Linux has one number. */
const pathOnly = 0o10000000;

// O_DIRECTORY and O_NOFOLLOW together: a link to a folder is refused as well.
const asFolder = constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** The names of the parents, and the last one. Throws for anything that is not a path below the folder. */
function namesOf(path: string): { names: string[]; name: string } {
  const names = path.split('/');
  if (!names.every(isPlain)) throw new TypeError(`Not a path below a folder: ${JSON.stringify(path)}`);
  return { name: names.pop() as string, names };
}

function isPlain(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('\0');
}

function ledAstray(path: string): CordonError {
  return new CordonError(
    'overlay.folder',
    `The folder ${path} is not where it was: it lies behind a link that another user made.`,
    'Check what was put in its place.',
  );
}

function parentMoved(folder: string, cause: unknown): CordonError {
  return new CordonError(
    'overlay.moved',
    `"${folder}" is not a folder any more.`,
    'It was moved, deleted or replaced by a link meanwhile. Look at the changes again.',
    { cause },
  );
}
