import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { currentBranch } from '../../../../src/host/rules/currentBranch.ts';

const top = mkdtempSync(path.join(tmpdir(), 'cordon-branch-'));
const repository = path.join(top, 'repository');
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
    cwd: repository,
    stdio: 'pipe',
  });

beforeAll(() => {
  execFileSync('git', ['init', '-q', '-b', 'main', repository]);
  git('commit', '-q', '--allow-empty', '-m', 'first');
});
afterAll(() => rmSync(top, { recursive: true }));

test('tells the branch of a repository, with slashes in its name', () => {
  expect(currentBranch(repository)).toBe('main');
  git('checkout', '-q', '-b', 'feature/slugs');
  expect(currentBranch(repository)).toBe('feature/slugs');
});

test('tells the branch of a worktree', () => {
  git('worktree', 'add', '-q', '-b', 'aside', path.join(top, 'aside'));
  expect(currentBranch(path.join(top, 'aside'))).toBe('aside');
});

test('cannot tell without a repository, on a detached head, or from a file that is none', () => {
  expect(currentBranch(top)).toBeUndefined();
  git('checkout', '-q', '--detach');
  expect(currentBranch(repository)).toBeUndefined();
  writeFileSync(path.join(top, '.git'), 'not a repository');
  expect(currentBranch(top)).toBeUndefined();
});
