import * as vscode from 'vscode';
import { CordonError } from '../../base/errors.ts';
import type { HeldBackFile } from '../../overlay/heldBackFiles.ts';
import type { NewCommit } from '../../overlay/newCommits.ts';
import type { Conversation } from '../../protocol/transcript.ts';
import type { WorkingCopy } from '../../session/changes/workingCopy.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { branchNameFor } from './branchName.ts';
import { plainLabel } from '../plainLabel.ts';

interface Options {
  readonly conversation: () => Conversation;
  /** Undefined where the conversation has none. */
  readonly copyOf: (conversationId: string) => Promise<WorkingCopy | undefined>;
  /** Walls around a copy, in which git reads the agent's repository. */
  readonly openWalls: (copy: WorkingCopy) => Promise<Sandbox>;
  /** Folder of the broker's (0700) for what is on its way. Made when missing. */
  readonly directory: () => Promise<string>;
}

/** Brings the agent's commits into a new branch of the user's repository. Nothing is pushed. */
export async function importAgentCommits(options: Options): Promise<void> {
  const { id, title } = options.conversation();
  const copy = await options.copyOf(id);
  if (copy === undefined) throw nothingToImport();
  await using walls = await options.openWalls(copy);
  const { newCommits } = await import('../../overlay/newCommits.ts');
  const found: { repository: string; commits: NewCommit[] }[] = [];
  for (const repository of copy.folders) {
    const commits = await newCommits({ repository, sandbox: walls });
    if (commits.length > 0) found.push({ repository, commits });
  }
  if (found.length === 0) throw nothingToImport();
  const chosen = await chooseRepository(found);
  if (chosen === undefined) return;
  const { repository, commits } = chosen;
  const { branchProblem, importCommits } = await import('../../overlay/commits.ts');
  const proposed = await branchNameFor(
    title,
    async name => (await branchProblem(repository, name)) === undefined,
  );
  const branch = await askForBranch(proposed, commits, name => branchProblem(repository, name));
  if (branch === undefined) return;
  const result = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: 'Importing the agent’s commits',
      cancellable: true,
    },
    async (_, token) => {
      const controller = new AbortController();
      token.onCancellationRequested(() => controller.abort());
      const directory = await options.directory();
      return await importCommits({
        repository,
        sandbox: walls,
        branch,
        directory,
        signal: controller.signal,
      });
    },
  );
  if (result.kind === 'nothing') throw nothingToImport();
  if (result.kind === 'heldBack') throw heldBack(result.files);
  const count = result.commits === 1 ? '1 commit is' : `${result.commits} commits are`;
  void vscode.window.showInformationMessage(
    `${count} on the new branch ${plainLabel(branch)}. Nothing was pushed.`,
  );
}

async function chooseRepository<T extends { repository: string; commits: readonly NewCommit[] }>(
  found: readonly T[],
): Promise<T | undefined> {
  if (found.length === 1) return found[0];
  const rows = found.map(each => ({
    label: plainLabel(each.repository),
    description: counted(each.commits.length),
    each,
  }));
  return (await vscode.window.showQuickPick(rows, { title: 'Import from which repository?' }))?.each;
}

interface Row extends vscode.QuickPickItem {
  /** The row that does it. */
  readonly accepts?: boolean;
}

/** Asks for the name of the new branch and shows what would come. Undefined when closed. */
function askForBranch(
  proposed: string,
  commits: readonly NewCommit[],
  problemOf: (branch: string) => Promise<CordonError | undefined>,
): Promise<string | undefined> {
  return new Promise(resolve => {
    const quickPick = vscode.window.createQuickPick<Row>();
    quickPick.title = `Import ${counted(commits.length)} of the agent’s into a new branch`;
    quickPick.placeholder = 'Name of the new branch';
    quickPick.value = proposed;
    quickPick.ignoreFocusOut = true;
    const list: Row[] = [
      { label: 'What would come', kind: vscode.QuickPickItemKind.Separator },
      ...commits.map(({ id, subject, author, at }) => ({
        label: plainLabel(subject === '' ? '(no message)' : subject),
        description: `${id.slice(0, 8)}, ${plainLabel(author)}, ${new Date(at).toLocaleDateString()}`,
        iconPath: new vscode.ThemeIcon('git-commit'),
        alwaysShow: true,
      })),
    ];
    let [checked, answer]: (string | undefined)[] = [];
    const check = async () => {
      const name = quickPick.value.trim();
      checked = undefined;
      const problem = await problemOf(name);
      // The user typed on meanwhile.
      if (quickPick.value.trim() !== name) return;
      checked = problem ? undefined : name;
      const first: Row = problem
        ? { label: plainLabel(problem.message), iconPath: new vscode.ThemeIcon('error'), alwaysShow: true }
        : {
            label: `Import into “${plainLabel(name)}”`,
            detail: 'Your branches and files stay as they are, and nothing is pushed.',
            iconPath: new vscode.ThemeIcon('git-branch-create'),
            alwaysShow: true,
            accepts: true,
          };
      quickPick.items = [first, ...list];
      quickPick.activeItems = [first];
    };
    quickPick.onDidChangeValue(() => void check());
    quickPick.onDidAccept(() => {
      if (quickPick.activeItems[0]?.accepts !== true || checked !== quickPick.value.trim()) return;
      answer = checked;
      quickPick.hide();
    });
    quickPick.onDidHide(() => {
      quickPick.dispose();
      resolve(answer);
    });
    quickPick.items = list;
    quickPick.show();
    void check();
  });
}

function counted(commits: number): string {
  return commits === 1 ? '1 commit' : `${commits} commits`;
}

function heldBack(files: readonly HeldBackFile[]): CordonError {
  const shown = files.slice(0, 5).map(({ path, because }) => `${plainLabel(path)} ${because}`);
  const more = files.length > 5 ? ` and ${files.length - 5} more` : '';
  return new CordonError(
    'commits.heldBack',
    `Nothing was imported: ${shown.join('; ')}${more}.`,
    'Ask Cordon to make the commits anew without them.',
  );
}

function nothingToImport(): CordonError {
  return new CordonError(
    'commits.nothing',
    'The agent has no commits in this conversation that you do not have.',
    'Changes of files that are not committed are in the review.',
  );
}
