import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../base/errors.ts';
import { importCommits } from '../overlay/commits.ts';
import { newCommits } from '../overlay/newCommits.ts';
import { openSandbox } from '../../sandbox/sandbox.ts';
import { visibleName } from './changeReport.ts';
import { findKeptSession } from './keptSession.ts';
import { openSessionCopy, sessionTemporaryDirectory } from './sessionCopy.ts';
import { stateDirectory, workspaceDirectory } from './stateDirectory.ts';

/**
 * `cordon import-commits [--workspace DIR] [--session ID] [--json] BRANCH`: brings the commits that a session made into
 * a new branch of the workspace's repository. Resolves to the exit status: 0 when they are there, 1 when nothing was
 * imported, 2 for wrong usage.
 */
export async function importCommitsCommand(argv: readonly string[]): Promise<number> {
  const wanted = readArguments(argv);
  if (typeof wanted === 'string') {
    process.stderr.write(`cordon import-commits: ${wanted}\n`);
    return 2;
  }
  const { folder, branch, json } = wanted;
  const { id } = await findKeptSession([folder], wanted.session);
  const state = workspaceDirectory([folder]);
  await using copy = await openSessionCopy([folder], id);
  await using sandbox = await openSandbox({
    folders: [folder],
    stateDirectory: state,
    temporaryDirectory: sessionTemporaryDirectory([folder], id),
    ...(copy.view === undefined ? {} : { copyOnWrite: copy.view }),
  });
  const directory = path.join(stateDirectory(), 'imports');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const commits = await newCommits({ repository: folder, sandbox });
  const result = await importCommits({ repository: folder, sandbox, branch, directory });
  if (json) process.stdout.write(`${JSON.stringify({ session: id, ...result })}\n`);
  else if (result.kind === 'imported') {
    const count = result.commits === 1 ? '1 commit is' : `${result.commits} commits are`;
    process.stdout.write(`${count} on the new branch ${branch}.\n`);
    for (const commit of commits) process.stdout.write(`  ${commit.id.slice(0, 8)}  ${commit.subject}\n`);
  } else if (result.kind === 'nothing')
    process.stderr.write(`cordon import-commits: session ${id} has no commits that you do not have.\n`);
  else {
    process.stderr.write('cordon import-commits: nothing was imported. These should not be committed:\n');
    for (const file of result.files)
      process.stderr.write(`  ${visibleName(file.path)}  (it ${file.because})\n`);
  }
  return result.kind === 'imported' ? 0 : 1;
}

function readArguments(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { workspace: { type: 'string' }, session: { type: 'string' }, json: { type: 'boolean' } },
      allowPositionals: true,
      strict: true,
    });
    const [branch, ...more] = positionals;
    if (branch === undefined || more.length > 0) return 'say the name of one new branch.';
    const folder = path.resolve(values.workspace ?? '.');
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return `${folder} is not a folder.`;
    return { folder, branch, session: values.session, json: values.json ?? false };
  } catch (error) {
    return messageOf(error);
  }
}
