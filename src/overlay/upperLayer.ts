import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { encodePath, readNames } from '../base/fileName.ts';
import { randomId } from '../base/ids.ts';
import { insideAt, othersThan, setModeAt, type Owner } from './anchoredFolder.ts';
import type { OverlayFolder } from './changeset.ts';
import { readEntry, readUpperEntry, type Entry } from './entry.ts';
import { isCode } from './errorCodes.ts';
import { HiddenNames } from './hiddenNames.ts';
import { inUpper } from './inUpper.ts';

/**
 * Everything an overlay holds, by path: entries, and `whiteout` for what it deletes. What a replaced folder hides is a
 * whiteout for each name: the same view, without the mark that only the kernel can read. Pipes and the like are left out,
 * and what lies in folders for which `enters` is false, or whose permissions the agent took away.
 */
export async function readUpperLayer(
  folder: OverlayFolder,
  merged?: string,
  enters: (path: string, entry: Entry) => boolean = () => true,
): Promise<Map<string, Entry | 'whiteout'>> {
  await using hidden = new HiddenNames(folder, merged);
  const found = new Map<string, Entry | 'whiteout'>();
  let looked = 0;
  const read = async (inner: string, inLower: boolean, mayShine: boolean): Promise<void> => {
    const at = (root: string, name: string) => [root, inner, name].filter(part => part !== '').join('/');
    const names = still(() => inUpper(folder, inner, place => insideAt(place, readNames))) ?? [];
    let shines = mayShine;
    if (inLower) {
      const missing = await hidden.find(inner, new Set(names), mayShine);
      shines = missing === undefined;
      for (const name of missing ?? []) found.set(at('', name), 'whiteout');
    }
    for (const name of names) {
      if (++looked % 512 === 0) await new Promise(resolve => setImmediate(resolve));
      const entry = still(() => inUpper(folder, at('', name), readUpperEntry));
      if (!entry || (entry !== 'whiteout' && entry.kind === 'special')) continue;
      const below = at('', name);
      const lower = inLower ? readEntry(at(folder.lower, name)) : undefined;
      // A whiteout over nothing hides nothing.
      if (entry !== 'whiteout' || lower) found.set(below, entry);
      if (entry !== 'whiteout' && entry.kind === 'directory' && !isClosed(entry) && enters(below, entry))
        await read(below, lower?.kind === 'directory', shines);
    }
  };
  await read('', true, true);
  return found;
}

/** The agent may have taken the right to look into a folder away, from itself and from us. */
function isClosed({ mode }: Entry & { kind: 'directory' }): boolean {
  return (mode & 0o500) !== 0o500 && process.getuid?.() !== 0;
}

/** Undefined for what is not there any more: the agent may go on meanwhile. */
function still<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR', 'overlay.moved')) return undefined;
    throw error;
  }
}

/**
 * Changes an upper layer. What is mounted over it must be made to look anew afterwards. Paths are relative to the folder.
 * All of it lies in the broker's own state; no file of the user's is touched: commands may be at work in the layer, so
 * no link is followed that one of them puts in the place of a folder.
 */
export class UpperLayer {
  readonly #spare: string;

  constructor(private readonly folder: OverlayFolder) {
    this.#spare = path.join(path.dirname(folder.upper), 'spare');
  }

