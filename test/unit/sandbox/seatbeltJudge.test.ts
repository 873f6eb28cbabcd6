import { expect, test } from 'vitest';
import { Profile } from './seatbeltJudge.ts';

// The judge of profiles is judged here: by small ones whose answer is known.

const start = '(version 1)\n(deny default)\n';

test('of rules for the same operation the last that matches counts', () => {
  const profile = new Profile(
    `${start}(allow file-read* (subpath "/a")) (deny file-read* (subpath "/a/b")) (allow file-read* (literal "/a/b/c"))`,
    {},
  );
  const ask = (path: string) => profile.allows({ operation: 'file-read-data', path });
  expect(['/a', '/a/x', '/a/b', '/a/b/c', '/a/b/c/d', '/ab', '/'].map(ask)).toEqual([
    true,
    true,
    false,
    true,
    false,
    false,
    false,
  ]);
});

test('a denial by wildcard of what was allowed by name has no certain answer, and the judge gives none', () => {
  const text = `${start}(allow file-read-data (subpath "/a")) (deny file-read* (literal "/a/.env"))`;
  const profile = new Profile(text, {});
  expect(profile.allows({ operation: 'file-read-data', path: '/a/b' })).toBe(true);
  expect(() => profile.allows({ operation: 'file-read-data', path: '/a/.env' })).toThrow(
    /by order.*by operation/,
  );
});

test('paths are compared as they are, ancestors without the path itself, patterns with the quoted parameter', () => {
  const profile = new Profile(
    `${start}(allow file-read-metadata (path-ancestors (param "P")))
     (allow file-write-data (regex (string-append "^" (regex-quote (param "P")) "/[^/]*[.]txt$")))`,
    { P: '/a/b.c' },
  );
  const ask = (operation: string, path: string) => profile.allows({ operation, path });
  expect(['/', '/a', '/a/b.c'].map(path => ask('file-read-metadata', path))).toEqual([true, true, false]);
  expect(
    ['/a/b.c/x.txt', '/a/bxc/x.txt', '/a/b.c/d/x.txt'].map(path => ask('file-write-data', path)),
  ).toEqual([true, false, false]);
});

test('addresses, names and sockets are told apart', () => {
  const profile = new Profile(
    `${start}(allow network-outbound (remote ip "localhost:80") (remote unix-socket (subpath "/s")))
     (allow mach-lookup (global-name "a")) (allow sysctl-read (sysctl-name-prefix "hw."))`,
    {},
  );
  const outbound = { operation: 'network-outbound' };
  expect([
    profile.allows({ ...outbound, host: '127.0.0.1', port: 80 }),
    profile.allows({ ...outbound, host: '10.0.0.1', port: 80 }),
    profile.allows({ ...outbound, host: '127.0.0.1', port: 81 }),
    profile.allows({ ...outbound, path: '/s/x' }),
    profile.allows({ ...outbound, path: '/t/x' }),
    profile.allows({ operation: 'mach-lookup', name: 'a' }),
    profile.allows({ operation: 'mach-lookup', name: 'ab' }),
    profile.allows({ operation: 'sysctl-read', name: 'hw.ncpu' }),
  ]).toEqual([true, false, false, true, false, true, false, true]);
});

test.each([
  ['a parenthesis is missing', '(allow file-read* (subpath "/a")'],
  ['a parenthesis is too many', '(allow process-fork))'],
  ['a quotation mark is open', '(allow file-read* (subpath "/a))'],
  ['an operation is misspelt', '(allow file-reed* (subpath "/a"))'],
  ['a filter is misspelt', '(allow file-read* (subpth "/a"))'],
  ['a function is misspelt', '(allow file-read* (subpath (parm "P")))'],
  ['a parameter is not given', '(allow file-read* (subpath (param "Q")))'],
  ['an address names a host', '(allow network-outbound (remote ip "127.0.0.1:80"))'],
  ['a kind of socket is misspelt', '(allow system-socket (socket-domain AF_UNIXX))'],
  ['a filter stands before an operation', '(allow (subpath "/a") file-read*)'],
  ['no operation is named', '(allow (subpath "/a"))'],
  ['it allows everything first', '(allow default)'],
])('a profile is refused where %s', (_, rule) => {
  const text = rule.includes('default') ? `(version 1)\n${rule}` : start + rule;
  expect(() => new Profile(text, { P: '/a' })).toThrow(
    /open|too many|unknown|no parameter|does not take|operation|begins/,
  );
});
