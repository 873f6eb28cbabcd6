import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findProgram, gatherFacts } from '../../../sandbox/facts.ts';
import { outsideGitDirectories } from '../../../sandbox/gitDirectories.ts';
import { Guards } from '../../../sandbox/guards.ts';
import { discoverToolchains } from '../../../sandbox/toolchains.ts';
import { WorkspaceScanner } from '../../../sandbox/workspaceScan.ts';

let root: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'cordon-unit-')));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, content = ''): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  return full;
}

function folder(path: string): string {
  mkdirSync(join(root, path), { recursive: true });
  return join(root, path);
}

describe('looking through a workspace', () => {
  test('finds secrets and protected paths wherever they are, and passes over packages', async () => {
    for (const path of [
      'w/.env',
      'w/.env.example',
      'w/deep/a b/ключ.key',
      'w/node_modules/x/test.pem',
      'w/lib/site-packages/cacert.pem',
    ])
      put(path);
    for (const path of [
      'w/package.json',
      'w/.vscode/tasks.json',
      'w/sub/AGENTS.md',
      'w/.github/workflows/ci.yml',
      'w/.git/config',
      'w/.git/hooks/x',
      'w/node_modules/x/package.json',
    ])
      put(path);
    for (const path of ['w/.git/modules/lib/HEAD', 'w/.git/modules/lib/config']) put(path);
    const w = join(root, 'w');
    const { guarded, ...scan } = await new WorkspaceScanner(w).scan();
    expect({
      secrets: scan.secrets.toSorted(),
      protectedPaths: scan.protectedPaths.toSorted(),
      pinned: scan.pinned.toSorted(),
    }).toEqual({
      secrets: [`${w}/.env`, `${w}/deep/a b/ключ.key`],
      protectedPaths: [
        `${w}/.git/config`,
        `${w}/.git/hooks`,
        `${w}/.git/modules/lib/config`,
        `${w}/.github/workflows`,
        `${w}/.vscode`,
        `${w}/package.json`,
        `${w}/sub/AGENTS.md`,
      ],
      pinned: [`${w}/.git`, `${w}/.git/modules`, `${w}/.git/modules/lib`, `${w}/.github`],
    });
    expect(guarded).toEqual(expect.arrayContaining([`${w}/.envrc`, `${w}/AGENTS.md`, `${w}/.claude`]));
    expect(guarded).not.toContain(`${w}/.vscode`);
  });

  test('keeps where the repositories of submodules are, also of those that were not fetched', async () => {
    put(
      'w/.gitmodules',
      '[submodule "a"]\n\tpath = lib/a\n[submodule "b"]\n\tpath = lib/b\n\tpath = ../out\n',
    );
    put('w/lib/a/.git', 'gitdir: ../../.git/modules/a\n');
    for (const empty of ['w/lib/b', 'out']) folder(empty);
    const { protectedPaths, guarded } = await new WorkspaceScanner(join(root, 'w')).scan();
    expect(protectedPaths.toSorted()).toEqual([`${root}/w/.gitmodules`, `${root}/w/lib/a/.git`]);
    expect(guarded.filter(path => path.includes('lib') || path.includes('out'))).toEqual([
      `${root}/w/lib/b/.git`,
    ]);
  });

  test('sees at the next look what has come, gone or moved since', async () => {
    const w = folder('w/old');
    const scanner = new WorkspaceScanner(join(root, 'w'));
    // Long ago, so that the folders count as known.
    for (const path of [w, join(root, 'w')]) utimesSync(path, 1, 1);
    expect((await scanner.scan()).secrets).toEqual([]);
    put('w/old/.env');
    expect((await scanner.scan()).secrets).toEqual([`${root}/w/old/.env`]);
    renameSync(w, join(root, 'w/new'));
    expect((await scanner.scan()).secrets).toEqual([`${root}/w/new/.env`]);
    rmSync(join(root, 'w/new/.env'));
    expect((await scanner.scan()).secrets).toEqual([]);
  });

  test('hides what a link names when it is inside, and follows none to the outside', async () => {
    put('outside/secret.key');
    put('w/real/settings');
    symlinkSync('real/settings', join(root, 'w/.env'));
    symlinkSync(join(root, 'outside'), join(root, 'w/way'));
    symlinkSync(join(root, 'outside/secret.key'), join(root, 'w/id_rsa'));
    symlinkSync('nowhere', join(root, 'w/.env.dangling'));
    expect((await new WorkspaceScanner(join(root, 'w')).scan()).secrets).toEqual([`${root}/w/real/settings`]);
  });
});

