import * as vscode from 'vscode';
import type { Conversations } from './conversations/conversations.ts';
import type { Sessions } from './conversations/sessions.ts';
import type { WorkingCopies } from './conversations/workingCopies.ts';
import type { AllowedDomains } from './grants/allowedDomains.ts';
import type { GrantsView } from './grants/grantsView.ts';
import type { WorkspaceRules } from './rules/workspaceRules.ts';
import type { SandboxState } from './sandbox/sandboxState.ts';

interface Parts {
  readonly conversations: Conversations;
  readonly sessions: Sessions;
  readonly copies: WorkingCopies;
  readonly rules: WorkspaceRules;
  readonly domains: AllowedDomains;
  readonly sandbox: SandboxState;
  readonly grants: GrantsView;
  /** Shows the state anew. */
  readonly refresh: () => void;
  readonly report: (error: unknown) => void;
}

/** What follows when a setting changes, here or in a file of the workspace's. */
export function onSettingChanges(parts: Parts): vscode.Disposable {
  const { conversations, sessions, copies, rules, domains, sandbox, grants, refresh, report } = parts;
  return vscode.workspace.onDidChangeConfiguration(change => {
    if (change.affectsConfiguration('cordon.commands.rules') && vscode.workspace.isTrusted)
      rules.askAboutChanges().catch(report);
    // A rule or a folder that is gone holds for nothing that runs either.
    if (change.affectsConfiguration('cordon.commands.rules')) void sessions.recheck('rules');
    if (change.affectsConfiguration('cordon.files.writableFolders')) void sessions.recheck('grants');
    // Another mode means other walls: every conversation starts its agent anew.
    if (change.affectsConfiguration('cordon.mode') || change.affectsConfiguration('cordon.sandbox'))
      void sessions.endAll();
    // What the agent works in is opened anew, as it is wanted now.
    if (
      change.affectsConfiguration('cordon.workspace') ||
      change.affectsConfiguration('cordon.sandbox.backend')
    )
      void sessions.endAll().then(() => copies.closeAll());
    // What a command may use counts from the next one on; a turn that runs is not ended for it.
    if (change.affectsConfiguration('cordon.limits')) void sessions.endAll(id => !conversations.isBusy(id));
    if (change.affectsConfiguration('cordon.sandbox') && vscode.workspace.isTrusted) void sandbox.check();
    if (change.affectsConfiguration('cordon.network')) domains.settingsChanged();
    if (change.affectsConfiguration('cordon')) {
      refresh();
      grants.refresh();
    }
  });
}
