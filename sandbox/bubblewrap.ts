import type { SandboxFacts } from './facts.ts';
import { innerLimitOptions, outerLimitOptions } from './limits.ts';
import { placeMounts, systemMounts, type Mount, type MountPlan } from './mounts.ts';
import type { LaunchRequest } from './sandbox.ts';
import { hostNameInside } from './stateFiles.ts';

/** What is decided for one launch, besides the facts of the session. */
export interface LaunchPlan extends MountPlan {
  /** The network namespace is the session's own already. */
  readonly sharesNetwork: boolean;
  /** Descriptor numbers, as bwrap inherits them. */
  readonly statusDescriptor: number;
  readonly seccompDescriptor?: number;
  /** All that the program has in its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * The options of bwrap for one launch. Pure: what the sandbox shows is decided here and nowhere else.
 * Later mounts lie over earlier ones, so the order below protects us. `ways`: where what is to be shown lies, if not at
 * its own path.
 */
export function bubblewrapArguments(
  facts: SandboxFacts,
  plan: LaunchPlan,
  ways: ReadonlyMap<string, string> = new Map(),
): string[] {
  const { request } = plan;
  const options = (mount: Mount) => mountOption(mount, ways);
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
    ...systemMounts(facts, plan).flatMap(options),
    // 3. Kernel file systems of the sandbox's own.
    ...kernelMounts(facts).flatMap(each => (typeof each === 'string' ? [each] : options(each))),
    // 4. Places to write, toolchains, the folders, what is kept and what is hidden in them, the broker's own files.
    ...placeMounts(facts, plan).flatMap(options),
    ['--remount-ro', '/'],
    ['--chdir', request.cwd],
    '--clearenv',
    ...Object.entries(plan.environment).flatMap(([name, value]) => ['--setenv', name, value]),
  ].flat();
}

/** What runs inside, behind the limits that are counted there. Pure. */
export function insideCommand(facts: SandboxFacts, request: LaunchRequest): string[] {
  const isLimited = request.view === 'system' && facts.prlimit !== undefined;
  return [...(isLimited ? [facts.prlimit, ...innerLimitOptions(facts.limits), '--'] : []), ...request.argv];
}

/** What stands before Bubblewrap for a program that prlimit(1) does not limit from inside. Pure. */
export function outsideLimits(facts: SandboxFacts): string[] {
  return facts.prlimit === undefined ? [] : [facts.prlimit, ...outerLimitOptions(facts.limits), '--'];
}

/** The paths of the host that a launch shows. Pure. */
export function sourcesOf(facts: SandboxFacts, plan: LaunchPlan): string[] {
  const mounts = [...systemMounts(facts, plan), ...placeMounts(facts, plan)];
  const shown = mounts.flatMap(mount => (mount.kind === 'bind' ? [mount.source] : []));
  return [...new Set([facts.state.emptyFolder, facts.state.hiddenFile, ...shown])];
}

function mountOption(mount: Mount, ways: ReadonlyMap<string, string>): string[] {
  switch (mount.kind) {
    case 'bind':
      return [
        mount.isWritable ? '--bind' : '--ro-bind',
        ways.get(mount.source) ?? mount.source,
        mount.target,
      ];
    case 'link':
      return ['--symlink', mount.to, mount.target];
    case 'memory':
      return ['--size', String(anchorSize), '--tmpfs', mount.target];
  }
}

/** Bytes of a folder that only holds others in their place. */
const anchorSize = 2 ** 20;

function kernelMounts(facts: SandboxFacts): (string | Mount)[] {
  return [
    ['--proc', '/proc'],
    // The kernel lets the machine's root write these whatever its capabilities, and Bubblewrap leaves them open.
    ['--ro-bind', '/proc/sys', '/proc/sys'],
    facts.hiddenInProc.map(({ path, isFolder }): Mount => ({
      kind: 'bind',
      source: isFolder ? facts.state.emptyFolder : facts.state.hiddenFile,
      target: path,
      isWritable: false,
    })),
    ['--dev', '/dev'],
    ['--size', String(sharedMemory), '--tmpfs', '/dev/shm'],
    ['--remount-ro', '/dev'],
  ].flat();
}

/** Bytes of /dev/shm. It is memory: without a bound a command could fill half of the machine's. */
const sharedMemory = 2 ** 30;
