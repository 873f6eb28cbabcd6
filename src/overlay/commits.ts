import { createWriteStream } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { CordonError } from '../base/errors.ts';
import { randomId } from '../base/ids.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { isSecretFile } from '../../sandbox/secretFiles.ts';

export interface ImportOptions {
  /** The user's repository: absolute path of its working folder, at which the overlay shows the agent's. */
  readonly repository: string;
  /** The session's, with the overlay in it. */
  readonly sandbox: Sandbox;
  /** A branch that does not exist yet, as the user names it. */
  readonly branch: string;
  /** Folder of the broker's for the bundle on its way. */
  readonly directory: string;
  readonly signal?: AbortSignal;
}

export type ImportResult =
  | { readonly kind: 'imported'; readonly branch: string; readonly commit: string; readonly commits: number }
  | { readonly kind: 'nothing' }
  /** Files that should not be in a repository. No branch was made. */
  | { readonly kind: 'heldBack'; readonly files: readonly string[] };

/**
 * Brings the commits that the agent has made on its current branch into a new branch of the user's repository, by git's
 * own transport: git in the sandbox writes a bundle, where the agent's configuration and hooks can do no harm; git
 * outside unpacks it into a bare repository of the broker's, and the user's fetches from that with all object checks on
 * (older gits do not check what comes from a bundle), without hooks. Nothing else of the agent's `.git` comes
 * along, the user's branches and files stay as they are, and nothing is pushed. Throws `commits.*`.
 */
export async function importCommits(options: ImportOptions): Promise<ImportResult> {
  const { repository, branch, directory, signal } = options;
  const git = (...args: string[]) => hostGit(repository, args, signal);
  if (!(await succeeds(git('check-ref-format', `refs/heads/${branch}`))) || branch.startsWith('-'))
    throw badBranch(branch);
  if (await succeeds(git('rev-parse', '--verify', '--quiet', '--end-of-options', `refs/heads/${branch}`)))
    throw branchExists(branch);

  const head = await sandboxedText(options, ['rev-parse', '--verify', '--end-of-options', 'HEAD^{commit}']);
  if (!/^[0-9a-f]{40,64}$/.test(head)) throw noCommits(repository);
  if (await succeeds(git('merge-base', '--is-ancestor', head, 'HEAD'))) return { kind: 'nothing' };

  const known = (await git('for-each-ref', '--format=%(objectname)', '--count=200', 'refs/heads')).stdout;
  const have = known.split('\n').filter(each => /^[0-9a-f]{40,64}$/.test(each));
  const id = randomId();
  const bundle = path.join(directory, `${id}.bundle`);
  const between = path.join(directory, `${id}.git`);
  const arrived = `refs/cordon/${id}`;
  try {
    await sandboxedFile(
      options,
      ['bundle', 'create', '--quiet', '-', 'HEAD', ...have.map(each => `^${each}`)],
      bundle,
    );
    await git('init', '--quiet', '--bare', '--template=', '--end-of-options', between);
    const objects = (await git('rev-parse', '--path-format=absolute', '--git-path', 'objects')).stdout;
    await writeFile(path.join(between, 'objects/info/alternates'), `${objects}\n`);
    const fetch = async (from: string, to: string, refs: string) =>
      await hostGit(to, ['fetch', ...quiet, '--end-of-options', from, refs], signal).catch(
        (cause: unknown) => {
          throw notFetched(cause);
        },
      );
    await fetch(bundle, between, `HEAD:${arrived}`);
    await fetch(between, repository, `${arrived}:${arrived}`);
    const commit = (await git('rev-parse', '--verify', '--end-of-options', arrived)).stdout;
    const range = [commit, ...have.map(each => `^${each}`)];
    const files = (
      await git(
        'log',
        '--format=',
        '--name-only',
        '--no-renames',
        '-z',
        '--diff-filter=d',
        '-m',
        ...range,
        '--',
      )
    ).stdout;
    const secret = [...new Set(files.split('\0'))].filter(
      file => file !== '' && isSecretFile(path.basename(file)),
    );
    if (secret.length > 0) return { kind: 'heldBack', files: secret.sort() };
    const commits = Number((await git('rev-list', '--count', ...range, '--')).stdout);
    // All noughts: only if it is still not there.
    await git('update-ref', `refs/heads/${branch}`, commit, '0'.repeat(commit.length)).catch(() => {
      throw branchExists(branch);
    });
    return { kind: 'imported', branch, commit, commits };
  } finally {
    await git('update-ref', '-d', arrived).catch(() => undefined);
    for (const each of [bundle, between]) await rm(each, { recursive: true, force: true });
  }
}

