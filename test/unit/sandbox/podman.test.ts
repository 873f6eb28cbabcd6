import { describe, expect, test } from 'vitest';
import type { SandboxFacts } from '../../../sandbox/facts.ts';
import { containersConf, podmanArguments, rootLayout, type PodmanPlan } from '../../../sandbox/podman.ts';
import { diagnosePodman } from '../../../sandbox/podmanReadiness.ts';
import { seccompProfile } from '../../../sandbox/podmanSeccomp.ts';
import type { LaunchRequest } from '../../../sandbox/sandbox.ts';
import { refusedCalls } from '../../../sandbox/seccomp/systemCalls.ts';

const facts: SandboxFacts = {
  bwrap: undefined,
  prlimit: '/usr/bin/prlimit',
  shell: '/usr/bin/sh',
  user: { uid: 1001, gid: 100, name: 'ann' },
  folders: [
    { path: '/home/ann/my project', realPath: '/home/ann/my project' },
    { path: '/home/ann/link', realPath: '/srv/a,b "c":d' },
  ],
  system: [{ path: '/usr' }, { path: '/bin', link: 'usr/bin' }],
  hiddenInProc: [{ path: '/proc/kcore', isFolder: false }],
  toolchains: [{ name: 'pyenv', paths: ['/tmp/tools/.pyenv'], environment: {} }],
  path: ['/usr/bin'],
  extraReadOnlyPaths: [],
  gitDirectories: [],
  certificateFiles: [],
  state: {
    home: '/state/home',
    temporary: '/state/tmp',
    dropsTemporary: true,
    hiddenFile: '/state/hidden',
    emptyFolder: '/state/empty',
    settings: {
      folder: '/state/etc',
      shown: ['/etc/ssl/certs'],
      copied: new Map(),
      isAsPlanned: true,
      added: [],
      waiting: '',
    },
  },
  limits: {
    processes: 64,
    memory: 2 ** 31,
    openFiles: 1024,
    output: 1,
    fileSize: 2 ** 30,
    diskSpace: 2 ** 30,
  },
};

const request: LaunchRequest = {
  argv: ['bash', '-c', 'true'],
  cwd: '/home/ann/my project',
  writableFolders: ['/home/ann/my project'],
  view: 'system',
  stdin: 'pipe',
};

const plan: PodmanPlan = {
  request,
  scan: {
    secrets: ['/home/ann/my project/.env', '/srv/a,b "c":d/id_rsa'],
    protectedPaths: ['/home/ann/my project/.git/config'],
    pinned: ['/home/ann/my project/.git'],
    guarded: ['/home/ann/my project/.envrc'],
  },
  copyOnWrite: [],
  root: '/run/p/l/root',
  pidFile: '/run/p/l/pid',
  identity: 'keepId',
  sharesNetwork: false,
  isTerminal: false,
  command: ['/usr/bin/prlimit', '--nproc=64:64', '--', 'bash', '-c', 'true'],
};

const podman = {
  podman: '/usr/bin/podman',
  init: '/usr/bin/catatonit',
  directory: '/run/p',
  nameSettings: '/run/p/resolv.conf',
  seccompProfile: '/run/p/seccomp.json',
};

const records = [
  '--root=/run/p/s',
  '--runroot=/run/p/r',
  '--tmpdir=/run/p/t',
  '--runtime-flag=root=/run/p/o',
  '--storage-driver=vfs',
  '--cgroup-manager=cgroupfs',
  '--events-backend=none',
  '--log-level=error',
];
const namespaces = ['--pid=private', '--ipc=private', '--uts=private', '--cgroupns=private'];
const walls = [
  '--cap-drop=all',
  '--security-opt=no-new-privileges',
  '--security-opt=label=disable',
  '--security-opt=seccomp=/run/p/seccomp.json',
  '--security-opt=mask=/run/secrets:/proc/kcore',
  '--hostname=cordon',
  '--init',
  '--init-path=/usr/bin/catatonit',
  '--pidfile=/run/p/l/pid',
  '--cgroups=disabled',
  '--ulimit=nproc=64:64',
  '--ulimit=nofile=1024:1024',
  '--ulimit=data=2147483648:2147483648',
  '--ulimit=fsize=1073741824:1073741824',
  '--ulimit=core=0:0',
  '--shm-size=1073741824',
  '--http-proxy=false',
  '--env-host=false',
  '--no-hosts',
  '--passwd=false',
  '--read-only',
  '--read-only-tmpfs=false',
];