describe('guards over paths that must not come to be', () => {
  test('stand as long as somebody holds them, and leave nothing behind', () => {
    folder('w');
    const [first, second] = [new Guards(folder('state')), new Guards(folder('state'))];
    const paths = [join(root, 'w/.vscode'), join(root, 'w/.envrc')];
    first.hold(paths);
    first.hold(paths.slice(0, 1));
    second.hold(paths);
    const seen = [readdirSync(join(root, 'w')).length];
    first.release(paths);
    first.release(paths.slice(0, 1));
    seen.push(readdirSync(join(root, 'w')).length);
    second[Symbol.dispose]();
    seen.push(readdirSync(join(root, 'w')).length);
    first[Symbol.dispose]();
    expect({ seen, records: readdirSync(join(root, 'state/guards')) }).toEqual({
      seen: [2, 2, 0],
      records: [],
    });
  });

  test("never take away a folder of the user's, however empty", () => {
    const mine = folder('w/.vscode');
    using guards = new Guards(folder('state'));
    guards.hold([mine]);
    guards.release([mine]);
    expect(statSync(mine).isDirectory()).toBe(true);
  });

  test('of a process that died are swept by the next', () => {
    mkdirSync(folder('w') + '/.vscode', { mode: 0o555 });
    put('state/guards/999999999-1-1', JSON.stringify([join(root, 'w/.vscode')]));
    using _ = new Guards(join(root, 'state'));
    expect(readdirSync(join(root, 'w'))).toEqual([]);
  });
});

describe('the repository behind a folder', () => {
  const home = '/nonexistent';

  test('is the one around a sub-folder', () => {
    for (const name of ['HEAD', 'objects/x', 'refs/x']) put(`repo/.git/${name}`);
    expect(outsideGitDirectories(folder('repo/packages/a'), home)).toEqual([join(root, 'repo/.git')]);
  });

  test('is none when the folder holds it, or when it is the home folder itself', () => {
    for (const name of ['HEAD', 'objects/x', 'refs/x']) put(`repo/.git/${name}`);
    expect([
      outsideGitDirectories(join(root, 'repo'), home),
      outsideGitDirectories(folder('repo/a'), join(root, 'repo')),
    ]).toEqual([[], []]);
  });

  test('is the main one of a worktree that points back', () => {
    for (const name of ['HEAD', 'objects/x', 'refs/x']) put(`main/.git/${name}`);
    put('main/.git/worktrees/w/HEAD');
    put('main/.git/worktrees/w/commondir', '../..\n');
    put('main/.git/worktrees/w/gitdir', join(root, 'w/.git') + '\n');
    put('w/.git', `gitdir: ${join(root, 'main/.git/worktrees/w')}\n`);
    expect(outsideGitDirectories(join(root, 'w'), home)).toEqual([join(root, 'main/.git')]);
  });

  test('is that of a submodule whose configuration points back', () => {
    for (const name of ['HEAD', 'objects/x', 'refs/x']) put(`super/.git/modules/lib/${name}`);
    put('super/.git/modules/lib/config', '[core]\n\tworktree = ../../../lib\n');
    put('super/lib/.git', 'gitdir: ../.git/modules/lib\n');
    expect(outsideGitDirectories(join(root, 'super/lib'), home)).toEqual([
      join(root, 'super/.git/modules/lib'),
    ]);
  });

  test.each([
    ['a folder that is no repository', 'private', ''],
    ["somebody else's repository, which does not point back", 'other/.git', ''],
    ["somebody else's worktree", 'main/.git/worktrees/theirs', ''],
  ])('is never %s, although a .git file names it', (_, named) => {
    put('private/secret');
    for (const name of ['HEAD', 'objects/x', 'refs/x', 'config']) put(`other/.git/${name}`);
    for (const name of ['HEAD', 'objects/x', 'refs/x']) put(`main/.git/${name}`);
    put('main/.git/worktrees/theirs/HEAD');
    put('main/.git/worktrees/theirs/gitdir', '/elsewhere/.git\n');
    put('w/.git', `gitdir: ${join(root, named)}\n`);
    expect(outsideGitDirectories(join(root, 'w'), home)).toEqual([]);
  });

  test.each([
    ['credentials', 'home/.ssh'],
    ["somebody else's repository", 'other/.git'],
    ["somebody else's worktree", 'theirs/.git'],
  ])('is never %s, although a .git link leads there', (_, target) => {
    put('home/.ssh/id_rsa');
    for (const name of ['HEAD', 'objects/x', 'refs/x']) put(`other/.git/${name}`);
    put('other/.git/worktrees/theirs/HEAD');
    put('other/.git/worktrees/theirs/commondir', '../..\n');
    put('other/.git/worktrees/theirs/gitdir', join(root, 'theirs/.git') + '\n');
    put('theirs/.git', `gitdir: ${join(root, 'other/.git/worktrees/theirs')}\n`);
    symlinkSync(join(root, target), join(folder('w'), '.git'));
    expect([
      outsideGitDirectories(join(root, 'w'), home),
      outsideGitDirectories(folder('w/inner'), home),
    ]).toEqual([[], []]);
  });

  test('is none where a folder around it has a .git that is no repository', () => {
    put('around/.git/secret');
    expect(outsideGitDirectories(folder('around/w'), home)).toEqual([]);
  });
});

