import { homedir } from 'node:os';
import * as vscode from 'vscode';
import type { ApprovalAnswer, ApprovalRequest } from '../../protocol/approval.ts';
import { plainLabel } from '../plainLabel.ts';

/** A question about a folder outside of the workspace. */
export type FolderSubject = Extract<ApprovalRequest['subject'], { kind: 'folder' }>;

/** How long a folder is open. */
export type FolderChoice = 'allowOnce' | 'allowToday' | 'alwaysAllow' | 'never';

/** What can be answered, in the order in which it is offered. */
export const folderChoices: readonly {
  readonly choice: FolderChoice;
  readonly label: string;
  readonly description: string;
}[] = [
  { choice: 'allowOnce', label: 'Allow once', description: 'for this turn' },
  { choice: 'allowToday', label: 'Allow today', description: 'to midnight, or until VS Code restarts' },
  { choice: 'alwaysAllow', label: 'Always allow', description: 'in this workspace, until you take it back' },
  { choice: 'never', label: 'Never', description: 'it is not asked again' },
];

/** The question, in one line. */
export function folderTitle({ folder, path, access }: FolderSubject): string {
  const what = folder === path ? 'the file' : 'in';
  return access === 'read'
    ? `Cordon wants to read ${what} ${shortened(folder)}`
    : `Cordon wants to change ${what} ${shortened(folder)}`;
}

/** The answer for a folder; `chosen` when it is another one than was offered. */
export function folderAnswer(
  choice: FolderChoice,
  { folder }: FolderSubject,
  chosen: string = folder,
): ApprovalAnswer {
  if (choice === 'alwaysAllow') return { kind: 'alwaysAllow', pattern: chosen, scope: 'user' };
  return chosen === folder ? { kind: choice } : { kind: choice, folder: chosen };
}

/** Lets the user pick another folder than the one offered: narrower, wider, or one that was allowed before. */
export async function pickFolder(subject: FolderSubject, signal: AbortSignal): Promise<string | undefined> {
  const row = (folder: string, description: string): vscode.QuickPickItem & { folder?: string } => ({
    label: plainLabel(shortened(folder)),
    description,
    iconPath: new vscode.ThemeIcon('folder'),
    folder,
  });
  const heading = (label: string) => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const rows: (vscode.QuickPickItem & { folder?: string })[] = [
    row(subject.folder, 'offered'),
    ...subject.around.map(each => row(each, each.length < subject.folder.length ? 'wider' : 'narrower')),
    ...(subject.recent.length > 0 ? [heading('Allowed before')] : []),
    ...subject.recent.map(each =>
      row(each, holds(each, subject.path) ? '' : `does not hold ${shortened(subject.path)}`),
    ),
  ];
  const source = new vscode.CancellationTokenSource();
  if (signal.aborted) source.cancel();
  signal.addEventListener('abort', () => source.cancel(), { once: true });
  const title = subject.access === 'read' ? 'Which folder may be read?' : 'Which folder may be changed?';
  const picked = await vscode.window.showQuickPick(rows, { title, ignoreFocusOut: true }, source.token);
  return picked?.folder;
}

/** The home folder as `~`, for people. */
export function shortened(path: string): string {
  const home = homedir();
  return path === home || path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

function holds(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
