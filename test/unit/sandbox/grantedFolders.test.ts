import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkGrant, shownGrants } from '../../../sandbox/grantedFolders.ts';
import { CordonError } from '../../../src/base/errors.ts';

let home: string;
beforeAll(() => {
  home = realpathSync(mkdtempSync('/tmp/cg-'));
  for (const folder of [
    [
      'projects/app/.git',
      'projects/app/src',
      'projects/lib',
      '.ssh',
      '.config/nvim',
      '.npm-data',
      'bin',
      '.docker',
    ],
    ['data/User/globalStorage/cordon', 'tools/bin'],
  ].flat())
    mkdirSync(path.join(home, folder), { recursive: true });
  writeFileSync(path.join(home, 'notes.txt'), 'notes');
  writeFileSync(path.join(home, '.npmrc'), 'token');
  writeFileSync(path.join(home, 'projects/lib/.env'), 'token');
  symlinkSync(path.join(home, '.ssh'), path.join(home, 'projects/keys'));
  symlinkSync(path.join(home, 'projects/lib'), path.join(home, 'library'));
});
afterAll(() => rmSync(home, { recursive: true }));

function check(given: string, access: 'read' | 'write' = 'read'): string {
  const bounds = { workspace: [path.join(home, 'projects/app')], records: [path.join(home, 'data')] };
  try {
    const environment = { HOME: home, PATH: `/usr/bin:${home}/tools/bin` };
    return checkGrant(path.isAbsolute(given) ? given : path.join(home, given), access, bounds, environment);
  } catch (error) {
    if (error instanceof CordonError) return error.code;
    throw error;
  }
}

describe('what may be granted', () => {
  test('is a project folder, by its real path, or a single file in the home folder', () => {
    expect([check('projects/lib'), check('library'), check('notes.txt'), check('.config/nvim')]).toEqual([
      path.join(home, 'projects/lib'),
      path.join(home, 'projects/lib'),
      path.join(home, 'notes.txt'),
      path.join(home, '.config/nvim'),
    ]);
    expect([check('projects/lib', 'write'), check('projects', 'read')]).toEqual([
      path.join(home, 'projects/lib'),
      path.join(home, 'projects'),
    ]);
  });

  test.each([
    [
      'the machine, a home folder or what holds one',
      ['/', '/home', '/tmp', '.', '/root'],
      'sandbox.folderTooWide',
    ],
    ['credentials, also through a link', ['.ssh', 'projects/keys'], 'sandbox.folderTooWide'],
    ['where credentials may come to be', ['.config'], 'sandbox.notGrantable'],
    ['system folders and files', ['/etc', '/usr', '/proc/self'], 'sandbox.folderTooWide'],
    [
      'what lies in system folders',
      ['/etc/ssl', '/etc/hosts', '/usr/share', '/var/lib'],
      'sandbox.notGrantable',
    ],
    ['files that may hold secrets', ['.npmrc', 'projects/lib/.env'], 'sandbox.notGrantable'],
    [
      'the records of Cordon and of the editor',
      ['data/User', 'data/User/globalStorage/cordon'],
      'sandbox.notGrantable',
    ],
    ['a device', ['/dev/null'], 'sandbox.notGrantable'],
    ['what is not there', ['nothing', 'projects/nothing'], 'sandbox.folderMissing'],
  ])('is never %s', (_, paths, code) => {
    expect(paths.map(each => [each, check(each)])).toEqual(paths.map(each => [each, code]));
  });

  test('for writing, leaves out what runs by itself later and what holds the workspace', () => {
    const paths = ['projects', '.config/nvim', '.npm-data', 'bin', 'tools', 'tools/bin', 'notes.txt'];
    expect(paths.map(each => check(each, 'write'))).toEqual(paths.map(() => 'sandbox.notGrantable'));
  });
});

test('what is shown: parents first, nothing in a /tmp that commands write, and no ground of another mount writable', () => {
  const facts = {
    folders: [
      { path: '/home/ann/link', realPath: '/srv/a/app' },
      { path: '/tmp/w/p', realPath: '/tmp/w/p' },
    ],
    gitDirectories: ['/srv/main/.git'],
    toolchains: [],
    extraReadOnlyPaths: ['/opt/tool'],
    certificateFiles: [],
    state: {
      home: '/s/home',
      temporary: '/s/tmp',
      dropsTemporary: true,
      hiddenFile: '',
      emptyFolder: '',
      settings: { folder: '', shown: [], copied: new Map(), isAsPlanned: true, added: [], waiting: '' },
    },
  };
  const write = (path: string) => ({ path, access: 'write' }) as const;
  const granted = [
    '/tmp/other/x',
    '/tmp/w/q',
    '/tmp/w',
    '/var/tmp/x',
    '/srv/free/in',
    '/srv/a',
    '/srv/free',
    '/srv/main',
  ];
  expect(shownGrants(facts, granted.map(write), 'system')).toEqual([
    { path: '/srv/a', access: 'read' },
    { path: '/tmp/w/q', access: 'write' },
    { path: '/srv/free', access: 'write' },
    { path: '/srv/main', access: 'read' },
    { path: '/srv/free/in', access: 'write' },
  ]);
});
