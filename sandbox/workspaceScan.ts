import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isInside } from './inside.ts';
import { real } from './look.ts';
import { rules, type ProtectionRule } from './protectedPaths.ts';
import { foldersOfPackages, isSecretFile } from './secretFiles.ts';

/** What lies in a workspace folder that the sandbox treats by itself. Absolute paths, parents before children. */
export interface WorkspaceScan {
  /** Files to hide. */
  readonly secrets: readonly string[];
  /** Existing files and folders that stay read-only even where the folder is writable. */
  readonly protectedPaths: readonly string[];
  /** Folders around protected paths, which must not be renamed away from under them. */
  readonly pinned: readonly string[];
  /** Protected paths that do not exist and must not come to be. Their parents exist. */
  readonly guarded: readonly string[];
}

/** The same, with what else was found on the way. */
export interface FolderScan extends WorkspaceScan {
  /** Sockets and named pipes. */
  readonly doors: readonly string[];
}

/**
 * Walks one folder without following symlinks. Looking again costs one `stat` a folder: what was read is kept until
 * the folder's modification time changes.
 */
export class WorkspaceScanner {
  readonly #seen = new Map<string, Folder>();
  /** Those of the last scan. */
  folders: readonly string[] = [];

  constructor(
    private readonly root: string,
    /** As whom commands run, where that is another user with less rights than we have. */
    private readonly owner?: Other,
  ) {}

  async scan(): Promise<FolderScan> {
    const found = {
      secrets: [] as string[],
      doors: [] as string[],
      protectedPaths: [] as string[],
      pinned: [] as string[],
    };
    const folders: string[] = [];
    let level = [this.root];
    while (level.length > 0) {
      folders.push(...level);
      const next: string[] = [];
      for (let at = 0; at < level.length; at += 64) {
        const paths = level.slice(at, at + 64);
        const known = paths.map(path => this.#known(path));
        // What was read before needs no turn of the event loop; a large folder gives one away now and then.
        if (at % 1_024 === 960) await nextTurn();
        const folders = known.every(each => each !== undefined)
          ? known
          : await Promise.all(paths.map(async (path, index) => known[index] ?? (await this.#read(path))));
        for (const folder of folders) {
          found.secrets.push(...folder.secrets);
          found.doors.push(...folder.doors);
          found.protectedPaths.push(...folder.protectedPaths);
          found.pinned.push(...folder.pinned);
          next.push(...folder.folders);
        }
      }
      level = next;
    }
    this.folders = folders;
    const guarded = guardedIn(this.root, this.owner);
    return {
      ...found,
      protectedPaths: found.protectedPaths.filter(path => !guarded.includes(path)),
      guarded,
    };
  }

  #known(path: string): Folder | undefined {
    const known = this.#seen.get(path);
    return known?.stamp !== undefined && known.stamp === stampOf(path) ? known : undefined;
  }

  async #read(path: string): Promise<Folder> {
    const folder = await readFolder(this.root, path, stampOf(path), this.owner);
    this.#seen.set(path, folder);
    return folder;
  }
}

interface Folder {
  readonly stamp: string | undefined;
  readonly names: ReadonlySet<string>;
  readonly folders: readonly string[];
  readonly secrets: readonly string[];
  readonly doors: readonly string[];
  readonly protectedPaths: readonly string[];
  readonly pinned: readonly string[];
}

type Other = { readonly uid: number; readonly gid: number } | undefined;

/** A folder that only we may enter cannot be entered from the sandbox, nor anything be mounted in it there. */
function isClosed(path: string, owner: Other): boolean {
  if (owner === undefined) return false;
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || stat.uid === owner.uid || (stat.mode & 0o001) !== 0) return false;
  if ((stat.mode & 0o010) === 0) return true;
  // For a group; or for whomever a list of rights names, which the permissions do not tell.
  const { uid, gid } = owner;
  return spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', path], { uid, gid, cwd: '/' }).status !== 0;
}

async function readFolder(
  root: string,
  path: string,
  stamp: string | undefined,
  owner: Other,
): Promise<Folder> {
  const folders: string[] = [];
  const secrets: string[] = [];
  const doors: string[] = [];
  const protectedPaths: string[] = [];
  const pinned: string[] = [];
  // A folder that cannot be read from here cannot be read from the sandbox, which has no more rights.
  const entries = isClosed(path, owner) ? [] : await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const lexical = join(path, entry.name);
    // What a link names is hidden or kept where it really is; outside of the folder it is not visible anyway.
    const full = entry.isSymbolicLink() ? await realpath(lexical).catch(() => undefined) : lexical;
    if (full === undefined || !isInside(full, root)) continue;
    const isDirectory = entry.isDirectory() || (entry.isSymbolicLink() && isFolder(full));
    if (entry.isDirectory()) {
      if (entry.name === '.git') {
        const repository = await readRepository(full, owner);
        pinned.push(...repository.pinned);
        protectedPaths.push(...repository.protectedPaths);
      } else if (!foldersOfPackages.has(entry.name)) folders.push(full);
    } else if (!isDirectory && isSecretFile(entry.name)) secrets.push(full);
    else if (entry.isSocket() || entry.isFIFO()) doors.push(full);
    // Of a worktree or a submodule: it says where the repository is.
    if (entry.isFile() && entry.name === '.git') protectedPaths.push(full);
    const kind = isDirectory ? 'folder' : 'file';
    const rule = simpleRules.find(each => each.kind === kind && named(each, entry.name));
    if (rule !== undefined) protectedPaths.push(full);
  }
  const names = new Set(entries.map(entry => entry.name));
  for (const [parent, children] of nestedRules) {
    if (parent === '.git' || !names.has(parent)) continue;
    pinned.push(join(path, parent));
    const inside = await namesIn(join(path, parent), owner);
    protectedPaths.push(
      ...children.filter(child => inside.includes(child)).map(child => join(path, parent, child)),
    );
  }
  // What lies two levels down changes without this folder's time.
  const known = pinned.length > 0 ? undefined : stamp;
  return { stamp: known, names, folders, secrets, doors, protectedPaths, pinned };
}

