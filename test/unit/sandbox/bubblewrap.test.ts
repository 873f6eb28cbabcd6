import { describe, expect, test } from 'vitest';
import {
  bubblewrapArguments,
  insideCommand,
  outsideLimits,
  sourcesOf,
  type LaunchPlan,
} from '../../../sandbox/bubblewrap.ts';
import type { SandboxFacts } from '../../../sandbox/facts.ts';
import { defaultLimits } from '../../../sandbox/limits.ts';
import type { LaunchRequest } from '../../../sandbox/sandbox.ts';

const facts: SandboxFacts = {
  bwrap: '/usr/bin/bwrap',
  prlimit: '/usr/bin/prlimit',
  shell: '/usr/bin/sh',
  user: { uid: 1000, gid: 1000, name: 'ann' },
  folders: [
    { path: '/home/ann/my project', realPath: '/home/ann/my project' },
    { path: '/home/ann/link', realPath: '/srv/other' },
  ],
  system: [{ path: '/usr' }, { path: '/bin', link: 'usr/bin' }],
  hiddenInProc: [
    { path: '/proc/kcore', isFolder: false },
    { path: '/proc/fs', isFolder: true },
  ],
  toolchains: [
    { name: 'pyenv', paths: ['/home/ann/.pyenv'], environment: { PYENV_ROOT: '/home/ann/.pyenv' } },
  ],
  path: ['/home/ann/.pyenv/bin', '/usr/bin'],
  extraReadOnlyPaths: ['/opt/tool'],
  gitDirectories: ['/home/ann/main/.git'],
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
  limits: { ...defaultLimits, processes: 64 },
};

const request: LaunchRequest = {
  argv: ['bash', '-c', 'true'],
  cwd: '/home/ann/my project',
  writableFolders: [],
  view: 'system',
  stdin: 'ignore',
};

const plan: LaunchPlan = {
  request,
  scan: {
    secrets: ['/home/ann/my project/.env', '/srv/other/id_rsa'],
    protectedPaths: ['/home/ann/my project/.git/config', '/srv/other/.vscode'],
    pinned: ['/home/ann/my project/.git'],
    guarded: ['/home/ann/my project/.envrc'],
  },
  copyOnWrite: [],
  sharesNetwork: false,
  statusDescriptor: 3,
  seccompDescriptor: 5,
  environment: { PATH: '/usr/bin', GIVEN: 'a b' },
};

const beginning = [
  [
    '--unshare-user',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    '--unshare-net',
  ],
  ['--disable-userns', '--uid', '1000', '--gid', '1000', '--cap-drop', 'ALL', '--hostname', 'cordon'],
  ['--die-with-parent', '--new-session', '--json-status-fd', '3', '--seccomp', '5'],
].flat();
const kernel = [
  ['--proc', '/proc', '--ro-bind', '/proc/sys', '/proc/sys'],
  ['--ro-bind', '/state/hidden', '/proc/kcore', '--ro-bind', '/state/empty', '/proc/fs'],
  ['--dev', '/dev', '--size', '1073741824', '--tmpfs', '/dev/shm', '--remount-ro', '/dev'],
].flat();
const system = [
  ['--ro-bind', '/usr', '/usr', '--symlink', 'usr/bin', '/bin'],
  ['--ro-bind', '/state/etc', '/etc', '--ro-bind', '/etc/ssl/certs', '/etc/ssl/certs'],
  ...kernel,
  ['--bind', '/state/tmp', '/tmp', '--bind', '/state/tmp', '/var/tmp'],
  ['--bind', '/state/home', '/run/cordon/home', '--symlink', '../run', '/var/run'],
  ['--ro-bind', '/opt/tool', '/opt/tool', '--ro-bind', '/home/ann/.pyenv', '/home/ann/.pyenv'],
].flat();
const git = ['--ro-bind', '/home/ann/main/.git', '/home/ann/main/.git'];
const masks = [
  ['--ro-bind', '/state/hidden', '/home/ann/my project/.env'],
  ['--ro-bind', '/state/hidden', '/srv/other/id_rsa', '--ro-bind', '/state/hidden', '/home/ann/link/id_rsa'],
].flat();
const environment = ['--clearenv', '--setenv', 'PATH', '/usr/bin', '--setenv', 'GIVEN', 'a b'];
const end = ['--remount-ro', '/', '--chdir', '/home/ann/my project', ...environment];

