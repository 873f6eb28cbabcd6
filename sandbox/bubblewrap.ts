import { dirname } from 'node:path';
import type { SandboxFacts } from './facts.ts';
import { isInside } from './inside.ts';
import { innerLimitOptions } from './limits.ts';
import type { ProgramFiles } from './programFiles.ts';
import type { LaunchRequest } from './sandbox.ts';
import { homeInside, hostNameInside } from './stateFiles.ts';
import type { WorkspaceScan } from './workspaceScan.ts';

/** What is decided for one launch, besides the facts of the session. */
export interface LaunchPlan {
  readonly request: LaunchRequest;
  /** Of the folders as they are now. */
  readonly scan: WorkspaceScan;
  /** What a `bare` view shows besides the folders. */
  readonly program?: ProgramFiles;
  /** Real paths of folders that are a copy-on-write view: writable, and nothing in them needs to be kept. */
  readonly copyOnWrite: readonly string[];
  /** The network namespace is the session's own already. */
  readonly sharesNetwork: boolean;
  /** Descriptor numbers, as bwrap inherits them. */
  readonly statusDescriptor: number;
  readonly seccompDescriptor?: number;
}

/**
 * The options of bwrap for one launch. Pure: what the sandbox shows is decided here and nowhere else.
 * Later mounts lie over earlier ones, so the order below protects us.
 */
export function bubblewrapArguments(facts: SandboxFacts, plan: LaunchPlan): string[] {
  const { request } = plan;
  const isSystem = request.view === 'system';
  return [
    // 1. Namespaces, identity, lifetime. The user namespace by name: root would get none by itself.
    '--unshare-user',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    ...(plan.sharesNetwork ? [] : ['--unshare-net']),
    '--disable-userns',
    ['--uid', String(facts.user.uid), '--gid', String(facts.user.gid)],
    ['--cap-drop', 'ALL'],
    ['--hostname', hostNameInside],
    '--die-with-parent',
    '--new-session',
    ['--json-status-fd', String(plan.statusDescriptor)],
    ...(plan.seccompDescriptor === undefined ? [] : ['--seccomp', String(plan.seccompDescriptor)]),
    // 2. The system, read-only.
    ...(isSystem ? systemMounts(facts) : programMounts(plan)),
    // 3. Kernel file systems of the sandbox's own.
    ...kernelMounts(facts),
    // 4. Places to write that are nobody else's.
    ...(isSystem ? privateMounts(facts) : []),
    // 5. Toolchains, certificates and what the user listed, read-only.
    ...(isSystem ? readableMounts(facts) : []),
    // 6. Repositories behind the folders, then the folders themselves.
    ...facts.gitDirectories.flatMap(path => [
      plan.copyOnWrite.includes(path) ? '--bind' : '--ro-bind',
      path,
      path,
    ]),
    ...folderMounts(facts, plan),
    // 7. In folders that are the user's own: what must not change.
    ...protectionMounts(facts, plan),
    // 8. Over everything of the workspace: what must not be read.
    ...secretMasks(facts, plan),
    // 9. The broker's own files, last, so that nothing lies over them.
    ...(request.binds ?? []).flatMap(({ source, target }) => ['--ro-bind', source, target]),
    ['--remount-ro', '/'],
    ['--chdir', request.cwd],
  ].flat();
}

/** What runs inside, behind the limits that are counted there. Pure. */
export function insideCommand(facts: SandboxFacts, request: LaunchRequest): string[] {
  const isLimited = request.view === 'system' && facts.prlimit !== undefined;
  return [...(isLimited ? [facts.prlimit, ...innerLimitOptions(facts.limits), '--'] : []), ...request.argv];
}

function systemMounts(facts: SandboxFacts): string[] {
  return [
    ...facts.system.flatMap(({ path, link }) =>
      link === undefined ? ['--ro-bind', path, path] : ['--symlink', link, path],
    ),
    ...facts.settings.flatMap(path => ['--ro-bind', path, path]),
    ...Object.entries(facts.state.settings).flatMap(([target, source]) => ['--ro-bind', source, target]),
  ];
}

function programMounts({ program }: LaunchPlan): string[] {
  return (program?.paths ?? []).flatMap(({ source, target }) => ['--ro-bind', source, target]);
}

function kernelMounts(facts: SandboxFacts): string[] {
  return [
    ['--proc', '/proc'],
    // The kernel lets the machine's root write these whatever its capabilities, and Bubblewrap leaves them open.
    ['--ro-bind', '/proc/sys', '/proc/sys'],
    ...facts.hiddenInProc.flatMap(({ path, isFolder }) => [
      '--ro-bind',
      isFolder ? facts.state.emptyFolder : facts.state.hiddenFile,
      path,
    ]),
    ['--dev', '/dev'],
    ['--size', String(sharedMemory), '--tmpfs', '/dev/shm'],
    ['--remount-ro', '/dev'],
  ].flat();
}

