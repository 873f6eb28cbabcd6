import { otherOwner, wayTo } from '../../sandbox/folderOwner.ts';
import { CordonError } from '../base/errors.ts';
import { randomId } from '../base/ids.ts';
import { heldBackFiles, type HeldBackFile } from './heldBackFiles.ts';
import { hostGit, isObjectName, knownCommits } from './hostGit.ts';
import { openPassage } from './passage.ts';
import { sandboxedFile, sandboxedText, type AgentRepository } from './sandboxedGit.ts';

export interface ImportOptions extends AgentRepository {
  /** A branch that does not exist yet, as the user names it. */
  readonly branch: string;
  /** Folder of the broker's for the bundle on its way. */
  readonly directory: string;
}

export type ImportResult =
  | { readonly kind: 'imported'; readonly branch: string; readonly commit: string; readonly commits: number }
  | { readonly kind: 'nothing' }
  /** Files that should not be in a repository. Nothing of it came into the user's. */
  | { readonly kind: 'heldBack'; readonly files: readonly HeldBackFile[] };

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
  const problem = await branchProblem(repository, branch);
  if (problem) throw problem;

  const head = await sandboxedText(options, ['rev-parse', '--verify', '--end-of-options', 'HEAD^{commit}']);
  if (head === undefined || !isObjectName(head)) throw noCommits(repository);
  if (await succeeds(git('merge-base', '--is-ancestor', head, 'HEAD'))) return { kind: 'nothing' };

  const have = await knownCommits(repository, signal);
  const id = randomId();
  await using passage = await openPassage(repository, directory);
  const { bundle, between } = passage;
  const arrived = `refs/cordon/${id}`;
  try {
    // Named, so that git does not take "-" for a file when it starts in a sub-folder of the repository.
    const gitDirectory = (await sandboxedText(options, ['rev-parse', '--absolute-git-dir'])) ?? '';
    const what = ['HEAD', ...have.map(each => `^${each}`)];
    await sandboxedFile(
      options,
      [`--git-dir=${gitDirectory}`, 'bundle', 'create', '--quiet', '-', ...what],
      bundle,
    );
    await passage.seal();
    await git('init', '--quiet', '--bare', '--template=', '--end-of-options', between);
    const objects = (await git('rev-parse', '--path-format=absolute', '--git-path', 'objects')).stdout;
    await passage.borrow(objects);
    const fetch = async (from: string, to: string, refs: string) =>
      await hostGit(to, ['fetch', ...quiet, '--end-of-options', from, refs], signal).catch(
        (cause: unknown) => {
          throw notFetched(cause);
        },
      );
    await fetch(bundle, between, `HEAD:${arrived}`);
    const commit = (await hostGit(between, ['rev-parse', '--verify', '--end-of-options', arrived], signal))
      .stdout;
    const range = [commit, ...have.map(each => `^${each}`)];
    // Before anything of it lies in the user's repository.
    const files = await heldBackFiles(between, range, signal);
    if (files.length > 0) return { kind: 'heldBack', files };
    await fetch(between, repository, `${arrived}:${arrived}`);
    const commits = Number((await git('rev-list', '--count', ...range, '--')).stdout);
    // All noughts: only if it is still not there.
    await git('update-ref', `refs/heads/${branch}`, commit, '0'.repeat(commit.length)).catch(() => {
      throw branchExists(branch);
    });
    return { kind: 'imported', branch, commit, commits };
  } finally {
    await git('update-ref', '-d', arrived).catch(() => undefined);
  }
}

/** What is wrong with the name of a branch that is to be made; undefined when it will do. */
export async function branchProblem(repository: string, branch: string): Promise<CordonError | undefined> {
  const git = (...args: string[]) => succeeds(hostGit(repository, args));
  const owner = otherOwner([repository]);
  if (owner && wayTo(repository, owner) !== 'open') return closedRepository(repository, owner.name);
  if (branch.startsWith('-') || !(await git('check-ref-format', `refs/heads/${branch}`)))
    return badBranch(branch);
  const isThere = await git('rev-parse', '--verify', '--quiet', '--end-of-options', `refs/heads/${branch}`);
  return isThere ? branchExists(branch) : undefined;
}

async function succeeds(run: Promise<unknown>): Promise<boolean> {
  return await run.then(
    () => true,
    () => false,
  );
}

const quiet = [
  '--quiet',
  '--no-tags',
  '--no-write-fetch-head',
  '--no-recurse-submodules',
  '--no-auto-gc',
  '--no-auto-maintenance',
];

function badBranch(branch: string): CordonError {
  return new CordonError(
    'commits.branch',
    `"${branch}" cannot be the name of a branch.`,
    'Choose another name.',
  );
}

function closedRepository(repository: string, owner: string): CordonError {
  return new CordonError(
    'commits.closed',
    `${repository} belongs to ${owner}, who may not enter the folders around it, so git cannot run there. Nothing was imported.`,
    `Let ${owner} enter them, or review the changes of the files instead.`,
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

function notFetched(cause: unknown): CordonError {
  return new CordonError(
    'commits.refused',
    "git's checks refused the agent's commits. Nothing was imported.",
    'Review the changes of the files instead.',
    { cause },
  );
}
