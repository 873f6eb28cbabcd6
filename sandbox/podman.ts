import type { SandboxFacts } from './facts.ts';
import type { Limits } from './limits.ts';
import { placeMounts, systemMounts, type Mount, type MountPlan } from './mounts.ts';
import { sandboxErrors } from './sandboxErrors.ts';
import { hostNameInside } from './stateFiles.ts';

/** What Podman needs besides the facts of the session. Absolute paths. */
export interface PodmanFacts {
  readonly podman: string;
  /** The init that reaps: catatonit, tini or dumb-init. */
  readonly init: string;
  /** Podman's own records of this session: nobody else's containers are known there. At most 48 characters. */
  readonly directory: string;
  /** Is shown as /etc/resolv.conf. */
  readonly nameSettings: string;
  /** The seccomp profile; undefined where we know no system call numbers, and Podman's own holds. */
  readonly seccompProfile: string | undefined;
}

/** What is decided for one launch. */
export interface PodmanPlan extends MountPlan {
  /** An empty folder: the root, which mount points are laid out in. */
  readonly root: string;
  /** Podman writes the host's number of the container's init here, once the container is made. */
  readonly pidFile: string;
  /**
   * `mapped`: Podman runs as root of a namespace (or as the machine's root), which the user inside is mapped to.
   * `keepId`: it runs as the user, who is the same inside.
   */
  readonly identity: 'mapped' | 'keepId';
  /** Podman was put into a network of the session's own before it started, and stays in it. */
  readonly sharesNetwork: boolean;
  /** A terminal is passed through, not pipes. */
  readonly isTerminal: boolean;
  /** What runs inside, behind the limits that are counted there. */
  readonly command: readonly string[];
}

/** The arguments of podman for one launch. Pure. Later mounts lie over earlier ones; Podman puts deeper ones later. */
export function podmanArguments(facts: SandboxFacts, podman: PodmanFacts, plan: PodmanPlan): string[] {
  const { request } = plan;
  const { uid, gid } = facts.user;
  return [
    ...podmanOptions(podman),
    'run',
    // 1. Namespaces, identity, lifetime.
    '--rm',
    '--pull=never',
    ...(plan.identity === 'keepId' ? ['--userns=keep-id'] : [`--uidmap=${uid}:0:1`, `--gidmap=${gid}:0:1`]),
    `--user=${uid}:${gid}`,
    '--pid=private',
    '--ipc=private',
    '--uts=private',
    '--cgroupns=private',
    // `host` is the network that Podman was started in: the session's own, with loopback only.
    plan.sharesNetwork ? '--network=host' : '--network=none',
    '--cap-drop=all',
    '--security-opt=no-new-privileges',
    // Labels would have to be written onto the user's files.
    '--security-opt=label=disable',
    ...(podman.seccompProfile === undefined ? [] : [`--security-opt=seccomp=${podman.seccompProfile}`]),
    `--security-opt=mask=${[...hidden, ...facts.hiddenInProc.map(each => each.path)].join(':')}`,
    `--hostname=${hostNameInside}`,
    '--init',
    `--init-path=${podman.init}`,
    `--pidfile=${plan.pidFile}`,
    // 2. Limits.
    ...limitOptions(facts.limits),
    `--shm-size=${sharedMemory}`,
    // 3. Nothing of the host's that is not named here.
    '--http-proxy=false',
    '--env-host=false',
    '--no-hosts',
    '--passwd=false',
    '--read-only',
    '--read-only-tmpfs=false',
    // 4. Streams, as they are: a log of them would be a second copy on disk.
    ...(request.stdin === 'ignore' ? [] : ['--interactive']),
    ...(plan.isTerminal ? ['--tty', '--log-driver=none'] : ['--log-driver=passthrough']),
    '--sig-proxy=false',
    ...(request.descriptors?.length ? [`--preserve-fds=${request.descriptors.length}`] : []),
    // 5. What it sees.
    ...containerMounts(facts, podman, plan).flatMap(mountOption),
    `--workdir=${request.cwd}`,
    '--rootfs',
    plan.root,
    ...plan.command,
  ];
}

/** Options that keep Podman to the session's own records and settings. */
export function podmanOptions({ directory }: Pick<PodmanFacts, 'directory'>): string[] {
  return [
    `--root=${directory}/s`,
    `--runroot=${directory}/r`,
    `--tmpdir=${directory}/t`,
    `--runtime-flag=root=${directory}/o`,
    '--storage-driver=vfs',
    '--cgroup-manager=cgroupfs',
    '--events-backend=none',
    '--log-level=error',
  ];
}

