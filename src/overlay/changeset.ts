import { accessSync, constants } from 'node:fs';
import { encodePath, readNames } from '../base/fileName.ts';
import { isBinary, sameContent } from './content.ts';
import { readEntry, readUpperEntry, type Entry } from './entry.ts';
import { isCode } from './errorCodes.ts';
import { inUpper } from './inUpper.ts';
import { HiddenNames } from './hiddenNames.ts';
import { IgnoredOutputs } from './ignoredOutputs.ts';
import { pairRenames } from './renames.ts';

/** One workspace folder with the overlay over it. Absolute host paths, no link in them. */
export interface OverlayFolder {
  /** The user's real folder. */
  readonly lower: string;
  /** What the overlay holds beyond it. */
  readonly upper: string;
}

/** One path that is not as the user's folder has it. */
export interface Change {
  /** Relative to the folder, with `/`; a name that is not UTF-8 is spelled as `decodePath` does. */
  readonly path: string;
  /**
   * `mode`: only the permissions differ. `replaced`: another kind of thing lies there now. Of a folder that came or
   * went, everything in it is a change of its own.
   */
  readonly kind: 'added' | 'modified' | 'deleted' | 'mode' | 'replaced';
  /** In the user's folder, now. Null: nothing. */
  readonly before: Entry | null;
  /** In the overlay. Null: deleted. */
  readonly after: Entry | null;
  /** A side of it is a file that does not look like text. */
  readonly binary: boolean;
  /** The other half of a rename: for `added`, where the content was; for `deleted`, where it went. */
  readonly renamed?: string;
}

/** Changes that are counted and not listed. They stay in the overlay unless a listing includes their paths. */
export interface ChangeGroup {
  /**
   * `repository`: inside `.git`, where commits are imported by git alone. `special`: pipes, sockets and devices.
   * `unreadable`: their permissions keep the user from reading them. `unrecorded`: files of the user's own that were too
   * large to keep what they held.
   */
  readonly kind: 'ignored' | 'repository' | 'special' | 'unreadable' | 'unrecorded';
  /** What to call it: the ignoring pattern, or the path. */
  readonly name: string;
  /** The topmost paths. */
  readonly paths: readonly string[];
  /** Files in and below them that the overlay holds or hides. */
  readonly files: number;
}

export interface Changeset {
  /** In the order of their paths; parents come before children. */
  readonly changes: readonly Change[];
  readonly groups: readonly ChangeGroup[];
}

export interface ReadOptions {
  /** Ignored paths to list like all others, with everything below them. */
  readonly include?: readonly string[];
  /** Where the merged folder can be read already; else it is mounted once more when that is needed. */
  readonly merged?: string;
  /** What the agent's side holds of its own, where that side is a whole folder and no layer. */
  readonly layer?: Layer;
  readonly signal?: AbortSignal;
}

/** By path: what lies there; `whiteout` for what is gone. */
export type Layer = ReadonlyMap<string, Entry | 'whiteout'>;

/**
 * Reads what an overlay changed. The cost follows the change: only folders that the upper layer holds are looked at.
 * Content that is the same on both sides is no change, whatever the times say. Throws `overlay.view`.
 */
export async function readChangeset(folder: OverlayFolder, options: ReadOptions = {}): Promise<Changeset> {
  await using reader = new ChangesetReader(folder, options);
  if (options.layer) await reader.readLayer(options.layer);
  else await reader.readFolder('', { inLower: true, merged: true });
  const changes = await pairRenames(reader.changes, folder);
  return { changes: changes.sort(byPath), groups: [...reader.groups.values()] };
}

/** What is known of a folder that the upper layer holds. */
interface Place {
  /** The user's folder has a real directory here. */
  readonly inLower: boolean;
  /** No folder above was replaced as a whole, so that what the upper layer does not hold may shine through. */
  readonly merged: boolean;
}