function folders(first: string, second: string): string[] {
  return [
    [first, '/home/ann/my project', '/home/ann/my project'],
    [second, '/srv/other', '/srv/other', second, '/srv/other', '/home/ann/link'],
  ].flat();
}

describe('the options of bwrap', () => {
  test('show a command the system, its toolchains and the folders, all read-only, without the secrets', () => {
    expect(bubblewrapArguments(facts, plan)).toEqual(
      [...beginning, ...system, ...git, ...folders('--ro-bind', '--ro-bind'), ...masks, ...end].flat(),
    );
  });

  test('keep what can run code later read-only in a folder that is writable, and unmovable', () => {
    const writable = { ...request, writableFolders: ['/home/ann/my project'] };
    expect(bubblewrapArguments(facts, { ...plan, request: writable })).toEqual(
      [
        ...beginning,
        ...system,
        ...git,
        ...folders('--bind', '--ro-bind'),
        ['--ro-bind', '/home/ann/my project/.git', '/home/ann/my project/.git'],
        ['--ro-bind', '/home/ann/my project/.git/config', '/home/ann/my project/.git/config'],
        ['--ro-bind', '/state/empty', '/home/ann/my project/.envrc'],
        ...masks,
        ...end,
      ].flat(),
    );
  });

  test('lift a protection or a mask only for the path that the user allowed', () => {
    const allowed = {
      ...request,
      writableFolders: ['/home/ann/my project', '/home/ann/link'],
      allowedPaths: ['/home/ann/my project/.env', '/srv/other/.vscode/settings.json'],
    };
    expect(bubblewrapArguments(facts, { ...plan, request: allowed }).slice(-25)).toEqual(
      [
        ['/home/ann/my project/.git', '/home/ann/my project/.git'],
        ['--ro-bind', '/home/ann/my project/.git/config', '/home/ann/my project/.git/config'],
        ['--ro-bind', '/state/empty', '/home/ann/my project/.envrc'],
        ...masks.slice(3),
        ...end,
      ].flat(),
    );
  });

  test('let a command write to a repository of the user’s only where that was allowed', () => {
    const path = '/home/ann/my project/.git';
    const allowed = {
      ...request,
      writableFolders: ['/home/ann/my project'],
      allowedPaths: [`${path}/index.lock`],
    };
    const words = bubblewrapArguments(facts, { ...plan, request: allowed });
    expect(words.slice(words.indexOf(path) - 1).slice(0, 6)).toEqual([
      '--bind',
      path,
      path,
      '--ro-bind',
      `${path}/config`,
      `${path}/config`,
    ]);
  });

  test('show what was granted outside under the folders: readable, writable with its protections, and hidden', () => {
    const granted = [
      { path: '/home/ann', access: 'read' },
      { path: '/home/ann/other', access: 'write' },
      { path: '/home/ann/never', access: 'none' },
    ] as const;
    const scan = {
      ...plan.scan,
      secrets: ['/home/ann/other/.env'],
      protectedPaths: ['/home/ann/other/.git/hooks', '/home/ann/readable/.vscode'],
      pinned: ['/home/ann/other/.git'],
      guarded: ['/home/ann/other/.envrc'],
    };
    const beside = '/home/ann/my project';
    expect(bubblewrapArguments(facts, { ...plan, scan, granted })).toEqual(
      [
        ...beginning,
        ...system,
        ['--ro-bind', '/home/ann', '/home/ann', '--bind', '/home/ann/other', '/home/ann/other'],
        ['--ro-bind', '/state/empty', '/home/ann/never'],
        ...git,
        ...folders('--ro-bind', '--ro-bind'),
        ['--ro-bind', '/home/ann/other/.git', '/home/ann/other/.git'],
        ['--ro-bind', '/home/ann/other/.git/hooks', '/home/ann/other/.git/hooks'],
        ['--ro-bind', '/state/empty', '/home/ann/other/.envrc'],
        ['--ro-bind', '/state/hidden', '/home/ann/other/.env'],
        ['--remount-ro', '/', '--chdir', beside, ...environment],
      ].flat(),
    );
  });

  test('make everything writable in a copy-on-write view, where nothing needs protection', () => {
    const copyOnWrite = ['/home/ann/my project', '/srv/other', '/home/ann/main/.git'];
    expect(bubblewrapArguments(facts, { ...plan, copyOnWrite, sharesNetwork: true })).toEqual(
      [
        ...beginning.filter(word => word !== '--unshare-net'),
        ...system,
        ['--bind', '/home/ann/main/.git', '/home/ann/main/.git'],
        ...folders('--bind', '--bind'),
        ...masks,
        ...end,
      ].flat(),
    );
  });

  test('take what another user does not get to from where root shows it, and nothing else is another', () => {
    const ways = new Map([
      ['/state/home', '/sys/1'],
      ['/state/empty', '/sys/2'],
      ['/state/hidden', '/sys/3'],
      ['/srv/other', '/sys/4'],
    ]);
    const plain = bubblewrapArguments(facts, plan);
    const shown = bubblewrapArguments(facts, plan, ways);
    const isSource = (at: number) => ['--bind', '--ro-bind'].includes(plain[at - 1] ?? '');
    expect(shown).toEqual(plain.map((word, at) => (isSource(at) ? (ways.get(word) ?? word) : word)));
    expect(shown).not.toEqual(plain);
    expect(sourcesOf(facts, plan)).toEqual([
      ...new Set([
        '/state/empty',
        '/state/hidden',
        ...plain.filter((_, at) => isSource(at) && plain[at] !== '/proc/sys'),
      ]),
    ]);
  });

  test('show a bare program nothing but itself, the folders and what is bound', () => {
    const bare: LaunchRequest = {
      ...request,
      argv: ['/opt/node', '/run/cordon/agent.cjs'],
      view: 'bare',
      binds: [{ source: '/dist/agent.cjs', target: '/run/cordon/agent.cjs' }],
    };
    const program = { paths: [{ source: '/lib/libc.so.6', target: '/lib/libc.so.6' }], isElectron: false };
    expect(bubblewrapArguments(facts, { ...plan, request: bare, program })).toEqual(
      [
        ...beginning,
        ['--ro-bind', '/lib/libc.so.6', '/lib/libc.so.6'],
        ...kernel,
        ...git,
        ...folders('--ro-bind', '--ro-bind'),
        ...masks,
        ['--ro-bind', '/dist/agent.cjs', '/run/cordon/agent.cjs'],
        ...end,
      ].flat(),
    );
  });

  test('anchor what is shown below /tmp, so that no command decides where the next one is mounted', () => {
    const inTmp = {
      ...facts,
      folders: [
        { path: '/tmp/a/b', realPath: '/tmp/a/b' },
        { path: '/tmp/c', realPath: '/tmp/c' },
      ],
    };
    const words = bubblewrapArguments(inTmp, plan);
    const at = words.indexOf('/tmp');
    expect(words.slice(at + 1, at + 8)).toEqual([
      '--size',
      '1048576',
      '--tmpfs',
      '/tmp/a',
      '--bind',
      '/state/tmp',
      '/var/tmp',
    ]);
  });
});

test('commands are limited inside, where no other process of the user counts; the agent from outside', () => {
  const limits = { processes: 64, memory: 1000, openFiles: 20, output: 1, fileSize: 3000, diskSpace: 1 };
  const few = { ...facts, limits };
  const bare = { ...request, view: 'bare' as const };
  const common = [
    '/usr/bin/prlimit',
    '--nofile=20:20',
    '--data=1000:1000',
    '--fsize=3000:3000',
    '--core=0:0',
  ];
  expect(insideCommand(few, request)).toEqual([...common, '--nproc=64:64', '--', 'bash', '-c', 'true']);
  expect({ outside: outsideLimits(few), inside: insideCommand(few, bare) }).toEqual({
    outside: [...common, '--'],
    inside: ['bash', '-c', 'true'],
  });
  const none = { ...few, prlimit: undefined };
  expect({ outside: outsideLimits(none), inside: insideCommand(none, request) }).toEqual({
    outside: [],
    inside: ['bash', '-c', 'true'],
  });
});