/** In the place of what Podman would show of the machine. */
const laid = [
  '--mount=type=tmpfs,target=/sys,tmpfs-size=1048576,notmpcopyup',
  '--mount=type=tmpfs,target=/sys/fs/cgroup,tmpfs-size=1048576,notmpcopyup',
  '--mount=type=bind,source=/run/p/resolv.conf,target=/etc/resolv.conf,ro,bind-propagation=rslave',
];

describe('the arguments of podman', () => {
  test('show a command the same as Bubblewrap would, in a container that can do nothing else', () => {
    expect(podmanArguments(facts, podman, plan)).toEqual(
      [
        ...records,
        ['run', '--rm', '--pull=never', '--userns=keep-id', '--user=1001:100'],
        ...namespaces,
        '--network=none',
        ...walls,
        ['--interactive', '--log-driver=passthrough', '--sig-proxy=false'],
        ...laid,
        '--mount=type=bind,source=/usr,target=/usr,ro,bind-propagation=rslave',
        '--mount=type=bind,source=/state/etc,target=/etc,ro,bind-propagation=rslave',
        '--mount=type=bind,source=/etc/ssl/certs,target=/etc/ssl/certs,ro,bind-propagation=rslave',
        '--mount=type=bind,source=/state/tmp,target=/tmp,rw,bind-propagation=rslave',
        '--mount=type=tmpfs,target=/tmp/tools,tmpfs-size=1048576,notmpcopyup',
        '--mount=type=bind,source=/state/tmp,target=/var/tmp,rw,bind-propagation=rslave',
        '--mount=type=bind,source=/state/home,target=/run/cordon/home,rw,bind-propagation=rslave',
        '--mount=type=bind,source=/tmp/tools/.pyenv,target=/tmp/tools/.pyenv,ro,bind-propagation=rslave',
        '--mount=type=bind,source=/home/ann/my project,target=/home/ann/my project,rw,bind-propagation=rslave',
        '--mount=type=bind,"source=/srv/a,b ""c"":d","target=/srv/a,b ""c"":d",ro,bind-propagation=rslave',
        '--mount=type=bind,"source=/srv/a,b ""c"":d",target=/home/ann/link,ro,bind-propagation=rslave',
        '--mount=type=bind,source=/home/ann/my project/.git,target=/home/ann/my project/.git,ro,bind-propagation=rslave',
        '--mount=type=bind,source=/home/ann/my project/.git/config,target=/home/ann/my project/.git/config,ro,bind-propagation=rslave',
        '--mount=type=bind,source=/state/empty,target=/home/ann/my project/.envrc,ro,bind-propagation=rslave',
        '--mount=type=bind,source=/state/hidden,target=/home/ann/my project/.env,ro,bind-propagation=rslave',
        '--mount=type=bind,source=/state/hidden,"target=/srv/a,b ""c"":d/id_rsa",ro,bind-propagation=rslave',
        '--mount=type=bind,source=/state/hidden,target=/home/ann/link/id_rsa,ro,bind-propagation=rslave',
        ['--workdir=/home/ann/my project', '--rootfs', '/run/p/l/root'],
        ['/usr/bin/prlimit', '--nproc=64:64', '--', 'bash', '-c', 'true'],
      ].flat(),
    );
  });

  test('show a bare program nothing but itself, the folders and what is bound, and hand over descriptors', () => {
    const bare: PodmanPlan = {
      ...plan,
      identity: 'mapped',
      request: {
        ...request,
        argv: ['/opt/node', '/run/cordon/agent.cjs'],
        view: 'bare',
        writableFolders: [],
        stdin: 'ignore',
        descriptors: [Buffer.from('a'), Buffer.from('b')],
        binds: [{ source: '/dist/agent.cjs', target: '/run/cordon/agent.cjs' }],
      },
      scan: { secrets: [], protectedPaths: [], pinned: [], guarded: [] },
      program: { paths: [{ source: '/opt/node', target: '/opt/node' }], isElectron: false },
      command: ['/opt/node', '/run/cordon/agent.cjs'],
    };
    expect(podmanArguments(facts, podman, bare)).toEqual(
      [
        ...records,
        ['run', '--rm', '--pull=never', '--uidmap=1001:0:1', '--gidmap=100:0:1', '--user=1001:100'],
        ...namespaces,
        '--network=none',
        ...walls,
        ['--log-driver=passthrough', '--sig-proxy=false', '--preserve-fds=2'],
        ...laid,
        '--mount=type=bind,source=/opt/node,target=/opt/node,ro,bind-propagation=rslave',
        '--mount=type=bind,source=/home/ann/my project,target=/home/ann/my project,ro,bind-propagation=rslave',
        '--mount=type=bind,"source=/srv/a,b ""c"":d","target=/srv/a,b ""c"":d",ro,bind-propagation=rslave',
        '--mount=type=bind,"source=/srv/a,b ""c"":d",target=/home/ann/link,ro,bind-propagation=rslave',
        '--mount=type=bind,source=/dist/agent.cjs,target=/run/cordon/agent.cjs,ro,bind-propagation=rslave',
        ['--workdir=/home/ann/my project', '--rootfs', '/run/p/l/root'],
        ['/opt/node', '/run/cordon/agent.cjs'],
      ].flat(),
    );
  });

  test('stay in the network that Podman was started in only where that is the session’s own', () => {
    const shared = podmanArguments(facts, podman, { ...plan, sharesNetwork: true });
    const own = podmanArguments(facts, podman, plan);
    expect([shared, own].map(words => words.filter(word => word.startsWith('--network')))).toEqual([
      ['--network=host'],
      ['--network=none'],
    ]);
  });

  test('name each target once, the last mount on it', () => {
    const twice: LaunchRequest = {
      ...request,
      binds: [
        { source: '/first', target: '/run/cordon/x' },
        { source: '/second', target: '/run/cordon/x' },
      ],
    };
    const words = podmanArguments(facts, podman, { ...plan, request: twice });
    expect(words.filter(word => word.includes('/run/cordon/x'))).toEqual([
      '--mount=type=bind,source=/second,target=/run/cordon/x,ro,bind-propagation=rslave',
    ]);
  });
});

