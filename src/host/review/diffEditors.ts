import * as path from 'node:path';
import * as vscode from 'vscode';
import type { ReviewedChange } from '../../session/changes/changesEngine.ts';
import { plainLabel } from '../plainLabel.ts';
import { changeUri, sideOf, type ChangeSide } from './changeUri.ts';
import { userUri } from './userFiles.ts';

/** Where changes come from: `WaitingChanges`. */
interface Source {
  readonly conversationId: string;
  /** The user's files are as the agent left them. */
  readonly isDirect: boolean;
}

const reviewTitle = 'Cordon: Changes';

/** All changes in one editor, each against the user's file. One such editor at most. */
export async function openAll(source: Source, changes: readonly ReviewedChange[]): Promise<void> {
  await closeAll();
  const files = changes.filter(isFile).slice(0, mostFiles);
  await vscode.commands.executeCommand(
    'vscode.changes',
    reviewTitle,
    files.map(change => [
      userUri(change),
      change.was === 'file' || change.was === 'symlink' || change.renamed !== undefined
        ? userSide(source, change)
        : undefined,
      change.is === 'file' || change.is === 'symlink' ? agentSide(source, change) : undefined,
    ]),
  );
}

/** One file; at a line of the agent's text when given. */
export async function openChange(
  source: Source,
  change: ReviewedChange,
  options: { readonly line?: number; readonly preserveFocus?: boolean } = {},
): Promise<void> {
  if (!isFile(change)) return;
  const { line, preserveFocus = false } = options;
  const name = plainLabel(path.basename(change.path));
  const at = line === undefined ? undefined : new vscode.Range(line - 1, 0, line - 1, 0);
  const nothing = changeUri({ ...placeOf(source, change), side: 'nothing' });
  const isNew = change.kind === 'added' && change.renamed === undefined;
  await vscode.commands.executeCommand(
    'vscode.diff',
    isNew ? nothing : userSide(source, change),
    change.is === null ? nothing : agentSide(source, change),
    `${name} (${change.is === null ? 'deleted by Cordon' : isNew ? 'new' : source.isDirect ? 'before ↔ now' : 'yours ↔ Cordon’s'})`,
    {
      preview: true,
      preserveFocus,
      ...(at ? { selection: at } : {}),
    } satisfies vscode.TextDocumentShowOptions,
  );
}

/** Closes the editor of all changes where it is open. */
export async function closeAll(): Promise<void> {
  const tabs = vscode.window.tabGroups.all.flatMap(group => group.tabs).filter(isOfAll);
  if (tabs.length > 0) await vscode.window.tabGroups.close(tabs, true);
}

/** VS Code has no public kind for such tabs; it adds the number of files to their title. */
export function isOfAll(tab: vscode.Tab): boolean {
  return !(tab.input instanceof vscode.TabInputText) && tab.label.startsWith(reviewTitle);
}

/** The agent's side of the change that a tab shows, if it shows one. */
export function shownIn(tab: vscode.Tab | undefined): ChangeSide | undefined {
  return tab?.input instanceof vscode.TabInputTextDiff ? sideOf(tab.input.modified) : undefined;
}

function agentSide(source: Source, change: ReviewedChange): vscode.Uri {
  return changeUri({ ...placeOf(source, change), side: 'agent' });
}

/** For a renamed file, where its content was. A link is shown as what it says: to follow it would show another file. */
function userSide(source: Source, change: ReviewedChange): vscode.Uri {
  const { folder, path: own, kind, was, is, renamed } = change;
  const from = { folder, path: kind === 'added' && renamed !== undefined ? renamed : own };
  const isLink = was === 'symlink' || (was === null && is === 'symlink');
  return isLink || source.isDirect
    ? changeUri({ ...placeOf(source, change), ...from, side: 'user' })
    : userUri(from);
}

function placeOf(
  { conversationId }: Source,
  { folder, path: own }: ReviewedChange,
): Omit<ChangeSide, 'side'> {
  return { conversationId, folder, path: own };
}

function isFile({ was, is }: ReviewedChange): boolean {
  return (is ?? was) !== 'directory';
}

/** More make the editor slow; they are all in the view. */
const mostFiles = 500;