  /** Takes away whatever the layer holds at the path, and below it. */
  remove(inner: string): void {
    if (still(() => this.#at(inner, readUpperEntry)) !== undefined) this.#at(inner, removeAt);
  }

  /** Hides what the user's folder has at the path. Nothing of the layer's may lie there. */
  hide(inner: string): void {
    mkdirSync(this.#spare, { recursive: true, mode: 0o700 });
    const whiteout = path.join(this.#spare, 'whiteout');
    // The kernel lets anybody make this one device, and links to it are as good as new ones.
    const make = () =>
      execFileSync('mknod', [whiteout, 'c', '0', '0'], {
        env: { PATH: '/usr/bin:/bin' },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
    if (readUpperEntry(whiteout) !== 'whiteout') make();
    const lay = () => this.#at(inner, place => linkSync(whiteout, encodePath(place)));
    try {
      lay();
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EMLINK')) throw error;
      rmSync(whiteout);
      make();
      lay();
    }
  }

  /** Writes a file whole, or not at all. */
  write(inner: string, content: Buffer, mode: number): void {
    mkdirSync(this.#spare, { recursive: true, mode: 0o700 });
    const fresh = path.join(this.#spare, randomId());
    writeFileSync(fresh, content, { flag: 'wx', mode: 0o600 });
    this.give(fresh, inner, true);
    chmodSync(fresh, mode);
    this.move(fresh, inner);
  }

  /** Puts what was made beside the layer at the path. */
  move(made: string, inner: string): void {
    this.#at(inner, place => renameSync(made, encodePath(place)));
  }

  makeFolder(inner: string, mode: number): void {
    this.#at(inner, place => {
      mkdirSync(encodePath(place), { mode: 0o700 });
      this.give(encodePath(place), inner);
      setModeAt(place, mode);
    });
  }

  makeLink(inner: string, target: string): void {
    this.#at(inner, place => {
      symlinkSync(encodePath(target), encodePath(place));
      this.give(encodePath(place), inner);
    });
  }

  /**
   * Where root is at work for somebody else: gives what was made for this path to whom it belongs. That is who has
   * what it replaces, or the same path in the user's folder, else the folder itself.
   */
  give(made: string | Buffer, inner: string, replaces = false): void {
    const { upper, lower } = this.folder;
    const whole = ownerOf(lower);
    if (!whole || !othersThan(whole)) return;
    const found =
      (replaces ? ownerOf(`${upper}/${inner}`) : undefined) ?? ownerOf(`${lower}/${inner}`) ?? whole;
    const owner = othersThan(found);
    if (owner) lchownSync(made, owner.uid, owner.gid);
  }

  setMode(inner: string, mode: number): void {
    this.#at(inner, place => setModeAt(place, mode));
  }

  /** Makes a folder anew around what it holds, so that it carries no mark: what it does not hold shines through. */
  makePlain(inner: string): void {
    const old = readEntry(`${this.folder.upper}/${inner}`);
    if (old?.kind !== 'directory') return;
    mkdirSync(this.#spare, { recursive: true, mode: 0o700 });
    const fresh = path.join(this.#spare, randomId());
    mkdirSync(fresh, { mode: 0o700 });
    this.give(fresh, inner, true);
    this.#at(inner, place => {
      setModeAt(place, 0o700);
      insideAt(place, inside => {
        for (const name of readNames(inside)) moveChild(`${inside}/${name}`, `${fresh}/${name}`);
      });
      rmdirSync(encodePath(place));
      renameSync(fresh, encodePath(place));
      setModeAt(place, old.mode);
    });
  }

  #at<T>(inner: string, use: (place: string) => T): T {
    return inUpper(this.folder, inner, use);
  }
}

function removeAt(place: string): void {
  const entry = readUpperEntry(place);
  if (!entry) return;
  if (entry === 'whiteout' || entry.kind !== 'directory') return unlinkSync(encodePath(place));
  if ((entry.mode & 0o700) !== 0o700) setModeAt(place, 0o700);
  insideAt(place, inside => {
    for (const name of readNames(inside)) removeAt(`${inside}/${name}`);
  });
  rmdirSync(encodePath(place));
}

/** A folder that changes its parent must be writable itself. */
function moveChild(from: string, to: string): void {
  const child = readUpperEntry(from);
  const closed = child && child !== 'whiteout' && child.kind === 'directory' && (child.mode & 0o200) === 0;
  if (closed) setModeAt(from, child.mode | 0o200);
  renameSync(encodePath(from), encodePath(to));
  if (closed) setModeAt(to, child.mode);
}

function ownerOf(path: string): Owner | undefined {
  try {
    return lstatSync(encodePath(path), { throwIfNoEntry: false });
  } catch (error) {
    if (isCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}
