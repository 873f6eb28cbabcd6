import { expect, test } from 'vitest';
import { attributeDenials, describeDenial, type AttributedDenial } from '../../../sandbox/denials.ts';

const context = {
  cwd: '/w/src',
  folders: ['/w', '/open'],
  writableFolders: ['/open'],
  exists: (path: string) => path === '/home/ann/data.csv',
};

const writing: AttributedDenial = { kind: 'writeFolder', path: '/w/src/new.txt', folder: '/w' };
const data: AttributedDenial = { kind: 'outside', path: '/home/ann/data.csv', access: 'read' };
const env: AttributedDenial = { kind: 'secretFile', path: '/w/.env' };

test.each<[string, string, AttributedDenial[]]>([
  ['touch', "touch: cannot touch 'new.txt': Read-only file system", [writing]],
  ['bash', 'bash: line 1: new.txt: Read-only file system', [writing]],
  ['node', "Error: EROFS: read-only file system, open 'new.txt'", [writing]],
  ['python', "OSError: [Errno 30] Read-only file system: 'new.txt'", [writing]],
  [
    'a file of another group',
    'bash: line 1: a.txt: Value too large for defined data type',
    [{ kind: 'notCopied', path: '/w/src/a.txt', why: 'owner' }],
  ],
  [
    'git in a repository of another group',
    "fatal: Unable to create '/w/.git/index.lock': Value too large for defined data type",
    [{ kind: 'notCopied', path: '/w/.git/index.lock', why: 'owner' }],
  ],
  [
    'node, of another group',
    "Error: EOVERFLOW: value too large for defined data type, open 'a.txt'",
    [{ kind: 'notCopied', path: '/w/src/a.txt', why: 'owner' }],
  ],
  [
    'git clone of a folder in a copy',
    "fatal: hardlink different from source at 'c/.git/objects/8e/24'",
    [{ kind: 'notCopied', path: '/w/src/c/.git/objects/8e/24', why: 'link' }],
  ],
  [
    'git mv of a folder in a copy',
    "fatal: renaming 'lib' failed: Invalid cross-device link",
    [{ kind: 'notCopied', path: '/w/src/lib', why: 'folder' }],
  ],
  [
    'a folder renamed by python in a copy',
    "OSError: [Errno 18] Invalid cross-device link: 'lib' -> 'source'",
    [{ kind: 'notCopied', path: '/w/src/lib', why: 'folder' }],
  ],
  [
    'a folder renamed by node in a copy',
    "Error: EXDEV: cross-device link not permitted, rename 'lib' -> 'source'",
    [{ kind: 'notCopied', path: '/w/src/lib', why: 'folder' }],
  ],
  [
    'a move between two file systems outside',
    "Error: EXDEV: cross-device link not permitted, rename '/tmp/a' -> '/w/src/a'",
    [],
  ],
  [
    'git, of a secret file that it keeps',
    'error: open(".env"): Permission denied',
    [{ kind: 'secretFile', path: '/w/src/.env' }],
  ],
  [
    'a sanitizer, which wants more than there is',
    '==8==ERROR: AddressSanitizer failed to allocate 0xdfff0001000 (15392894357504) bytes at address 2008fff7000 (errno: 12)',
    [{ kind: 'limit', setting: 'cordon.limits.memory' }],
  ],
  ['a debugger', 'warning: ptrace: Operation not permitted', [{ kind: 'tracing' }]],
  [
    'strace',
    'strace: test_ptrace_get_syscall_info: PTRACE_TRACEME: Operation not permitted',
    [{ kind: 'tracing' }],
  ],
  [
    'a search for leaks',
    'HINT: LeakSanitizer does not work under ptrace (strace, gdb, etc)',
    [{ kind: 'tracing' }],
  ],
  [
    'mkdir outside',
    'mkdir: cannot create directory ‘/usr/share/x’: Read-only file system',
    [{ kind: 'outside', path: '/usr/share/x', access: 'write' }],
  ],
  [
    'a protected file in a writable folder',
    'bash: /open/.git/config: Read-only file system',
    [
      {
        kind: 'protectedPath',
        path: '/open/.git/config',
        because: 'can make git run a program on this machine',
      },
    ],
  ],
  [
    'git, which may not change a repository of the user’s own',
    "fatal: Unable to create '/open/.git/index.lock': Read-only file system",
    [
      {
        kind: 'protectedPath',
        path: '/open/.git/index.lock',
        because: 'can make git run a program on this machine',
      },
    ],
  ],
  [
    'mv of a held folder',
    "mv: cannot move '/open/.git' to '/open/x': Device or resource busy",
    [{ kind: 'protectedPath', path: '/open/.git', because: 'can make git run a program on this machine' }],
  ],
  [
    'rm of a held folder',
    "rm: cannot remove '/open/.git': Device or resource busy",
    [{ kind: 'protectedPath', path: '/open/.git', because: 'can make git run a program on this machine' }],
  ],
  ['cat of a hidden file', 'cat: ../.env: Permission denied', [env]],
  ['node and a hidden file', "Error: EACCES: permission denied, open '/w/.env'", [env]],
  ['python and a hidden file', "PermissionError: [Errno 13] Permission denied: '/w/.env'", [env]],
  ['a file that simply may not be read', 'cat: /w/other: Permission denied', []],
  ['a file outside that the machine has', 'cat: /home/ann/data.csv: No such file or directory', [data]],
  [
    'python and a file outside',
    "FileNotFoundError: [Errno 2] No such file or directory: '/home/ann/data.csv'",
    [data],
  ],
  ['node and a file outside', "Error: ENOENT: no such file or directory, open '/home/ann/data.csv'", [data]],
  ['a file that nobody has', 'cat: /home/ann/none: No such file or directory', []],
  [
    'ssh to a host that is not allowed',
    'ssh: connect to host git.example.com port 22: Connection refused',
    [{ kind: 'network', host: 'git.example.com', port: 22 }],
  ],
  ['what the kernel itself does not permit', "chown: changing ownership of 'a': Operation not permitted", []],
  [
    'curl',
    'curl: (6) Could not resolve host: docs.example.com',
    [{ kind: 'network', host: 'docs.example.com' }],
  ],
  [
    'git',
    "fatal: unable to access 'https://github.com/a/b/': Could not resolve host: github.com",
    [{ kind: 'network', host: 'github.com' }],
  ],
  [
    'npm',
    'npm error request to https://registry.npmjs.org/x failed, reason: getaddrinfo EAI_AGAIN registry.npmjs.org',
    [{ kind: 'network', host: 'registry.npmjs.org' }],
  ],
  ['node', 'Error: getaddrinfo ENOTFOUND example.com', [{ kind: 'network', host: 'example.com' }]],
  [
    'pip',
    "WARNING: Retrying: HTTPSConnectionPool(host='pypi.org', port=443): NewConnectionError('Temporary failure in name resolution')",
    [{ kind: 'network', host: 'pypi.org' }],
  ],
  [
    'ssh',
    'ssh: Could not resolve hostname git.example.com: Temporary failure in name resolution',
    [{ kind: 'network', host: 'git.example.com' }],
  ],
  [
    'a limit of processes',
    'bash: fork: retry: Resource temporarily unavailable',
    [{ kind: 'limit', setting: 'cordon.limits.processes' }],
  ],
  [
    'a limit of memory',
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
    [{ kind: 'limit', setting: 'cordon.limits.memory' }],
  ],
  [
    'a limit of files',
    'Error: EMFILE: too many open files',
    [{ kind: 'limit', setting: 'cordon.limits.openFiles' }],
  ],
  ['an ordinary failure', 'AssertionError: expected 1 to be 2', []],
])('%s is understood', (_, output, denials) => {
  expect(attributeDenials(`some words\n${output}\nmore words`, context)).toEqual(denials);
});