test('a path with a line break, a quote or a comma is one field of one mount', () => {
  const path = '/srv/a\n"b",target=/etc';
  const words = podmanArguments({ ...facts, folders: [{ path, realPath: path }] }, podman, plan);
  expect(words).toContain(
    '--mount=type=bind,"source=/srv/a\n""b"",target=/etc","target=/srv/a\n""b"",target=/etc",ro,bind-propagation=rslave',
  );
});

test('a path with a carriage return is refused, because Podman would read another one', () => {
  const path = '/srv/a\r\nb';
  expect(() => podmanArguments({ ...facts, folders: [{ path, realPath: path }] }, podman, plan)).toThrow(
    'cannot be shown in a container',
  );
});

test('the environment goes into the settings, quoted, so that no value becomes a setting', () => {
  const settings = containersConf('/run/p', { A: 'x"]\nvolumes = ["/:/host"]', B: 'c:\\d', C: 'ü' });
  expect(settings.split('\n')).toEqual([
    '[containers]',
    String.raw`env = ["A=x\"]\u000avolumes = [\"/:/host\"]", "B=c:\\d", "C=ü"]`,
    'volumes = []',
    'devices = []',
    'annotations = []',
    'default_sysctls = []',
    'default_ulimits = []',
    'http_proxy = false',
    'env_host = false',
    '[engine]',
    'runtime = "crun"',
    'lock_type = "file"',
    'hooks_dir = ["/run/p/h"]',
    'volume_path = "/run/p/v"',
    'events_logger = "none"',
    '',
  ]);
});

test('the root holds the links and the folders that mount points lie in', () => {
  expect(
    rootLayout([
      { kind: 'link', target: '/bin', to: 'usr/bin' },
      { kind: 'bind', source: '/a', target: '/home/ann/project', isWritable: false },
      { kind: 'memory', target: '/tmp/x' },
    ]),
  ).toEqual({
    links: [{ path: '/bin', to: 'usr/bin' }],
    folders: ['/home', '/home/ann', '/tmp'],
  });
});