class ChangesetReader implements AsyncDisposable {
  readonly changes: Change[] = [];
  readonly groups = new Map<string, ChangeGroup & { paths: string[]; files: number }>();
  readonly #ignored: IgnoredOutputs;
  readonly #hidden: HiddenNames;
  #looked = 0;

  constructor(
    private readonly folder: OverlayFolder,
    private readonly options: ReadOptions,
  ) {
    this.#ignored = new IgnoredOutputs(folder);
    this.#hidden = new HiddenNames(folder, options.merged);
  }

  async readFolder(path: string, place: Place): Promise<void> {
    const names = this.#upper(path, readNames) ?? [];
    if (place.inLower) {
      const missing = await this.#hidden.find(path, new Set(names), place.merged);
      for (const name of missing ?? []) await this.#deleted(below(path, name));
      place = { inLower: true, merged: missing === undefined };
    }
    for (const name of names) await this.#read(below(path, name), place);
  }

  /** The same of a side that is whole: everything it holds of its own is named. */
  async readLayer(layer: Layer): Promise<void> {
    const grouped = new Map<string, string>();
    for (const [path, held] of [...layer].sort(([one], [other]) => inOrder(one, other))) {
      await this.#breathe();
      const after = held === 'whiteout' ? null : held;
      const before = readEntry(this.#lower(path)) ?? null;
      if (!before && !after) continue;
      const files = (after ?? before)?.kind === 'directory' ? 0 : 1;
      if (this.#inGroupedFolder(path, files, grouped)) continue;
      if (this.#grouped(path, after, before, () => files)) continue;
      const kind = after ? await this.#compare(path, before, after) : 'deleted';
      if (kind) this.#add(path, kind, before, after);
    }
  }

  /** Whether a folder around the path is grouped; then the path counts there. `known`: by folder, its group's key. */
  #inGroupedFolder(path: string, files: number, known: Map<string, string>): boolean {
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
      const outer = path.slice(0, end);
      if (!known.has(outer)) {
        const before = readEntry(this.#lower(outer)) ?? null;
        const after = this.#upper(outer, readEntry) ?? null;
        if (!before && !after) continue;
        const key = this.#grouped(outer, after, before, () => 0);
        known.set(outer, key === false ? '' : key);
      }
      const group = this.groups.get(known.get(outer) ?? '');
      if (!group) continue;
      group.files += files;
      return true;
    }
    return false;
  }

  async #read(path: string, place: Place): Promise<void> {
    await this.#breathe();
    const after = this.#upper(path, readUpperEntry);
    const before = place.inLower ? (readEntry(this.#lower(path)) ?? null) : null;
    if (after === undefined) return;
    if (after === 'whiteout') return before ? this.#deleted(path) : undefined;
    if (this.#grouped(path, after, before, () => this.#countUpper(path))) return;
    if (before?.kind === 'directory' && after.kind !== 'directory') await this.#deletedBelow(path);
    const kind = await this.#compare(path, before, after);
    if (kind) this.#add(path, kind, before, after);
    if (after.kind === 'directory')
      await this.readFolder(path, { inLower: before?.kind === 'directory', merged: place.merged });
  }

  async #compare(path: string, before: Entry | null, after: Entry): Promise<Change['kind'] | undefined> {
    if (!before) return 'added';
    if (before.kind !== after.kind) return 'replaced';
    if (before.kind === 'symlink' && after.kind === 'symlink')
      return before.target === after.target ? undefined : 'modified';
    if (before.kind === 'file' && after.kind === 'file') {
      const same =
        before.size === after.size &&
        (await this.#upper(path, place => sameContent(this.#lower(path), place, this.options.signal)));
      if (!same) return 'modified';
    }
    return 'mode' in before && 'mode' in after && before.mode !== after.mode ? 'mode' : undefined;
  }

  /** The path and all that the user's folder holds below it. */
  async #deleted(path: string): Promise<void> {
    await this.#breathe();
    const before = readEntry(this.#lower(path));
    if (!before || this.#grouped(path, null, before, () => this.#countLower(path))) return;
    this.#add(path, 'deleted', before, null);
    if (before.kind === 'directory') await this.#deletedBelow(path);
  }

  async #deletedBelow(path: string): Promise<void> {
    for (const name of readNames(this.#lower(path))) await this.#deleted(below(path, name));
  }

  #add(path: string, kind: Change['kind'], before: Entry | null, after: Entry | null): void {
    const binary =
      kind !== 'mode' &&
      ((before?.kind === 'file' && isBinary(this.#lower(path))) ||
        (after?.kind === 'file' && this.#upper(path, isBinary) !== false));
    this.changes.push({ path, kind, before, after, binary });
  }

  /** Counts the path in its group, if it belongs to one. Returns the group's key. */
  #grouped(path: string, after: Entry | null, before: Entry | null, count: () => number): string | false {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (name === '.git') return this.#group('repository', path, path, count());
    if (after?.kind === 'special' || (before?.kind === 'special' && !after))
      return this.#group('special', path, path, 1);
    if (
      !isReadable(before, this.#lower(path)) ||
      this.#upper(path, place => isReadable(after, place)) === false
    )
      return this.#group('unreadable', path, path, 1);
    if (this.options.include?.some(each => path === each || path.startsWith(each + '/'))) return false;
    const isDirectory = (after ?? before)?.kind === 'directory';
    const by = this.#ignored.find(path, isDirectory, before === null);
    // A folder that holds included paths is walked; what else it holds meets the same rule below.
    if (!by || (isDirectory && this.options.include?.some(each => each.startsWith(path + '/')))) return false;
    return this.#group('ignored', below(by.folder, by.pattern), path, count());
  }

  #group(kind: ChangeGroup['kind'], name: string, path: string, files: number): string {
    const key = `${kind} ${name}`;
    const group = this.groups.get(key) ?? { kind, name, paths: [], files: 0 };
    group.paths.push(path);
    group.files += files;
    this.groups.set(key, group);
    return key;
  }

  #countLower(path: string): number {
    const entry = readEntry(this.#lower(path));
    if (entry?.kind !== 'directory' || !isReadable(entry, this.#lower(path))) return 1;
    return sum(readNames(this.#lower(path)), name => this.#countLower(below(path, name)));
  }

  #countUpper(path: string): number {
    const entry = this.#upper(path, readUpperEntry);
    if (!entry || entry === 'whiteout' || entry.kind !== 'directory') return 1;
    if (!this.#upper(path, place => isReadable(entry, place))) return 1;
    return sum(this.#upper(path, readNames) ?? [], name => this.#countUpper(below(path, name)));
  }

  /** Undefined when the path is not there any more: the agent goes on meanwhile. */
  #upper<T>(path: string, use: (place: string) => T): T | undefined {
    try {
      return inUpper(this.folder, path, use);
    } catch (error) {
      if (isCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'overlay.moved')) return undefined;
      throw error;
    }
  }

  #lower(path: string): string {
    return path === '' ? this.folder.lower : `${this.folder.lower}/${path}`;
  }

  /** Lets the host's other work through now and then. */
  async #breathe(): Promise<void> {
    if (++this.#looked % 512 > 0) return;
    this.options.signal?.throwIfAborted();
    await new Promise(resolve => setImmediate(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hidden[Symbol.asyncDispose]();
  }
}

function isReadable(entry: Entry | null, path: string): boolean {
  if (entry?.kind !== 'file' && entry?.kind !== 'directory') return true;
  try {
    accessSync(encodePath(path), entry.kind === 'file' ? constants.R_OK : constants.R_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function sum(names: readonly string[], count: (name: string) => number): number {
  return names.reduce((total, name) => total + count(name), 0);
}

function below(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

/** Parents before children, and what lies in a folder right behind it. */
function byPath(one: Change, other: Change): number {
  return inOrder(one.path, other.path);
}

function inOrder(one: string, other: string): number {
  const [a, b] = [one.replaceAll('/', '\0'), other.replaceAll('/', '\0')];
  return a < b ? -1 : a > b ? 1 : 0;
}