test('each is told once, and no more than five', () => {
  const output = Array.from({ length: 20 }, (_, at) => `cat: /w/.env.${at % 7}: Permission denied`).join(
    '\n',
  );
  expect(attributeDenials(output, context)).toHaveLength(5);
});

test('endless and hostile output takes no time', () => {
  const started = performance.now();
  attributeDenials(`${'/'.repeat(500_000)}\n${"a:'".repeat(500_000)}\n${'host='.repeat(300_000)}`, context);
  attributeDenials(Array.from({ length: 40 }, () => "lookup x on '".repeat(200)).join('\n'), context);
  expect(performance.now() - started).toBeLessThan(5_000);
});

test('every kind is one plain sentence or two', () => {
  const kinds: AttributedDenial[] = [
    writing,
    data,
    env,
    { kind: 'network', host: 'a.b' },
    { kind: 'limit', setting: 'x' },
    { kind: 'protectedPath', path: '/w/.envrc', because: 'runs' },
  ];
  expect(kinds.map(describeDenial)).toEqual(kinds.map(() => expect.stringMatching(/^The sandbox.+\.$/)));
});

test.each<[string, string, AttributedDenial[]]>([
  ['a hidden file', 'cat: ../.env: Operation not permitted', [env]],
  ['a file outside', 'cat: /home/ann/data.csv: Operation not permitted', [data]],
  ['a file outside that nobody has', 'cat: /home/ann/none: Operation not permitted', []],
  ['a new file', "Error: EPERM: operation not permitted, open '/w/src/new.txt'", [writing]],
])('behind a profile, which refuses in its own words: %s', (_, output, denials) => {
  expect(attributeDenials(output, { ...context, refusal: 'notPermitted' })).toEqual(denials);
});
