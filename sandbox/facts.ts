import {
  accessSync,
  constants,
  lstatSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { basename, isAbsolute, join, normalize } from 'node:path';
import { exists, real, statOf } from './look.ts';
import { type FolderOwner, mayUse, otherOwner, wayTo } from './folderOwner.ts';
import { outsideGitDirectories } from './gitDirectories.ts';
import { isInside } from './inside.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { anchorsIn, placesIn } from './mounts.ts';
import type { SandboxOptions } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';
import { credentialPaths } from './secretFiles.ts';
import { addPlace } from './settings.ts';
import { prepareStateFiles, type StateFiles } from './stateFiles.ts';
import { hiddenInProc, systemDirectories } from './systemFiles.ts';
import { discoverToolchains, type Toolchain } from './toolchains.ts';

/** All that one session's sandbox needs to know of the machine. Gathered once; arguments are built from it alone. */
export interface SandboxFacts {
  /** Absolute path of Bubblewrap; there may be none where another wall is used. */
  readonly bwrap: string | undefined;
  /** Absolute path of prlimit(1), where there is one. Inside it has the same path. */
  readonly prlimit: string | undefined;
  /** Absolute path of a POSIX shell, where there is one. Inside it has the same path. */
  readonly shell: string | undefined;
  /** As the processes inside see themselves. Never 0; on disk they stay the user. */
  readonly user: { readonly uid: number; readonly gid: number; readonly name: string };
  /** Set where root runs Cordon in another user's folders: `user` is that one, on disk as well. */
  readonly owner?: FolderOwner;
  /** Workspace folders: as named, and where they really are. Parents before the folders inside them. */
  readonly folders: readonly { readonly path: string; readonly realPath: string }[];
  /** System directories, in order; `link` is set for those that are links. */
  readonly system: readonly { readonly path: string; readonly link?: string }[];
  /** Existing paths of /proc to cover. */
  readonly hiddenInProc: readonly { readonly path: string; readonly isFolder: boolean }[];
  readonly toolchains: readonly Toolchain[];
  /** Set where the owner does not get to what PATH or the environment name: these paths. */
  readonly leftOut?: readonly string[];
  /** PATH inside. */
  readonly path: readonly string[];
  /** What the user listed besides. */
  readonly extraReadOnlyPaths: readonly string[];
  /** Repositories around or behind the folders. */
  readonly gitDirectories: readonly string[];
  /** Certificate files that the environment names outside the system directories. */
  readonly certificateFiles: readonly string[];
  readonly state: StateFiles;
  readonly limits: Limits;
}

/** Looks at everything once. Throws a `sandbox.*` CordonError when a folder or path cannot be used. */
export function gatherFacts(
  options: SandboxOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): SandboxFacts {
  const homes = homesOf(environment);
  const home = homes[0] ?? '/nonexistent';
  const folders = checkedFolders(options.folders, homes, options.stateDirectory);
  const bwrap = findProgram('bwrap', environment['PATH'], options.folders);
  if (bwrap === undefined && options.backend !== 'podman') throw sandboxErrors.missing();
  const system = systemDirectories.flatMap(systemDirectory);
  const visible = [...system.map(each => each.path), ...folders.flatMap(each => [each.path, each.realPath])];
  const { toolchains, path } = discoverToolchains(environment, home, visible);
  const owner = ownerFor(options);
  const user = owner ?? userOf();
  const leftOut: string[] = [];
  const isShown = (path: string) => {
    const isThere = owner === undefined || (wayTo(path, owner) !== 'closed' && mayUse(path, owner));
    if (!isThere) leftOut.push(path);
    return isThere;
  };
  const state = prepareStateFiles(
    options.stateDirectory,
    user,
    home,
    system.map(each => each.path),
    options.temporaryDirectory,
    owner,
  );
  const facts = {
    bwrap,
    prlimit: findProgram('prlimit', '/usr/bin:/bin', []),
    shell: findProgram('sh', '/usr/bin:/bin', []),
    user,
    ...(owner === undefined ? {} : { owner }),
    folders,
    system,
    hiddenInProc: hiddenInProc.flatMap(each => {
      const stat = statOf(each);
      return stat === undefined ? [] : [{ path: each, isFolder: stat.isDirectory() }];
    }),
    toolchains: toolchains.filter(each => each.paths.every(isShown)),
    path,
    extraReadOnlyPaths: (options.extraReadOnlyPaths ?? []).map(each => checkedExtra(each, homes)),
    gitDirectories: [...new Set(folders.flatMap(folder => outsideGitDirectories(folder.realPath, home)))],
    certificateFiles: certificateFiles(
      environment,
      system.map(each => each.path),
    ).filter(isShown),
    state,
    limits: clamped({ ...defaultLimits, ...options.limits }),
  };
  clearWay(facts);
  return leftOut.length === 0 ? facts : { ...facts, leftOut };
}

/** Who keeps a view has said as whom commands run in it. Podman gives names to users in a way of its own. */
function ownerFor({ copyOnWrite, folders, backend }: SandboxOptions): FolderOwner | undefined {
  if (backend === 'podman') return undefined;
  return copyOnWrite?.holder === undefined ? otherOwner(folders) : copyOnWrite.owner;
}

/** What is shown in /etc or below /tmp needs a place there; a kept /tmp may hold a link that an earlier command left. */
function clearWay(facts: SandboxFacts): void {
  for (const path of placesIn(facts)) if (isInside(path, '/etc')) addPlace(facts.state.settings, path);
  for (const anchor of anchorsIn(facts)) {
    const inside = join(facts.state.temporary, basename(anchor));
    const stat = lstatSync(inside, { throwIfNoEntry: false });
    if (stat !== undefined && !stat.isDirectory()) rmSync(inside, { force: true });
  }
}

/** Throws `sandbox.folderMissing` or `sandbox.folderTooWide` for what may not be a workspace. */
export function checkFolders(
  folders: readonly string[],
  stateDirectory: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): void {
  checkedFolders(folders, homesOf(environment), stateDirectory);
}

/** Parents before the folders inside them. */
function checkedFolders(folders: readonly string[], homes: readonly string[], stateDirectory: string) {
  return folders
    .map(folder => checkedFolder(folder, homes, stateDirectory))
    .toSorted((a, b) => a.realPath.length - b.realPath.length);
}

/**
 * The first absolute PATH entry that holds this program and is not in the workspace, which a repository could fill.
 */
export function findProgram(
  name: string,
  path: string | undefined,
  folders: readonly string[],
): string | undefined {
  for (const entry of (path ?? '').split(':')) {
    if (!isAbsolute(entry)) continue;
    const candidate = join(entry, name);
    if (!isExecutable(candidate)) continue;
    if (!folders.some(folder => isInside(candidate, folder) || isInside(real(candidate), real(folder))))
      return candidate;
  }
  return undefined;
}

export function checkedFolder(folder: string, homes: readonly string[], stateDirectory: string) {
  if (folder.includes('\0')) throw sandboxErrors.invalidText('The workspace path');
  const path = withoutSlash(normalize(folder));
  if (!isAbsolute(path) || !statOf(path)?.isDirectory()) throw sandboxErrors.folderMissing(folder);
  // As it is spelt on disk: on some file systems other spellings lead there too.
  const realPath = realpathSync.native(path);
  if (realPath === '/') throw sandboxErrors.folderTooWide(folder, 'the whole machine');
  const shared = sharedFolders.find(each => isInside(real(each), realPath));
  if (shared !== undefined)
    throw sandboxErrors.folderTooWide(folder, `${shared}, which belongs to the system`);
  const inSystem = closedFolders.find(each => isInside(realPath, each));
  if (inSystem !== undefined)
    throw sandboxErrors.folderTooWide(folder, `a part of ${inSystem}, which belongs to the system`);
  if (isInside(real(stateDirectory), realPath))
    throw sandboxErrors.folderTooWide(folder, "Cordon's own records");
  for (const home of homes) {
    if (isInside(home, realPath)) throw sandboxErrors.folderTooWide(folder, 'your whole home folder');
    const credential = credentialPaths
      .map(each => join(home, each))
      .find(each => isInside(realPath, each) || (exists(each) && isInside(each, realPath)));
    if (credential !== undefined) throw sandboxErrors.folderTooWide(folder, `credentials (${credential})`);
  }
  return { path, realPath };
}

/** A workspace that is or holds one of these would open more than a project. */
const sharedFolders = [
  '/usr',
  '/etc',
  '/var',
  '/tmp',
  '/var/tmp',
  '/opt',
  '/home',
  '/dev',
  '/proc',
  '/sys',
  '/run',
  '/boot',
  '/Users',
  '/Applications',
  '/Library',
  '/System',
  '/Volumes',
  '/private/var/folders',
  '/opt/homebrew',
  '/nix',
];
const closedFolders = ['/proc', '/sys', '/dev', '/boot', '/System'];

export function checkedExtra(path: string, homes: readonly string[]): string {
  if (!isAbsolute(path) || !exists(path)) throw sandboxErrors.pathMissing(path);
  const target = realpathSync.native(path);
  for (const home of homes)
    for (const credential of ['.', ...credentialPaths].map(each => join(home, each)))
      if (isInside(credential, target) || (credential !== home && isInside(target, credential)))
        throw sandboxErrors.credentialPath(path, credential);
  return withoutSlash(normalize(path));
}

export function homesOf(environment: Readonly<Record<string, string | undefined>>): string[] {
  const named = environment['HOME'];
  let registered: string | undefined;
  try {
    registered = userInfo().homedir;
  } catch {
    // A user without an entry in the user database, as in some containers.
  }
  const homes = [named, registered].filter(
    (each): each is string => each !== undefined && isAbsolute(each) && each !== '/',
  );
  return [...new Set(homes.flatMap(each => [withoutSlash(normalize(each)), real(each)]))];
}

export function userOf(): { uid: number; gid: number; name: string } {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  let name = 'user';
  try {
    if (uid !== 0) name = userInfo().username.replaceAll(/[:\n]/g, '') || name;
  } catch {
    // See homesOf.
  }
  return { uid: uid === 0 ? 1000 : uid, gid: gid === 0 ? 1000 : gid, name };
}

function systemDirectory(path: string): { path: string; link?: string }[] {
  try {
    return [{ path, link: readlinkSync(path) }];
  } catch {
    return exists(path) ? [{ path }] : [];
  }
}

export function certificateFiles(
  environment: Readonly<Record<string, string | undefined>>,
  system: readonly string[],
): string[] {
  const named = certificateVariables
    .map(name => environment[name])
    .filter((each): each is string => each !== undefined && isAbsolute(each));
  return [...new Set(named)].filter(path => {
    if (system.some(each => isInside(path, each)) || !statOf(path)?.isFile()) return false;
    const text = textOf(path);
    return text.includes('BEGIN CERTIFICATE') && !text.includes('PRIVATE KEY');
  });
}

/** Variables that name a file of public certificates, for companies with an authority of their own. */
export const certificateVariables = [
  'SSL_CERT_FILE',
  'NODE_EXTRA_CA_CERTS',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'PIP_CERT',
];

/** No limit may be above the one this process lives under: setting it would be refused. */
function clamped(limits: Limits): Limits {
  const hard = new Map(
    [...textOf('/proc/self/limits').matchAll(/^(Max [a-z ]+?) {2,}\S+ +(\d+|unlimited)/gm)].map(
      ([, name, value]) => [name ?? '', value === 'unlimited' ? Infinity : Number(value)],
    ),
  );
  const most = (name: string, wanted: number) => Math.min(wanted, hard.get(name) ?? Infinity);
  return {
    ...limits,
    processes: most('Max processes', limits.processes),
    memory: most('Max data size', limits.memory),
    openFiles: most('Max open files', limits.openFiles),
    fileSize: most('Max file size', limits.fileSize),
    core: most('Max core file size', 1) < 1 ? 0 : 1,
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
