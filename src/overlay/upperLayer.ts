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
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { encodePath, readNames } from '../base/fileName.ts';
import { randomId } from '../base/ids.ts';
import { othersThan, type Owner } from './anchoredFolder.ts';
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
    const names = still(() => inUpper(folder, inner, readNames)) ?? [];
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
 * Changes an upper layer while nothing has it mounted: what the kernel knows of a mounted one would be wrong
 * afterwards. Paths are relative to the folder. All of it lies in the broker's own state; no file of the user's is
 * touched.
 */
export class UpperLayer {
  readonly #spare: string;

  constructor(private readonly folder: OverlayFolder) {
    this.#spare = path.join(path.dirname(folder.upper), 'spare');
  }

  /** Takes away whatever the layer holds at the path, and below it. */
  remove(inner: string): void {
    const entry = readUpperEntry(`${this.folder.upper}/${inner}`);
    if (!entry) return;
    if (entry === 'whiteout' || entry.kind !== 'directory') return unlinkSync(this.#at(inner));
    if ((entry.mode & 0o700) !== 0o700) this.setMode(inner, 0o700);
    for (const name of readNames(`${this.folder.upper}/${inner}`)) this.remove(`${inner}/${name}`);
    rmdirSync(this.#at(inner));
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
    try {
      linkSync(whiteout, this.#at(inner));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EMLINK')) throw error;
      rmSync(whiteout);
      make();
      linkSync(whiteout, this.#at(inner));
    }
  }

  /** Writes a file whole, or not at all. */
  write(inner: string, content: Buffer, mode: number): void {
    mkdirSync(this.#spare, { recursive: true, mode: 0o700 });
    const fresh = path.join(this.#spare, randomId());
    writeFileSync(fresh, content, { flag: 'wx', mode: 0o600 });
    this.give(fresh, inner, true);
    chmodSync(fresh, mode);
    renameSync(fresh, this.#at(inner));
  }

  makeFolder(inner: string, mode: number): void {
    mkdirSync(this.#at(inner), { mode: 0o700 });
    this.give(this.#at(inner), inner);
    chmodSync(this.#at(inner), mode);
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
    chmodSync(this.#at(inner), mode);
  }

  /** Makes a folder anew around what it holds, so that it carries no mark: what it does not hold shines through. */
  makePlain(inner: string): void {
    const old = readEntry(`${this.folder.upper}/${inner}`);
    if (old?.kind !== 'directory') return;
    mkdirSync(this.#spare, { recursive: true, mode: 0o700 });
    const fresh = path.join(this.#spare, randomId());
    mkdirSync(fresh, { mode: 0o700 });
    this.give(fresh, inner, true);
    chmodSync(this.#at(inner), 0o700);
    for (const name of readNames(`${this.folder.upper}/${inner}`)) {
      const child = readUpperEntry(`${this.folder.upper}/${inner}/${name}`);
      const moved = encodePath(`${fresh}/${name}`);
      // A folder that changes its parent must be writable itself.
      const closed =
        child && child !== 'whiteout' && child.kind === 'directory' && (child.mode & 0o200) === 0;
      if (closed) this.setMode(`${inner}/${name}`, child.mode | 0o200);
      renameSync(this.#at(`${inner}/${name}`), moved);
      if (closed) chmodSync(moved, child.mode);
    }
    rmdirSync(this.#at(inner));
    renameSync(fresh, this.#at(inner));
    chmodSync(this.#at(inner), old.mode);
  }

  #at(inner: string): string | Buffer {
    return encodePath(`${this.folder.upper}/${inner}`);
  }
}

function ownerOf(path: string): Owner | undefined {
  try {
    return lstatSync(encodePath(path), { throwIfNoEntry: false });
  } catch (error) {
    if (isCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}