describe('toolchains that PATH names', () => {
  const find = (environment: Record<string, string>, visible: string[] = ['/usr']) =>
    discoverToolchains(environment, join(root, 'home'), visible);
  const path = (...entries: string[]) => [...entries, '/usr/bin'].join(':');

  test('are shown without the places where they keep credentials', () => {
    put('home/.cargo/credentials.toml');
    const bin = dirname(put('home/.cargo/bin/cargo'));
    const rustup = folder('home/.rustup');
    expect(find({ PATH: path(bin) })).toEqual({
      toolchains: [{ name: 'Rust (rustup)', paths: [bin, rustup], environment: { RUSTUP_HOME: rustup } }],
      path: [bin, '/usr/bin', '/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/sbin', '/bin'],
    });
  });

  test('are shown whole when they are one installation', () => {
    put('home/sdk/go/VERSION');
    folder('home/sdk/go/src');
    const bin = folder('home/sdk/go/bin');
    expect(find({ PATH: path(bin) }).toolchains.map(each => each.paths)).toEqual([[dirname(bin)]]);
  });

  test('are found through the links of a version manager', () => {
    const real = folder('home/.local/share/fnm/node-versions/v24/installation/bin');
    symlinkSync(dirname(real), folder('run') + '/shell');
    const { toolchains, path: inside } = find({ PATH: path(join(root, 'run/shell/bin')) });
    expect({ names: toolchains.map(each => each.name), first: inside[0] }).toEqual({
      names: ['fnm'],
      first: real,
    });
  });

  test('are only the folder itself when what lies beside it may be private', () => {
    put('home/.fly/config.yml', 'token');
    const bin = folder('home/.fly/bin');
    put('home/.local/share/keyrings/x');
    const local = folder('home/.local/bin');
    folder('home/.local/lib');
    expect(find({ PATH: path(bin, local) }).toolchains.map(each => each.paths)).toEqual([[bin], [local]]);
  });

  test('never open the home folder or a place of credentials', () => {
    const home = folder('home');
    const ssh = folder('home/.ssh');
    expect(find({ PATH: path(home, ssh, 'relative', '') }).toolchains).toEqual([]);
  });
});

describe('a folder that may not be a workspace', () => {
  const facts = (path: string) => () =>
    gatherFacts(
      { folders: [path], stateDirectory: join(root, 'state') },
      { PATH: process.env['PATH'], HOME: join(root, 'home') },
    );

  test.each([
    ['the whole machine', '/', 'sandbox.folderTooWide'],
    ['a system folder', '/usr', 'sandbox.folderTooWide'],
    ['/etc', '/etc', 'sandbox.folderTooWide'],
    ['the shared /tmp', '/tmp', 'sandbox.folderTooWide'],
    ['the kernel', '/proc/self', 'sandbox.folderTooWide'],
    ['one that does not exist', '/nonexistent', 'sandbox.folderMissing'],
    ['a relative one', 'src', 'sandbox.folderMissing'],
  ])('is %s', (_, path, code) => {
    expect(facts(path)).toThrow(expect.objectContaining({ code }));
  });

  test.each([
    ['the home folder', 'home'],
    ['one that holds it', '.'],
    ['where keys are kept', 'home/.ssh'],
    ['below where keys are kept', 'home/.ssh/deep'],
    ['one that holds credentials', 'home/.config'],
    ['a link to the home folder', 'link'],
  ])('is %s', (_, path) => {
    folder('home/.ssh/deep');
    folder('home/.config/gh');
    symlinkSync('home', join(root, 'link'));
    expect(facts(join(root, path))).toThrow(expect.objectContaining({ code: 'sandbox.folderTooWide' }));
  });
});

test('a program is never taken from the workspace', () => {
  const evil = put('w/bwrap', '#!/bin/sh\n');
  chmodSync(evil, 0o755);
  const good = put('bin/bwrap', '#!/bin/sh\n');
  chmodSync(good, 0o755);
  const path = ['.', join(root, 'w'), join(root, 'bin')].join(':');
  expect(findProgram('bwrap', path, [join(root, 'w')])).toBe(good);
  expect(findProgram('bwrap', join(root, 'w'), [join(root, 'w')])).toBeUndefined();
});
