import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { importCommits } from '../../../src/overlay/commits.ts';
import { newCommits } from '../../../src/overlay/newCommits.ts';
import { openOverlay, type Overlay } from '../../../src/overlay/overlay.ts';
import { removeTree } from '../../../src/base/removeTree.ts';
import { outsideGitDirectories } from '../../../sandbox/gitDirectories.ts';
import { openSandbox, type Sandbox } from '../../../sandbox/sandbox.ts';
import { picture } from './operations.ts';

let root: string;
let repository: string;
let overlay: Overlay;
let sandbox: Sandbox;

beforeEach(async () => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), 'cordon-commits-')));
  repository = path.join(root, 'project');
  mkdirSync(repository);
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'User');
  git('config', 'user.email', 'user@example.org');
  writeFileSync(path.join(repository, 'readme.md'), 'one\n');
  git('add', '.');
  git('commit', '--quiet', '--message=First');
  overlay = await openOverlay({
    directory: path.join(root, 'session'),
    folders: [repository],
    bwrap: '/usr/bin/bwrap',
    dropAtEnd: false,
  });
  const state = path.join(root, 'state');
  mkdirSync(state);
  sandbox = await openSandbox({ folders: [repository], stateDirectory: state, copyOnWrite: overlay.view });
});
afterEach(async () => {
  await sandbox[Symbol.asyncDispose]();
  await overlay[Symbol.asyncDispose]();
  removeTree(root);
});

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: repository, encoding: 'utf8' }).trim();
}

/** What the agent does, in the sandbox. */
async function agent(script: string, { walls = sandbox, cwd = repository } = {}): Promise<void> {
  const started = await walls.launch({
    argv: [
      'sh',
      '-ec',
      `export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@b\n${script}`,
    ],
    cwd,
    writableFolders: [],
    view: 'system',
    stdin: 'ignore',
  });
  let said = '';
  started.stderr?.on('data', (chunk: Buffer) => void (said += chunk.toString()));
  started.stdout?.resume();
  expect({ ...(await started.exited), said }).toMatchObject({ code: 0 });
}

function imported(branch: string) {
  return importCommits({ repository, sandbox, branch, directory: root });
}

test("the agent's commits come into a new branch, and nothing else of its repository", async () => {
  const canary = path.join(root, 'hook-ran');
  writeFileSync(
    path.join(repository, '.git/hooks/reference-transaction'),
    `#!/bin/sh\ntouch '${canary}-user'\n`,
    { mode: 0o755 },
  );
  const before = picture(repository).filter(line => !line.includes('.git/'));
  const config = picture(path.join(repository, '.git')).filter(line =>
    /^"(config|hooks|HEAD|refs)/.test(line),
  );
  await agent(`
    git checkout --quiet -b work
    echo two >> readme.md; git commit --quiet --all --message Second
    echo three > new.txt; git add new.txt; git commit --quiet --message Third
    git config core.fsmonitor 'touch ${canary}'
    git config uploadpack.packObjectsHook 'touch ${canary}'
    printf '#!/bin/sh\\ntouch ${canary}\\n' > .git/hooks/post-checkout; chmod +x .git/hooks/post-checkout`);
  expect(await imported('from-agent')).toMatchObject({ kind: 'imported', branch: 'from-agent', commits: 2 });
  expect(git('log', '--format=%s', 'from-agent')).toBe('Third\nSecond\nFirst');
  expect(git('show', 'from-agent:new.txt')).toBe('three');
  expect(picture(repository).filter(line => !line.includes('.git/'))).toEqual(before);
  const after = picture(path.join(repository, '.git')).filter(line =>
    /^"(config|hooks|HEAD|refs)/.test(line),
  );
  expect(after.filter(line => !line.includes('from-agent'))).toEqual(
    [...config, '"refs/cordon" 755 folder'].sort((one, other) => after.indexOf(one) - after.indexOf(other)),
  );
  expect([existsSync(canary), existsSync(`${canary}-user`)]).toEqual([false, false]);
  expect(git('branch', '--format=%(refname:short)')).toBe('from-agent\nmain');
  git('fsck', '--strict');
});