describe.each(['x64', 'arm64'] as const)('the seccomp profile for %s', architecture => {
  const { syscalls } = seccompProfile(architecture);
  /** What libseccomp makes of it: the error of the first rule that matches, or undefined. */
  const judge = (name: string, ...words: number[]) =>
    syscalls.find(
      rule =>
        rule.names.includes(name) &&
        (rule.args ?? []).every(({ index, op, value, valueTwo }) => {
          const word = BigInt(words[index] ?? 0);
          if (op === 'SCMP_CMP_EQ') return word === BigInt(value);
          if (op === 'SCMP_CMP_NE') return word !== BigInt(value);
          if (op === 'SCMP_CMP_GT') return word > BigInt(value);
          return (word & BigInt(value)) === BigInt(valueTwo ?? 0);
        }),
    )?.errnoRet;

  test('refuses every call of the table that the architecture has', () => {
    const column = architecture === 'x64' ? 0 : 1;
    const names = Object.entries(refusedCalls).flatMap(([name, at]) =>
      at[column] === undefined ? [] : [name],
    );
    expect(names.filter(name => judge(name) !== 1)).toEqual([]);
  });

  test.each<[string, number | undefined, string, ...number[]]>([
    ['a new process', undefined, 'clone', 17],
    ['a new user namespace', 1, 'clone', 0x1000_0000 | 17],
    ['a new network with a bit set above', 1, 'unshare', 0x1_4000_0000],
    ['a new time namespace', 1, 'unshare', 0x80],
    ['clone3, which falls back', 38, 'clone3'],
    ['typing into the terminal', 1, 'ioctl', 0, 0x5412],
    ['typing with a bit set above', 1, 'ioctl', 0, 0x1_0000_5412],
    ['the size of the terminal', undefined, 'ioctl', 0, 0x5413],
    ['a Unix socket', undefined, 'socket', 1, 1],
    ['a TCP socket', undefined, 'socket', 2, 1 | 0o2000000],
    ['a raw socket', 1, 'socket', 2, 3 | 0o2000000],
    ['a raw socket of IPv6', 1, 'socket', 10, 3],
    ['the list of interfaces', undefined, 'socket', 16, 3, 0],
    ['kernel events', 1, 'socket', 16, 3, 15],
    ['a packet socket', 97, 'socket', 17, 3],
    ['a socket of the virtual machine', 97, 'socket', 40, 1],
    ['a family with a bit set above', 97, 'socket', 0x1_0000_0001, 1],
    ['a pair of Unix sockets', undefined, 'socketpair', 1, 1],
    ['a pair of another family', 97, 'socketpair', 40, 1],
  ])('judges %s: %s', (_, error, name, ...words) => {
    expect(judge(name, ...words)).toBe(error);
  });
});

test('what keeps Podman from starting is named, with the way to mend it', () => {
  const facts = { podman: '/usr/bin/podman', version: '4.3.1', trial: undefined, mixesControlGroups: false };
  const noNumbers = 'Error: keep-id requires additional UIDs or GIDs defined in /etc/subuid and /etc/subgid';
  const verdicts = [
    facts,
    { ...facts, version: '3.0.1' },
    { ...facts, version: '' },
    { ...facts, version: '10.0.0' },
    { ...facts, trial: 'crun: cgroups in hybrid mode not supported', mixesControlGroups: true },
    { ...facts, trial: noNumbers },
    { ...facts, trial: 'Error: something else' },
  ].map(diagnosePodman);
  expect(verdicts.map(each => (each.kind === 'ready' ? each.kind : each.code))).toEqual([
    'ready',
    'sandbox.podmanTooOld',
    'sandbox.podmanTooOld',
    'ready',
    'sandbox.podmanControlGroups',
    'sandbox.podmanUserIds',
    'sandbox.podmanCannotStart',
  ]);
  const remedies = verdicts.flatMap(each => (each.kind === 'ready' ? [] : [each.remedy]));
  expect(remedies.every(each => each.includes('cordon.sandbox.backend'))).toBe(true);
});
