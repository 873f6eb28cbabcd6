import path from 'node:path';
import { isSecretFile } from '../../sandbox/secretFiles.ts';
import { hostGit } from './hostGit.ts';
import { secretIn } from './secretContent.ts';

/** A file in one of some commits that should not be in a repository; `because` is the end of a sentence about it. */
export interface HeldBackFile {
  readonly path: string;
  readonly because: string;
}

/**
 * The files in a range of commits, as `git log` takes it, that hold secrets by their name or their content; also those
 * that a later commit of the range deletes. Content is looked at up to 1 MB a file, and where it is text.
 */
export async function heldBackFiles(
  repository: string,
  range: readonly string[],
  signal?: AbortSignal,
): Promise<HeldBackFile[]> {
  const found = new Map<string, string>();
  for (const { path: file, content } of await filesIn(repository, range, signal)) {
    if (found.has(file)) continue;
    if (isSecretFile(path.basename(file))) found.set(file, 'has the name of a file that holds secrets');
    else {
      const secret = await secretIn(await textOf(repository, content, signal));
      if (secret !== undefined) found.set(file, secret);
    }
  }
  return [...found].map(([file, because]) => ({ path: file, because })).sort(byPath);
}

/** Each content that a file has in the range, by the name of its object. */
async function filesIn(
  repository: string,
  range: readonly string[],
  signal?: AbortSignal,
): Promise<{ path: string; content: string }[]> {
  const what = ['--format=', '--raw', '--no-abbrev', '--no-renames', '-z', '--diff-filter=d', '-m'];
  const { stdout } = await hostGit(repository, ['log', ...what, ...range, '--'], signal);
  const files = new Map<string, { path: string; content: string }>();
  // `:100644 100644 BEFORE AFTER M`, then the path; between commits there may be a newline.
  for (const [, mode, content = '', file = ''] of stdout.matchAll(
    /:\d{6} (\d{6}) [0-9a-f]{40,64} ([0-9a-f]{40,64}) [A-Z]\d*\0([^\0]+)\0/g,
  ))
    // A submodule is another repository's commit, and has no content here.
    if (mode !== '160000') files.set(`${content} ${file}`, { path: file, content });
  return [...files.values()];
}

/** Empty for what is large or no text. Rejects when it cannot be read: what nobody looked at is not brought in. */
async function textOf(repository: string, object: string, signal?: AbortSignal): Promise<string> {
  const size = Number((await hostGit(repository, ['cat-file', '-s', object], signal)).stdout);
  if (size > largest) return '';
  const { stdout } = await hostGit(repository, ['cat-file', 'blob', object], signal);
  return stdout.includes('\0') ? '' : stdout;
}

const largest = 1024 * 1024;

function byPath(one: HeldBackFile, other: HeldBackFile): number {
  return one.path < other.path ? -1 : 1;
}