function privateMounts(facts: SandboxFacts): string[] {
  return [
    ['--bind', facts.state.temporary, '/tmp'],
    // What is shown below /tmp gets an anchor that commands can neither rename nor replace by a link: otherwise one
    // command could decide where the mounts of the next one lead.
    anchorsIn(facts).flatMap(path => ['--tmpfs', path]),
    ['--bind', facts.state.temporary, '/var/tmp'],
    ['--bind', facts.state.home, homeInside],
    ['--symlink', '../run', '/var/run'],
  ].flat();
}

/** First names below /tmp on the way to something that is shown there. */
export function anchorsIn(
  facts: Pick<
    SandboxFacts,
    'folders' | 'gitDirectories' | 'toolchains' | 'extraReadOnlyPaths' | 'certificateFiles'
  >,
): string[] {
  const shown = [
    ...facts.folders.flatMap(each => [each.path, each.realPath]),
    ...facts.gitDirectories,
    ...readablePaths(facts),
  ];
  return [...new Set(shown.flatMap(path => /^(\/tmp\/[^/]+)\/./.exec(path)?.[1] ?? []))];
}

/** Bytes of /dev/shm. It is memory: without a bound a command could fill half of the machine's. */
const sharedMemory = 2 ** 30;

function readableMounts(facts: SandboxFacts): string[] {
  return parentsFirst(readablePaths(facts)).flatMap(path => ['--ro-bind', path, path]);
}

function readablePaths(
  facts: Pick<SandboxFacts, 'toolchains' | 'certificateFiles' | 'extraReadOnlyPaths'>,
): string[] {
  return [
    ...facts.toolchains.flatMap(each => each.paths),
    ...facts.certificateFiles,
    ...facts.extraReadOnlyPaths,
  ];
}

function folderMounts(facts: SandboxFacts, { request, copyOnWrite }: LaunchPlan): string[] {
  return facts.folders.flatMap(({ path, realPath }) => {
    const isWritable =
      copyOnWrite.includes(realPath) ||
      request.writableFolders.some(each => each === path || each === realPath);
    const option = isWritable ? '--bind' : '--ro-bind';
    return [option, realPath, realPath, ...(path === realPath ? [] : [option, realPath, path])];
  });
}

function protectionMounts(facts: SandboxFacts, { request, scan, copyOnWrite }: LaunchPlan): string[] {
  const writable = facts.folders.filter(({ path, realPath }) =>
    request.writableFolders.some(each => each === path || each === realPath),
  );
  const concerns = (path: string) =>
    writable.some(({ realPath }) => isInside(path, realPath)) &&
    !copyOnWrite.some(each => isInside(path, each));
  return withAliases(facts, [
    // A folder around a protected path is mounted onto itself, so that it cannot be renamed away from under it.
    ...parentsFirst(scan.pinned.filter(concerns)).map(path => ['--bind', path, path] as const),
    ...parentsFirst(scan.protectedPaths.filter(concerns))
      .filter(path => !isAllowed(path, request))
      .map(path => ['--ro-bind', path, path] as const),
    ...scan.guarded
      .filter(concerns)
      .filter(path => !isAllowed(path, request))
      .map(path => ['--ro-bind', facts.state.emptyFolder, path] as const),
  ]);
}

function secretMasks(facts: SandboxFacts, { request, scan }: LaunchPlan): string[] {
  return withAliases(
    facts,
    scan.secrets
      .filter(path => !isAllowed(path, request))
      .map(path => ['--ro-bind', facts.state.hiddenFile, path] as const),
  );
}

/** Whether the user allowed this path, or one below it, by name for this process. */
function isAllowed(path: string, request: LaunchRequest): boolean {
  return (request.allowedPaths ?? []).some(allowed => isInside(allowed, path));
}

/** The same mounts again where a folder is shown at a second path, through a link. */
function withAliases(facts: SandboxFacts, mounts: readonly (readonly [string, string, string])[]): string[] {
  return mounts.flatMap(([option, source, target]) => [
    option,
    source,
    target,
    ...facts.folders
      .filter(({ path, realPath }) => path !== realPath && isInside(target, realPath))
      .flatMap(({ path, realPath }) => [option, source, path + target.slice(realPath.length)]),
  ]);
}

function parentsFirst(paths: readonly string[]): string[] {
  return [...new Set(paths)].toSorted((a, b) => dirname(a).length - dirname(b).length || (a < b ? -1 : 1));
}
