import * as path from 'node:path';
import * as vscode from 'vscode';
import { messageOf } from './base/errors.ts';
import type { ApprovalFaces } from './host/approvals/approvalFaces.ts';
import type { Conversations } from './host/conversations/conversations.ts';
import type { GoingBack } from './host/conversations/goingBack.ts';
import type { GrantsView } from './host/grants/grantsView.ts';
import type { Credentials } from './host/models/credentials.ts';
import type { Review } from './host/review/review.ts';
import type { SandboxState } from './host/sandbox/sandboxState.ts';
import type { Restoring } from './host/trash/restoring.ts';
import type { Panels } from './panel/panels.ts';
import type { ProviderId } from './protocol/model.ts';
import type { PanelMessage } from './protocol/panel.ts';

export interface Parts {
  readonly panels: Panels;
  readonly conversations: Conversations;
  readonly approvals: ApprovalFaces;
  readonly credentials: Credentials;
  readonly sandbox: SandboxState;
  readonly review: Review;
  readonly goingBack: GoingBack;
  readonly restoring: Restoring;
  readonly importCommits: () => Promise<void>;
  readonly deleteConversation: (id: string) => Promise<void>;
  readonly chooseModel: (provider?: ProviderId) => Promise<void>;
  readonly chooseMode: () => Promise<void>;
  readonly manageRules: () => Promise<void>;
  readonly grants: GrantsView;
  readonly clearHome: () => Promise<void>;
  readonly stopEverything: () => Promise<void>;
  readonly resume: () => void;
  readonly cureDenial: (toolCallId: string, denial: number) => Promise<void>;
}

/** Every command of the palette, by its identifier. */
export function registerCommands(parts: Parts): vscode.Disposable[] {
  const commands: Record<string, (given: unknown) => unknown> = {
    'cordon.open': () => parts.panels.show(),
    'cordon.openInEditor': () => parts.panels.openInEditor(),
    'cordon.newConversation': async () => {
      parts.conversations.openNew();
      await parts.panels.show();
    },
    'cordon.stop': () => parts.conversations.stop(),
    'cordon.stopEverything': () => parts.stopEverything(),
    'cordon.resume': () => parts.resume(),
    'cordon.revokeGrant': () => parts.grants.pickAndRevoke(),
    'cordon.revokeThisGrant': row => parts.grants.revoke(row),
    'cordon.chooseModel': () => parts.chooseModel(),
    'cordon.chooseMode': () => parts.chooseMode(),
    'cordon.manageRules': () => parts.manageRules(),
    'cordon.forgetCredentials': async () => {
      const forgotten = await parts.credentials.forgetAll();
      void vscode.window.showInformationMessage(
        `Cordon: ${forgotten} stored ${forgotten === 1 ? 'key was' : 'keys were'} forgotten.`,
      );
    },
    'cordon.answerApproval': () => parts.approvals.askNow(),
    'cordon.goBack': () => parts.goingBack.choose(),
    'cordon.undoGoingBack': () => parts.goingBack.undo(),
    'cordon.forkConversation': () => parts.goingBack.chooseFork(),
    'cordon.restoreFromTrash': () => parts.restoring.choose(),
    'cordon.undoLastAccept': () => parts.restoring.undoLastAccept(),
    'cordon.importCommits': () => parts.importCommits(),
    'cordon.showSandboxReport': () => showReport(parts.sandbox),
    'cordon.clearHome': () => parts.clearHome(),
  };
  return Object.entries(commands).map(([id, run]) =>
    vscode.commands.registerCommand(id, (given: unknown) => reported(() => run(given))),
  );
}

/** What each message of the panel's does. */
export async function onPanelMessage(
  message: Exclude<PanelMessage, { type: 'ready' }>,
  parts: Parts,
): Promise<void> {
  const { conversations, approvals, panels } = parts;
  await reported(() => {
    switch (message.type) {
      case 'send':
        return conversations.send(message.text);
      case 'stop':
        return conversations.stop();
      case 'stopEverything':
        return parts.stopEverything();
      case 'resume':
        return parts.resume();
      case 'answerApproval':
        return conversations.answerApproval(message.id, message.answer);
      case 'alwaysAllow':
        return approvals.chooseRule(message.id);
      case 'cureDenial':
        return parts.cureDenial(message.toolCallId, message.denial);
      case 'chooseFolder':
        return approvals.chooseFolder(message.id);
      case 'answerQuestion':
        return conversations.answerQuestion(message.id, message.answer);
      case 'newConversation':
        return conversations.openNew();
      case 'openConversation':
        return conversations.open(message.id);
      case 'renameConversation':
        return conversations.rename(message.id, message.title);
      case 'deleteConversation':
        return parts.deleteConversation(message.id);
      case 'goBack':
        return parts.goingBack.toBefore(message.itemId);
      case 'fork':
        return parts.goingBack.fork(message.itemId);
      case 'importCommits':
        return parts.importCommits();
      case 'chooseModel':
        return parts.chooseModel(message.provider);
      case 'chooseMode':
        return parts.chooseMode();
      case 'manageTrust':
        return vscode.commands.executeCommand('workbench.trust.manage');
      case 'openFolder':
        return vscode.commands.executeCommand('workbench.action.files.openFolder');
      case 'recheckSandbox':
        return parts.sandbox.check();
      case 'showSandboxReport':
        return showReport(parts.sandbox);
      case 'openInEditor':
        return panels.openInEditor();
      case 'reviewChanges':
        return parts.review.open(message.itemId);
      case 'acceptChanges':
        return parts.review.acceptAll();
      case 'discardChanges':
        return parts.review.discardAll();
      case 'openFile':
        return openFile(message.path, message.line);
      case 'openLink':
        return openLink(message.url);
    }
  });
}

/** The one place where an error of a command is shown. */
async function reported(run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    void vscode.window.showErrorMessage(`Cordon: ${messageOf(error)}`);
  }
}

/** Opens a file of the workspace; the panel's paths come from the agent, so others are refused. */
async function openFile(file: string, line: number | undefined): Promise<void> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const [first] = folders;
  if (first === undefined) return;
  const target = vscode.Uri.file(path.resolve(first.uri.fsPath, file));
  if (vscode.workspace.getWorkspaceFolder(target) === undefined) {
    void vscode.window.showWarningMessage(`Cordon opens only files of the workspace, not ${target.fsPath}.`);
    return;
  }
  const at = new vscode.Position(Math.max(0, (line ?? 1) - 1), 0);
  await vscode.window.showTextDocument(target, { selection: new vscode.Range(at, at), preview: true });
}

async function openLink(url: string): Promise<void> {
  const uri = vscode.Uri.parse(url, true);
  if (uri.scheme === 'https' || uri.scheme === 'http') await vscode.env.openExternal(uri);
}

async function showReport(sandbox: SandboxState): Promise<void> {
  const document = await vscode.workspace.openTextDocument({
    language: 'markdown',
    content: sandbox.report(),
  });
  await vscode.window.showTextDocument(document, { preview: true });
}