/** Hooks and configuration of a repository and of the submodules whose repositories lie in it. */
async function readRepository(
  git: string,
  owner: Other,
): Promise<{ pinned: string[]; protectedPaths: string[] }> {
  const names = await namesIn(git, owner);
  const pinned = [git];
  const protectedPaths = (nestedRules.get('.git') ?? [])
    .filter(name => names.includes(name))
    .map(name => join(git, name));
  if (names.includes('modules')) {
    pinned.push(join(git, 'modules'));
    let level = [join(git, 'modules')];
    for (let depth = 0; depth < 6 && level.length > 0; depth++) {
      const next: string[] = [];
      for (const folder of level) {
        for (const entry of isClosed(folder, owner)
          ? []
          : await readdir(folder, { withFileTypes: true }).catch(() => [])) {
          if (!entry.isDirectory()) continue;
          const module = join(folder, entry.name);
          const inside = await namesIn(module, owner);
          if (!inside.includes('HEAD')) next.push(module);
          else {
            pinned.push(module);
            protectedPaths.push(
              ...['hooks', 'config'].filter(name => inside.includes(name)).map(name => join(module, name)),
            );
            if (inside.includes('modules')) next.push(join(module, 'modules'));
          }
        }
      }
      level = next;
    }
  }
  return { pinned, protectedPaths };
}

/**
 * Guards stand at the root of the folder only: that is where editors and services look. An empty folder in such a
 * place is another window's guard, or as good as one.
 */
function guardedIn(root: string, owner: Other): string[] {
  const guarded = new Set<string>();
  for (const rule of rules) {
    if (!rule.guarded) continue;
    const [first = '', ...rest] = rule.path.split('/');
    const outer = join(root, first);
    if (isMissing(outer)) guarded.add(outer);
    else if (
      rest.length > 0 &&
      isFolder(outer) &&
      !isClosed(outer, owner) &&
      isMissing(join(root, rule.path))
    )
      guarded.add(join(root, rule.path));
  }
  for (const path of emptySubmodules(root)) guarded.add(path);
  return [...guarded];
}

/** A submodule that was not fetched is an empty folder; git enters it as soon as there is a repository in it. */
function emptySubmodules(root: string): string[] {
  let modules: string;
  try {
    modules = readFileSync(join(root, '.gitmodules'), 'utf8');
  } catch {
    return [];
  }
  return [...modules.matchAll(/^\s*path\s*=\s*"?(.+?)"?\s*$/gm)].flatMap(([, named = '']) => {
    const folder = real(join(root, named));
    const git = join(folder, '.git');
    return isInside(folder, root) && folder !== root && isFolder(folder) && isMissing(git) ? [git] : [];
  });
}

function isMissing(path: string): boolean {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined || (stat.isDirectory() && readdirSync(path).length === 0);
  } catch {
    return false;
  }
}

const simpleRules = rules.filter(rule => !rule.path.includes('/'));

/** First name → the names that are protected in it. */
const nestedRules: ReadonlyMap<string, readonly string[]> = rules
  .filter(rule => rule.path.includes('/'))
  .reduce((byParent, rule) => {
    const [parent = '', child = ''] = rule.path.split('/');
    return byParent.set(parent, [...(byParent.get(parent) ?? []), child]);
  }, new Map<string, string[]>());

/** Folders that are mounted onto themselves where they hold protected paths. */
export const pinnedFolders: ReadonlySet<string> = new Set(nestedRules.keys());

function named(rule: ProtectionRule, name: string): boolean {
  return rule.path.startsWith('*') ? name.endsWith(rule.path.slice(1)) : name === rule.path;
}

/** Undefined when the folder is gone, or changed so lately that a second change could carry the same time. */
function stampOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || Date.now() - stat.mtimeMs < 20) return undefined;
  return `${stat.ino} ${stat.mtimeMs} ${stat.ctimeMs}`;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

async function namesIn(path: string, owner: Other): Promise<string[]> {
  return isClosed(path, owner) ? [] : await readdir(path).catch((): string[] => []);
}