test('nothing new is nothing, and a branch that is there is not touched', async () => {
  expect(await imported('from-agent')).toEqual({ kind: 'nothing' });
  await agent('echo two >> readme.md; git commit --quiet --all --message Second');
  const main = git('rev-parse', 'main');
  await expect(imported('main')).rejects.toMatchObject({ code: 'commits.branchExists' });
  await expect(imported('--upload-pack=x')).rejects.toMatchObject({ code: 'commits.branch' });
  await expect(imported('a..b')).rejects.toMatchObject({ code: 'commits.branch' });
  expect(git('rev-parse', 'main')).toBe(main);
});

test('a commit with a secret in it is held back, also when a later one deletes it', async () => {
  await agent(`echo KEY=1 > .env; git add -f .env; git commit --quiet --message Secret
    git rm --quiet .env; git commit --quiet --message Gone`);
  expect(await imported('from-agent')).toEqual({
    kind: 'heldBack',
    files: [{ path: '.env', because: 'has the name of a file that holds secrets' }],
  });
  expect(git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
});

test('a key in what a commit holds is found by its form, also in a file that a later commit mends', async () => {
  // In two halves, so that nobody takes this file for one that holds a key.
  const key = ['-----BEGIN OPENSSH', 'PRIVATE KEY-----'].join(' ');
  await agent(`printf '%s\\n' 'harmless' '${key}' b3BlbnNzaC1rZXktdjEA > 'notes of mine.txt'; git add .
    git commit --quiet --message Notes; echo mended > 'notes of mine.txt'; git commit --quiet --all --message Mended`);
  expect(await imported('from-agent')).toEqual({
    kind: 'heldBack',
    files: [{ path: 'notes of mine.txt', because: 'holds a private key' }],
  });
  expect(git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
});

test('an object that git calls malformed is refused', async () => {
  await agent(`
    tree=$(printf '100644 blob %s\\t.git\\n' $(git hash-object -w readme.md) | git mktree)
    commit=$(git commit-tree -m Evil -p HEAD $tree)
    git update-ref refs/heads/evil $commit; git symbolic-ref HEAD refs/heads/evil`);
  await expect(imported('from-agent')).rejects.toMatchObject({
    code: 'commits.refused',
  });
  expect(git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
});

test('new commits are listed as they would come, and nothing in their words can mislead', async () => {
  expect(await newCommits({ repository, sandbox })).toEqual([]);
  await agent(`echo two >> readme.md; git commit --quiet --all --message "$(printf 'Sec\\033[31mond\\n\\nbody')"
    git checkout --quiet -b other; git commit --quiet --allow-empty --message Third`);
  expect(await newCommits({ repository, sandbox })).toMatchObject([
    { subject: 'Third', author: 'A' },
    { subject: 'Sec⟨U+001B⟩[31mond', author: 'A' },
  ]);
});

test("commits come out of a linked worktree, whose repository lies elsewhere, and leave the agent's files alone", async () => {
  const tree = path.join(root, 'linked tree');
  git('worktree', 'add', '--quiet', '-b', 'linked', tree);
  const [behind = ''] = outsideGitDirectories(tree, '/nonexistent');
  await using copy = await openOverlay({
    directory: path.join(root, 'linked'),
    folders: [tree, behind],
    bwrap: '/usr/bin/bwrap',
    dropAtEnd: false,
  });
  const state = path.join(root, 'linked-state');
  mkdirSync(state);
  await using walls = await openSandbox({ folders: [tree], stateDirectory: state, copyOnWrite: copy.view });
  await agent('mkdir sub; echo two > sub/two.txt; git add .; git commit --quiet --message Second', {
    walls,
    cwd: tree,
  });
  expect(
    await importCommits({ repository: tree, sandbox: walls, branch: 'theirs', directory: root }),
  ).toMatchObject({ kind: 'imported', commits: 1 });
  expect(git('log', '--format=%s', 'theirs')).toBe('Second\nFirst');
  expect(git('log', '--format=%s', 'linked')).toBe('First');
  const upper = copy.changes.get(tree) ?? '';
  expect(picture(upper).filter(line => line.startsWith('"-'))).toEqual([]);
});