const quiet = [
  '--quiet',
  '--no-tags',
  '--no-write-fetch-head',
  '--no-recurse-submodules',
  '--no-auto-gc',
  '--no-auto-maintenance',
];

/** Bytes of a bundle at most. */
const largest = 1024 * 1024 * 1024;

function hostGit(repository: string, args: readonly string[], signal?: AbortSignal) {
  const settings = [
    'core.hooksPath=/dev/null',
    'core.fsmonitor=false',
    'fetch.fsckObjects=true',
    'transfer.fsckObjects=true',
    'protocol.allow=never',
    'protocol.file.allow=always',
    'log.showSignature=false',
  ];
  const { PATH = '/usr/bin:/bin', HOME = '/nonexistent', XDG_CONFIG_HOME } = process.env;
  return execa('git', [...settings.flatMap(each => ['-c', each]), ...args], {
    cwd: repository,
    env: {
      PATH,
      HOME,
      ...(XDG_CONFIG_HOME === undefined ? {} : { XDG_CONFIG_HOME }),
      LC_ALL: 'C',
      GIT_TERMINAL_PROMPT: '0',
      GIT_NO_LAZY_FETCH: '1',
    },
    extendEnv: false,
    stdin: 'ignore',
    maxBuffer: 64 * 1024 * 1024,
    ...(signal ? { cancelSignal: signal } : {}),
  });
}

async function succeeds(run: Promise<unknown>): Promise<boolean> {
  return await run.then(
    () => true,
    () => false,
  );
}

async function sandboxedText(options: ImportOptions, args: readonly string[]): Promise<string> {
  const started = await launchGit(options, args);
  let text = '';
  started.stderr?.resume();
  for await (const chunk of started.stdout ?? []) if (text.length < 10_000) text += String(chunk);
  const { code } = await started.exited;
  return code === 0 ? text.trim() : '';
}

async function sandboxedFile(options: ImportOptions, args: readonly string[], file: string): Promise<void> {
  const started = await launchGit(options, args);
  let [complaint, size] = ['', 0];
  started.stderr?.on(
    'data',
    (chunk: Buffer) => void (complaint = (complaint + chunk.toString()).slice(-1_000)),
  );
  const bounded = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > largest) throw tooLarge();
      yield chunk;
    }
  };
  try {
    if (started.stdout)
      await pipeline(started.stdout, bounded, createWriteStream(file, { mode: 0o600, flags: 'wx' }));
  } catch (error) {
    await started.kill();
    throw error;
  }
  if ((await started.exited).code !== 0) throw notBundled(complaint.trim());
}

async function launchGit({ sandbox, repository, signal }: ImportOptions, args: readonly string[]) {
  const started = await sandbox.launch({
    argv: ['git', ...args],
    cwd: repository,
    writableFolders: [],
    view: 'system',
    stdin: 'ignore',
    timeout: 5 * 60 * 1_000,
  });
  signal?.addEventListener('abort', () => void started.kill(), { once: true });
  return started;
}

function badBranch(branch: string): CordonError {
  return new CordonError(
    'commits.branch',
    `"${branch}" cannot be the name of a branch.`,
    'Choose another name.',
  );
}

function branchExists(branch: string): CordonError {
  return new CordonError(
    'commits.branchExists',
    `There is a branch "${branch}" already. Nothing was imported.`,
    'Choose another name.',
  );
}

function noCommits(repository: string): CordonError {
  return new CordonError(
    'commits.none',
    `The agent has no commits in ${repository}.`,
    'Review its changes instead.',
  );
}

function notBundled(complaint: string): CordonError {
  return new CordonError(
    'commits.unreadable',
    `The agent's commits cannot be read (${complaint || 'git failed'}). Nothing was imported.`,
    'Its repository may be damaged; review the changes of the files instead.',
  );
}

function notFetched(cause: unknown): CordonError {
  return new CordonError(
    'commits.refused',
    "git's checks refused the agent's commits. Nothing was imported.",
    'Review the changes of the files instead.',
    { cause },
  );
}

function tooLarge(): CordonError {
  return new CordonError(
    'commits.tooLarge',
    "The agent's commits hold more than 1 GB. Nothing was imported.",
    'Large files do not belong in a repository; review the changes of the files instead.',
  );
}
