import { describe, expect, test } from 'vitest';
import { rules } from '../../../sandbox/protectedPaths.ts';
import type { LaunchRequest } from '../../../sandbox/sandbox.ts';
import { sandboxExecArguments, seatbeltProfile, type SeatbeltPlan } from '../../../sandbox/seatbelt.ts';
import { programNeeds, type SeatbeltFacts } from '../../../sandbox/seatbeltFacts.ts';
import { inPlace } from '../../../sandbox/seatbeltLauncher.ts';
import { namePattern, protectionPattern } from '../../../sandbox/seatbeltPattern.ts';
import { isSecretFile, openNames, secretNames } from '../../../sandbox/secretFiles.ts';
import { isAllowed, listsOf, parseProfile } from './seatbeltReader.ts';

const facts: SeatbeltFacts = {
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
  state: { home: '/Users/ann/state/home', temporary: '/Users/ann/state/tmp-1', dropsTemporary: true },
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

const plan: SeatbeltPlan = { request, files: [], sockets: ['/Users/ann/state/model.sock'] };

const bare: SeatbeltPlan = {
  request: { ...request, argv: ['/opt/node/bin/node'], view: 'bare', writableFolders: [] },
  files: ['/Applications/Code/agent.cjs', '/Applications/Code/rg'],
  sockets: ['/Users/ann/state/model.sock'],
  program: { path: '/opt/node/bin/node', needs: ['/opt/node'] },
};

function ask(question: string, of: SeatbeltPlan = plan, about: SeatbeltFacts = facts): boolean {
  const { text, parameters } = seatbeltProfile(about, of);
  const [operation = '', ...path] = question.split(' ');
  return isAllowed(parseProfile(text), parameters, { operation, path: path.join(' ') });
}

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
      OWN_0: '/Users/ann/state/home',
      OWN_1: '/Users/ann/state/tmp-1',
      ALIAS_0: '/tmp/link',
      HOME_0: '/Users/ann',
      SOCKET_0: '/Users/ann/state/model.sock',
    });
  });

  test('of a bare program is the one that was reviewed', async () => {
    await expect(seatbeltProfile(facts, bare).text).toMatchFileSnapshot('./seatbelt.bare.sb');
  });

  test('begins with denying everything, and each of its parts is well-formed', () => {
    for (const each of [plan, bare]) {
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
    'file-write-create /Users/ann/state/home/.cache/x',
    'file-write-create /Users/ann/state/tmp-1/x',
    'file-read-data /Users/ann/project/.env.example',
    'file-read-data /Users/ann/project/node_modules/x/ca.pem',
    'file-read-metadata /Users/ann/project/.env',
    'file-write-data /Users/ann/project/.git/index',
    'file-write-data /dev/null',
    'network-outbound /Users/ann/state/model.sock',
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
    'file-write-unlink /Users/ann/state/home',
    'file-write-unlink /Users/ann/project/.git',
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
    'process-exec /Applications/Code/rg',
    'file-read-data /Applications/Code/agent.cjs',
    'file-map-executable /opt/node/lib/libuv.dylib',
    'file-read-data /Users/ann/project/a.ts',
  ])('may %s', question => expect(ask(question, bare)).toBe(true));

  test.each([
    'process-exec /bin/sh',
    'process-exec /opt/node/bin/npm',
    'process-exec /Users/ann/project/run.sh',
    'file-read-data /bin/sh',
    'file-read-data /Users/ann/.pyenv/bin/python',
    'file-read-data /Users/ann/state/home/x',
    'file-write-create /Users/ann/state/tmp-1/x',
    'file-write-create /Users/ann/project/a.ts',
    'pseudo-tty',
  ])('may not %s', question => expect(ask(question, bare)).toBe(false));
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
      HOME: '/Users/ann/state/home',
      TMPDIR: '/Users/ann/state/tmp-1',
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
