import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isInside } from '../../../sandbox/inside.ts';
import { rules } from '../../../sandbox/protectedPaths.ts';
import type { LaunchRequest } from '../../../sandbox/sandbox.ts';
import { sandboxExecArguments, seatbeltProfile, type SeatbeltPlan } from '../../../sandbox/seatbelt.ts';
import { programNeeds, type SeatbeltFacts } from '../../../sandbox/seatbeltFacts.ts';
import { inPlace } from '../../../sandbox/seatbeltLauncher.ts';
import { namePattern, protectionPattern } from '../../../sandbox/seatbeltPattern.ts';
import { isSecretFile, openNames, secretNames } from '../../../sandbox/secretFiles.ts';
import { Profile, type Question } from './seatbeltJudge.ts';
import { listsOf, parseProfile } from './seatbeltReader.ts';

const facts: SeatbeltFacts = {
  sandboxExec: '/usr/bin/sandbox-exec',
  user: { uid: 501, gid: 20, name: 'ann' },
  homes: ['/Users/ann'],
  folders: [
    { path: '/Users/ann/project', realPath: '/Users/ann/project' },
    { path: '/tmp/link', realPath: '/private/tmp/other' },
  ],
  gitDirectories: ['/Users/ann/main/.git'],
  toolchains: [{ name: 'pyenv', paths: ['/Users/ann/.pyenv'], environment: {} }],
  toolchainPaths: ['/Users/ann/.pyenv'],
  extraReadOnlyPaths: ['/opt/tool'],
  certificateFiles: ['/Users/ann/company.crt'],
  path: ['/usr/bin', '/bin'],
  state: {
    home: '/Users/ann/Library/Caches/Cordon/0a1b/home',
    temporary: '/private/var/folders/x1/abc/T/cordon-t-1',
    dropsTemporary: true,
    settings: '/Users/ann/Library/Caches/Cordon/0a1b/settings',
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
  cwd: '/Users/ann/project',
  writableFolders: ['/Users/ann/project'],
  view: 'system',
  stdin: 'ignore',
};

/** Of the broker's, as a window of VS Code lays it out. */
const socket = '/private/var/folders/x1/abc/T/cordon-r/gateway.sock';
const own = { home: facts.state.home, temporary: facts.state.temporary };

const plan: SeatbeltPlan = { request, files: [], sockets: [socket] };

const bare: SeatbeltPlan = {
  request: { ...request, argv: ['/opt/node/bin/node'], view: 'bare', writableFolders: [] },
  files: ['/Users/ann/.vscode/extensions/cordon/agent.cjs', '/Users/ann/.vscode/extensions/cordon/rg'],
  sockets: [socket],
  program: { path: '/opt/node/bin/node', needs: ['/opt/node'] },
};

/** As in "file-read-data /path", "network-outbound 127.0.0.1:80", "mach-lookup com.apple.x". */
function ask(question: string, of: SeatbeltPlan = plan, about: SeatbeltFacts = facts): boolean {
  return profileOf(of, about).allows(readQuestion(question));
}

function profileOf(of: SeatbeltPlan, about: SeatbeltFacts = facts): Profile {
  const { text, parameters } = seatbeltProfile(about, of);
  return new Profile(text, parameters);
}

function readQuestion(question: string): Question {
  const [operation = '', ...rest] = question.split(' ');
  const object = rest.join(' ');
  const [, host, port] = /^([\w.:-]+):(\d+)$/.exec(object) ?? [];
  if (host !== undefined) return { operation, host, port: Number(port) };
  if (object.startsWith('/')) return { operation, path: object };
  return object === '' ? { operation } : { operation, name: object };
}

const reaching: SeatbeltPlan = { ...plan, proxyPort: 49_152 };
const wide: SeatbeltPlan = {
  ...plan,
  request: {
    ...request,
    output: 'inherit',
    writableFolders: ['/Users/ann/project', '/tmp/link'],
    allowedPaths: ['/Users/ann/project/.env', '/Users/ann/project/.git/config'],
    grantedFolders: [
      { path: '/Users/ann/library', access: 'read' },
      { path: '/Users/ann/notes', access: 'write' },
      { path: '/Users/ann/notes/private', access: 'none' },
    ],
  },
};

describe('the whole profile', () => {
  test('of a command is the one that was reviewed', async () => {
    const { text, parameters } = seatbeltProfile(facts, plan);
    await expect(text).toMatchFileSnapshot('./seatbelt.command.sb');
    expect(parameters).toEqual({
      FOLDER_0: '/Users/ann/project',
      FOLDER_1: '/private/tmp/other',
      REPOSITORY_0: '/Users/ann/main/.git',
      TOOL_0: '/Users/ann/.pyenv',
      TOOL_1: '/opt/tool',
      CERTIFICATE_0: '/Users/ann/company.crt',
      OWN_0: own.home,
      OWN_1: own.temporary,
      SETTINGS_0: facts.state.settings,
      ALIAS_0: '/tmp/link',
      HOME_0: '/Users/ann',
      SOCKET_0: socket,
    });
  });

  test('of a bare program is the one that was reviewed', async () => {
    await expect(seatbeltProfile(facts, bare).text).toMatchFileSnapshot('./seatbelt.bare.sb');
  });

  test('begins with denying everything, and each of its parts is well-formed', () => {
    for (const each of [plan, bare, reaching, wide]) {
      const forms = parseProfile(seatbeltProfile(facts, each).text);
      expect(forms.slice(0, 2)).toEqual([
        ['version', '1'],
        ['deny', 'default'],
      ]);
      expect(
        forms.slice(1).every(form => Array.isArray(form) && ['allow', 'deny'].includes(String(form[0]))),
      ).toBe(true);
    }
  });
});

test('no path of the user stands in the text, whatever it is called: all are parameters', () => {
  const hostile = [
    '/Users/ann/a")(allow default)("',
    "/Users/ann/it's (mine)",
    '/Users/ann/line\nbreak;',
    '/Users/ann/back\\slash',
    '/Users/ann/[.*]+$',
    '/Users/ann/größe',
    '/Users/ann/gro\u0308ße',
    '/Users/ann/(param "HOME_0")',
  ];
  const plain = seatbeltProfile(facts, plan).text;
  for (const path of hostile) {
    const about = { ...facts, folders: [{ path, realPath: path }, ...facts.folders.slice(1)] };
    const of = { ...plan, request: { ...request, writableFolders: [path] } };
    const profile = seatbeltProfile(about, of);
    expect(profile.text).toBe(plain);
    expect(profile.parameters['FOLDER_0']).toBe(path);
    expect(ask(`file-read-data ${path}/a.txt`, of, about)).toBe(true);
    expect(ask(`file-write-data ${path}/a.txt`, of, about)).toBe(true);
    expect(ask(`file-read-data ${path}/deep/.env`, of, about)).toBe(false);
    expect(ask(`file-write-data ${path}/.git/config`, of, about)).toBe(false);
    expect(ask(`file-read-data ${path}x/a.txt`, of, about)).toBe(false);
  }
});

test('every parameter that the text names is given, and every one that is given is named', () => {
  for (const each of [plan, bare]) {
    const { text, parameters } = seatbeltProfile(facts, each);
    const named = listsOf(parseProfile(text), 'param').map(form => (form[1] as { text: string }).text);
    expect([...new Set(named)].toSorted()).toEqual(Object.keys(parameters).toSorted());
  }
});

test('paths are given to sandbox-exec one by one, each as a word of its own', () => {
  const profile = { text: '', parameters: { FOLDER_0: '/a=b "c"\n', HOME_0: '/Users/ann' } };
  expect(sandboxExecArguments('/state/profile.sb', profile, ['bash', '-c', 'true'])).toEqual([
    '-f',
    '/state/profile.sb',
    '-D',
    'FOLDER_0=/a=b "c"\n',
    '-D',
    'HOME_0=/Users/ann',
    '--',
    'bash',
    '-c',
    'true',
  ]);
});

describe('a command', () => {
  test.each([
    'file-read-data /Users/ann/project/src/a.ts',
    'file-write-create /Users/ann/project/src/a.ts',
    'file-write-unlink /Users/ann/project/src/a.ts',
    'file-read-data /private/tmp/other/a.ts',
    'file-read-data /tmp/link',
    'file-read-metadata /Users/ann',
    'file-read-data /Users/ann/main/.git/HEAD',
    'process-exec /Users/ann/project/run.sh',
    'process-exec /bin/ls',
    'process-exec /Users/ann/.pyenv/bin/python',
    `file-write-create ${own.home}/.cache/x`,
    `file-write-create ${own.temporary}/x`,
    `process-exec ${own.home}/.cargo/bin/tool`,
    `file-read-data ${facts.state.settings}/gitconfig`,
    `network-bind ${own.temporary}/tsx-501/1.pipe`,
    `network-outbound ${own.temporary}/tsx-501/1.pipe`,
    'file-read-data /usr/lib/libSystem.B.dylib',
    'file-read-data /System/Library/CoreServices/SystemVersion.plist',
    'process-exec /System/Library/Frameworks/Ruby.framework/Versions/2.6/usr/bin/ruby',
    'process-exec-interpreter /bin/bash',
    'sysctl-read hw.ncpu',
    'sysctl-read net.routetable.0.0.3.0',
    'signal same-sandbox',
    'process-info-pidinfo same-sandbox',
    'mach-lookup com.apple.system.opendirectoryd.libinfo',
    'system-socket AF_UNIX',
    'pseudo-tty',
    'file-read-data /Users/ann/project/.env.example',
    'file-read-data /Users/ann/project/node_modules/x/ca.pem',
    'file-read-metadata /Users/ann/project/.env',
    'file-write-create /Users/ann/project/node_modules/x/package.json',
    'file-write-unlink /Users/ann/project/packages/a/node_modules/x/.github',
    'file-write-data /Users/ann/project/node_modules/x/test/server.pem',
    'file-write-create /Users/ann/project/venv/lib/python3.12/site-packages/certifi/cacert.pem',
    'file-write-unlink /Users/ann/project/node_modules',
    'file-write-create /Users/ann/project/.gitignore',
    'file-write-data /dev/null',
    `network-outbound ${socket}`,
    'process-fork',
  ])('may %s', question => expect(ask(question)).toBe(true));

  test.each([
    'file-read-data /Users/ann/.ssh/id_ed25519',
    'file-read-data /Users/ann/notes.txt',
    'file-read-data /System/Volumes/Data/Users/ann/notes.txt',
    'file-read-metadata /Users/ann/notes.txt',
    'file-read-data /Users/bob/project/a.ts',
    'file-read-data /Users/ann/project2/a.ts',
    'file-read-data /private/etc/master.passwd',
    'file-read-data /private/tmp/elsewhere',
    'file-read-data /Users/ann/Library/Keychains/login.keychain-db',
    'file-write-create /Users/ann/.zshrc',
    'file-write-create /private/tmp/x',
    'file-write-data /private/tmp/other/a.ts',
    'file-write-data /Users/ann/main/.git/HEAD',
    'file-write-data /Users/ann/.pyenv/bin/python',
    'file-write-unlink /Users/ann/project',
    `file-write-unlink ${own.home}`,
    `file-write-unlink ${own.temporary}`,
    `file-write-data ${facts.state.settings}/gitconfig`,
    'file-read-data /Users/ann/Library/Caches/Cordon/ffff/home/x',
    'file-read-data /Users/ann/Library/Caches/Google/Chrome/x',
    'file-read-metadata /Users/ann/.aws/credentials',
    'file-read-data /Users/ann/.SSH/id_rsa',
    'file-read-data /Users/ann/Library/Application Support/Google/Chrome/Default/Cookies',
    'file-read-data /private/var/folders/x1/abc/T/other/secret',
    'file-read-data /private/etc/sudoers',
    'file-read-data /opt/homebrew/var/postgresql/1.db',
    'file-read-data /System/Volumes/Data/private/tmp/x',
    'file-read-data /Volumes/Backup/x',
    'file-read-data /dev/disk0',
    'file-read-data /dev/ttys001',
    'file-write-data /dev/ttys001',
    'file-ioctl /dev/ttys001',
    'file-write-create /Users/ann/Library/LaunchAgents/x.plist',
    'file-write-create /Library/LaunchDaemons/x.plist',
    'file-write-create /usr/local/bin/x',
    'file-write-create /private/etc/crontab',
    'file-write-unlink /Users/ann/project/.git',
    'file-write-data /Users/ann/project/package.json',
    'file-write-data /private/tmp/other/node_modules/x/index.js',
    'file-write-create /Users/ann/project/my_node_modules/x/.vscode/tasks.json',
    'file-write-data /Users/ann/project/.git/index',
    'file-write-create /Users/ann/project/.git/commondir',
    'file-write-create /Users/ann/project/module/.git',
    'file-write-setugid /Users/ann/project/a.sh',
    `file-write-setugid ${own.home}/a.sh`,
    'file-write-unlink /Users/ann/project/nested/.GIT',
    'file-write-create /Users/ann/project/.git/hooks/pre-commit',
    'file-write-create /Users/ann/project/nested/.git/hooks/pre-commit',
    'file-write-data /Users/ann/project/.git/modules/a/b/config',
    'file-write-create /Users/ann/project/.VSCode/tasks.json',
    'file-write-create /Users/ann/project/my.code-workspace',
    'file-write-create /Users/ann/project/.github/workflows/ci.yml',
    'file-read-data /Users/ann/project/.env',
    'file-read-data /Users/ann/project/.ENV.local',
    'file-read-data /Users/ann/project/deep/down/server.PEM',
    'file-read-data /private/tmp/other/id_rsa',
    'file-write-unlink /Users/ann/project/.env',
    'file-write-create /Users/ann/project/.env',
    'process-exec /Users/ann/bin/tool',
    'network-outbound /private/var/run/docker.sock',
    'network-outbound',
    'network-bind',
    'mach-register',
    'iokit-open',
    'appleevent-send',
    'process-info-pidinfo',
    'process-info-listpids others',
    'signal others',
    'mach-priv-task-port same-sandbox',
    'mach-lookup com.apple.SecurityServer',
    'mach-lookup com.apple.securityd.xpc',
    'mach-lookup com.apple.pasteboard.1',
    'mach-lookup com.apple.cfprefsd.daemon',
    'mach-lookup com.apple.coreservices.launchservicesd',
    'mach-lookup com.apple.trustd.agent',
    'mach-lookup com.apple.tccd',
    'job-creation',
    'lsopen',
    'user-preference-write',
    'sysctl-read kern.proc.all',
    'sysctl-read kern.procargs2',
    'sysctl-write kern.hostname',
    'ipc-posix-shm-read-data',
    'ipc-sysv-shm',
    'network-outbound 127.0.0.1:1234',
    'network-outbound 93.184.216.34:443',
    'network-bind 127.0.0.1:0',
    'network-inbound 127.0.0.1:3000',
    'system-socket AF_INET',
    'system-socket AF_ROUTE',
    'network-outbound /private/var/run/mDNSResponder',
    'network-outbound /Users/ann/project/host.sock',
    `network-bind ${socket}`,
    'file-link /Users/ann/project/a.ts',
    'file-clone /Users/ann/project/a.ts',
  ])('may not %s', question => expect(ask(question)).toBe(false));

  test('that may not write anywhere still reads', () => {
    const readOnly = { ...plan, request: { ...request, writableFolders: [] } };
    expect([
      ask('file-read-data /Users/ann/project/a', readOnly),
      ask('file-write-create /Users/ann/project/a', readOnly),
    ]).toEqual([true, false]);
  });
});

describe('a bare program', () => {
  test.each([
    'process-exec /opt/node/bin/node',
    'process-exec /Users/ann/.vscode/extensions/cordon/rg',
    'file-read-data /Users/ann/.vscode/extensions/cordon/agent.cjs',
    `network-outbound ${socket}`,
    'file-map-executable /opt/node/lib/libuv.dylib',
    'file-read-data /Users/ann/project/a.ts',
  ])('may %s', question => expect(ask(question, bare)).toBe(true));

  test.each([
    'process-exec /bin/sh',
    'process-exec /opt/node/bin/npm',
    'process-exec /Users/ann/project/run.sh',
    'file-read-data /bin/sh',
    'file-read-data /Users/ann/.pyenv/bin/python',
    `file-read-data ${own.home}/x`,
    `file-write-create ${own.temporary}/x`,
    `network-bind ${own.temporary}/x`,
    'network-outbound 127.0.0.1:49152',
    'mach-lookup com.apple.system.opendirectoryd.libinfo',
    'file-write-create /Users/ann/project/a.ts',
    'pseudo-tty',
  ])('may not %s', question => expect(ask(question, bare)).toBe(false));
});

test('the way out is one port of loopback, and nothing else of it', () => {
  const ports = ['127.0.0.1:49152', 'localhost:49152', '127.0.0.1:49153', '127.0.0.1:443', '10.0.0.1:49152'];
  expect(ports.map(each => ask(`network-outbound ${each}`, reaching))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(
    ['system-socket AF_INET', 'network-bind 127.0.0.1:49152', 'network-inbound 127.0.0.1:49152'].map(each =>
      ask(each, reaching),
    ),
  ).toEqual([true, false, false]);
});

test('folders outside of the workspace are open as they were granted, without their secrets and what was refused in them', () => {
  const allowed = [
    'file-read-data /Users/ann/library/a.ts',
    'file-read-data /Users/ann/notes/a.md',
    'file-write-create /Users/ann/notes/a.md',
  ];
  const refused = [
    'file-write-create /Users/ann/library/a.ts',
    'file-read-data /Users/ann/library/.env',
    'file-write-create /Users/ann/notes/.git/hooks/pre-commit',
    'file-write-unlink /Users/ann/notes',
    'file-read-data /Users/ann/notes/private/a.md',
    'file-read-metadata /Users/ann/notes/private/.env',
    'file-write-create /Users/ann/notes/private/a.md',
    'file-read-data /Users/ann/other/a.md',
  ];
  expect(allowed.filter(each => !ask(each, wide))).toEqual([]);
  expect(refused.filter(each => ask(each, wide))).toEqual([]);
});

test('a terminal that is handed on can be asked what it is, and no other one be opened', () => {
  expect(
    ['file-read-metadata', 'file-ioctl', 'file-read-data', 'file-write-data'].map(each =>
      ask(`${each} /dev/ttys004`, wide),
    ),
  ).toEqual([true, true, false, false]);
});

test('what Cordon made for the sandbox is there although it lies among the editor’s own files', () => {
  const storage = '/Users/ann/Library/Application Support/Code/User/globalStorage/cordon';
  const inside = {
    ...facts,
    state: {
      home: `${storage}/home`,
      temporary: `${storage}/tmp`,
      settings: `${storage}/settings`,
      dropsTemporary: true,
    },
  };
  expect(
    [
      `file-write-create ${storage}/home/x`,
      `process-exec ${storage}/home/x`,
      `file-read-data ${storage}/tmp/x`,
    ].map(each => ask(each, plan, inside)),
  ).toEqual([true, true, true]);
  expect(
    [`file-read-data ${storage}/history.db`, `file-write-create ${storage}/settings/x`].map(each =>
      ask(each, plan, inside),
    ),
  ).toEqual([false, false]);
});

test('whatever path is tried, nothing outside of what is shown is read, and nothing outside of the writable is written', () => {
  const names = fc.constantFrom(
    'a',
    '.env',
    '.git',
    'ann',
    'project',
    'notes',
    'Library',
    'home',
    '..x',
    'private',
    'node_modules',
    'T',
    '.ssh',
    'é',
    'a\nb',
  );
  const start = fc.constantFrom(
    '/Users/ann',
    '/Users',
    '/private',
    '/private/tmp/other',
    '/Users/ann/project',
    '/Users/ann/notes',
    own.home,
    own.temporary,
    '/Volumes',
    '/opt',
    '/System/Volumes/Data/Users/ann',
  );
  const path = fc
    .tuple(start, fc.array(names, { maxLength: 5 }))
    .map(([first, rest]) => [first, ...rest].join('/'));
  const below = (places: readonly string[], each: string) => places.some(place => isInside(each, place));
  const writable = ['/Users/ann/project', '/private/tmp/other', '/Users/ann/notes', own.home, own.temporary];
  const shown = [
    ...writable,
    '/Users/ann/library',
    '/Users/ann/main/.git',
    '/Users/ann/.pyenv',
    '/opt/tool',
    '/Users/ann/company.crt',
    facts.state.settings,
    socket,
    '/tmp/link',
  ];
  const profile = profileOf(wide);
  const operations = ['file-read-data', 'file-write-create', 'file-write-data', 'file-write-unlink'];
  const escapes = (each: string) =>
    operations
      .filter(operation => profile.allows({ operation, path: each }))
      .filter(operation => !below(operation === 'file-read-data' ? shown : writable, each));
  const found = fc.check(
    fc.property(path, each => each === '/private' || escapes(each).length === 0),
    { numRuns: 2_000 },
  );
  expect(found).toMatchObject({ failed: false, counterexample: null });
});

test('every question about a place has one answer, whichever way precedence is read', () => {
  const places = [
    ...facts.folders.map(each => each.realPath),
    ...Object.values(facts.state).filter(each => typeof each === 'string'),
    ...facts.homes,
    '/Users/ann/notes',
    '/Users/ann/notes/private',
    '/usr/bin',
    '/dev',
  ];
  const names = [
    '',
    '/a',
    '/.env',
    '/.env.example',
    '/.git',
    '/.git/config',
    '/.git/hooks/x',
    '/.ssh/id_rsa',
    '/node_modules/a.pem',
    '/node_modules/x/.git/config',
    '/node_modules/.github',
    '/.vscode/x',
    '/null',
  ];
  const operations = [
    ...['data', 'metadata', 'xattr'].map(each => `file-read-${each}`),
    ...['data', 'create', 'unlink', 'mode', 'flags', 'xattr'].map(each => `file-write-${each}`),
    'file-map-executable',
    'file-ioctl',
    'process-exec',
    'process-exec-interpreter',
    'network-outbound',
    'network-bind',
  ];
  const profiles = [plan, bare, reaching, wide].map(each => profileOf(each));
  let asked = 0;
  for (const profile of profiles)
    for (const operation of operations)
      for (const place of places)
        for (const name of names) {
          profile.allows({ operation, path: place + name });
          asked += 1;
        }
  expect(asked).toBe(4 * operations.length * places.length * names.length);
});

test('what the user allowed by name is lifted, with what the file writer lays beside it, and nothing else', () => {
  const lifted: SeatbeltPlan = {
    ...plan,
    request: {
      ...request,
      writableFolders: ['/Users/ann/project', '/tmp/link'],
      allowedPaths: ['/Users/ann/project/.vscode/tasks.json', '/tmp/link/.env', '/Users/ann/.ssh/id_rsa'],
    },
  };
  expect(
    [
      'file-write-create /Users/ann/project/.vscode/.tasks.json.0a1b.tmp',
      'file-write-data /Users/ann/project/.vscode/tasks.json',
      'file-read-data /private/tmp/other/.env',
      'file-write-unlink /private/tmp/other/.env',
      'file-write-data /Users/ann/project/.git/config',
      'file-read-data /Users/ann/project/.env',
      'file-read-data /Users/ann/.ssh/id_rsa',
    ].map(question => ask(question, lifted)),
  ).toEqual([true, true, true, true, false, false, false]);
});

test('the patterns of names say the same as our own tables, for names in any case', () => {
  const matches = (patterns: readonly string[], path: string) =>
    patterns.some(pattern => new RegExp(`^/w${pattern}`, 's').test(path));
  const secrets = secretNames.map(namePattern);
  const open = openNames.map(namePattern);
  const names = [
    '.env',
    '.env.local',
    '.ENV',
    '.env.example',
    '.Env.Sample',
    'x.env',
    'env',
    'a.pem',
    'A.PEM',
    'a.pem.txt',
    'a.key',
    'key',
    'id_rsa',
    'ID_RSA',
    'id_rsa.old',
    'id_rsa.pub',
    'id_map.ts',
    'id_x-y',
    '.netrc',
    '.netrcs',
    'a.p12',
    'a.kdbx',
    '.git-credentials',
    '.pgpass',
    'README.md',
    'a\nb.pem',
  ];
  for (const name of names)
    expect({ name, secret: matches(secrets, `/w/a/${name}`) && !matches(open, `/w/a/${name}`) }).toEqual({
      name,
      secret: isSecretFile(name) || isSecretFile(name.toLowerCase()),
    });
});

test('every protected path is covered, at any depth, and its neighbours are not', () => {
  for (const rule of rules) {
    const pattern = new RegExp(`^/w${protectionPattern(rule)}`);
    const path = rule.path.replace('*', 'name');
    expect(
      [
        `/w/${path}`,
        `/w/a/b/${path}`,
        `/w/${path.toUpperCase()}`,
        `/w/${path}/x`,
        `/w/x${path}y`,
        `/v/${path}`,
      ].map(each => pattern.test(each)),
    ).toEqual([true, true, true, true, false, false]);
  }
});

test('a table with a name that a profile could misread does not load', () => {
  expect(() => protectionPattern({ path: 'a"b' })).toThrow('not known to be safe');
  expect(() => namePattern(/^a{2}$/)).toThrow('not known to be safe');
  expect(() => namePattern(/^\d$/)).toThrow('not known to be safe');
});

test('words and variables that name the target of a bind name the file itself, because nothing is shown elsewhere', () => {
  const moved = inPlace(
    {
      ...request,
      argv: ['/opt/node', '/run/cordon/agent.cjs', '/run/cordon/agent.cjs.map'],
      binds: [{ source: '/nonexistent/agent.cjs', target: '/run/cordon/agent.cjs' }],
      environment: { SOCKET: '/run/cordon/agent.cjs', OTHER: 'x' },
    },
    facts,
  );
  expect({ argv: moved.argv, binds: moved.binds, environment: moved.environment }).toEqual({
    argv: ['/opt/node', '/nonexistent/agent.cjs', '/run/cordon/agent.cjs.map'],
    binds: [{ source: '/nonexistent/agent.cjs', target: '/nonexistent/agent.cjs' }],
    environment: {
      HOME: own.home,
      TMPDIR: own.temporary,
      GIT_CONFIG_SYSTEM: `${facts.state.settings}/gitconfig`,
      SOCKET: '/nonexistent/agent.cjs',
      OTHER: 'x',
    },
  });
});

test('a program needs the application or the tools that it belongs to', () => {
  const helper =
    '/Applications/Visual Studio Code.app/Contents/Frameworks/Code Helper (Plugin).app/Contents/MacOS/Code Helper (Plugin)';
  expect([
    programNeeds(helper, []),
    programNeeds('/Users/ann/.nvm/versions/node/v24/bin/node', ['/Users/ann/.nvm']),
    programNeeds('/opt/homebrew/Cellar/node/24/bin/node', []),
    programNeeds('/srv/node/node', []),
  ]).toEqual([
    ['/Applications/Visual Studio Code.app'],
    ['/Users/ann/.nvm'],
    ['/opt/homebrew'],
    ['/srv/node'],
  ]);
});
