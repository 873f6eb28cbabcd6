import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/**
 * The branch that is checked out in a folder, read from git's own file; undefined without a repository, on a detached
 * head, or when it cannot be told. Runs no git: a repository's settings can make git run programs.
 */
export function currentBranch(folder: string): string | undefined {
  try {
    const git = path.join(folder, '.git');
    const directory = statSync(git).isFile() ? worktreeDirectory(folder, readFileSync(git, 'utf8')) : git;
    return /^ref: refs\/heads\/(.+)$/.exec(readFileSync(path.join(directory, 'HEAD'), 'utf8').trim())?.[1];
  } catch {
    return undefined;
  }
}

/** A worktree's `.git` is a file that says where its own directory is. */
function worktreeDirectory(folder: string, text: string): string {
  const named = /^gitdir: (.+)$/m.exec(text)?.[1];
  if (named === undefined) throw new Error('not a worktree');
  return path.resolve(folder, named.trim());
}