/** Podman's settings for one launch, in place of the user's and the machine's: those could add mounts, hooks, devices. */
export function containersConf(directory: string, environment: Readonly<Record<string, string>>): string {
  const variables = Object.entries(environment).map(([name, value]) => quoted(`${name}=${value}`));
  return [
    '[containers]',
    // Not as arguments: those can be read by everybody on the machine.
    `env = [${variables.join(', ')}]`,
    'volumes = []',
    'devices = []',
    'annotations = []',
    'default_sysctls = []',
    'default_ulimits = []',
    'http_proxy = false',
    'env_host = false',
    '[engine]',
    'runtime = "crun"',
    // Locks in shared memory would be shared with every other Podman of the machine.
    'lock_type = "file"',
    `hooks_dir = [${quoted(`${directory}/h`)}]`,
    `volume_path = ${quoted(`${directory}/v`)}`,
    'events_logger = "none"',
    '',
  ].join('\n');
}

/** Links of the root and the folders that mount points lie in: made beforehand, so that they belong to the user. */
export function rootLayout(mounts: readonly Mount[]): {
  readonly links: readonly { readonly path: string; readonly to: string }[];
  readonly folders: readonly string[];
} {
  const links = mounts.flatMap(each => (each.kind === 'link' ? [{ path: each.target, to: each.to }] : []));
  const parents = mounts.flatMap(each => ancestorsOf(each.target));
  return { links, folders: [...new Set(parents)].toSorted() };
}

function ancestorsOf(path: string): string[] {
  const names = path.split('/').slice(1, -1);
  return names.map((_, at) => '/' + names.slice(0, at + 1).join('/'));
}

function limitOptions(limits: Limits): string[] {
  const openFiles = Math.max(limits.openFiles, 1_024);
  return [
    // Few users may make control groups; these hold for everybody, in the container's own user namespace.
    '--cgroups=disabled',
    `--ulimit=nproc=${limits.processes}:${limits.processes}`,
    // The runtime opens every mount while it is under this limit; the command's own is set inside.
    `--ulimit=nofile=${openFiles}:${openFiles}`,
    `--ulimit=data=${limits.memory}:${limits.memory}`,
    `--ulimit=fsize=${limits.fileSize}:${limits.fileSize}`,
    `--ulimit=core=${limits.core ?? 0}:${limits.core ?? 0}`,
  ];
}

/** Bytes of a folder that only holds others in their place. */
const anchorSize = 2 ** 20;

/** Bytes of /dev/shm. */
const sharedMemory = 2 ** 30;

/** What some distributions mount into every container. */
const hidden = ['/run/secrets'];

/**
 * What a process sees, in the place of what Podman would show of itself: the machine's hardware and control groups, and
 * the servers for names that the machine uses. Those of the session answer on its loopback.
 */
export function containerMounts(
  facts: SandboxFacts,
  { nameSettings }: Pick<PodmanFacts, 'nameSettings'>,
  plan: MountPlan,
): Mount[] {
  return lastOf([
    { kind: 'memory', target: '/sys' },
    { kind: 'memory', target: '/sys/fs/cgroup' },
    { kind: 'bind', source: nameSettings, target: '/etc/resolv.conf', isWritable: false },
    ...systemMounts(facts, plan),
    ...placeMounts(facts, plan),
  ]);
}

/** Podman takes each target once: of several mounts on one, the last counts, as it does when they lie over each other. */
function lastOf(mounts: readonly Mount[]): Mount[] {
  return [...new Map(mounts.map(each => [each.target, each])).values()];
}

function mountOption(mount: Mount): string[] {
  switch (mount.kind) {
    case 'bind':
      return [
        `--mount=${fields(
          'type=bind',
          `source=${mount.source}`,
          `target=${mount.target}`,
          mount.isWritable ? 'rw' : 'ro',
          // What is laid over a secret in the session's own file system later is laid over it here, too.
          'bind-propagation=rslave',
        )}`,
      ];
    case 'memory':
      return [
        `--mount=${fields('type=tmpfs', `target=${mount.target}`, `tmpfs-size=${anchorSize}`, 'notmpcopyup')}`,
      ];
    case 'link':
      return [];
  }
}

/** One record of comma-separated values, as Podman reads it, which takes a carriage return away before a line break. */
function fields(...values: readonly string[]): string {
  const lost = values.find(value => value.includes('\r'));
  if (lost !== undefined) throw sandboxErrors.unnameable(lost.slice(lost.indexOf('=') + 1));
  return values
    .map(value => (/[",\r\n]|^ | $/.test(value) ? `"${value.replaceAll('"', '""')}"` : value))
    .join(',');
}

/** A TOML basic string. */
function quoted(text: string): string {
  const escaped = text.replaceAll(/["\\\u0000-\u001f\u007f]/g, character =>
    character === '"' || character === '\\'
      ? `\\${character}`
      : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${escaped}"`;
}
