import * as vscode from 'vscode';
import type { Conversations } from '../host/conversations/conversations.ts';
import type { Review } from '../host/review/review.ts';
import type { SandboxState } from '../host/sandbox/sandboxState.ts';
import * as settings from '../host/settings.ts';
import type { StopSwitch } from '../host/stopSwitch.ts';
import { workspaceFolders } from '../host/workspaceFolders.ts';
import { modelLabel } from '../protocol/model.ts';
import type { PanelState } from '../protocol/panel.ts';
import { gateOf } from './gate.ts';

interface Parts {
  readonly conversations: Conversations;
  readonly sandbox: SandboxState;
  readonly stopSwitch: StopSwitch;
  readonly review: Review;
}

/** All that the panel shows, as it stands. */
export function panelState({ conversations, sandbox, stopSwitch, review }: Parts): PanelState {
  const model = settings.modelSettings();
  return {
    gate: gateOf({
      folders: (vscode.workspace.workspaceFolders ?? []).map(each => ({ scheme: each.uri.scheme })),
      isTrusted: vscode.workspace.isTrusted,
      hasModel: model !== undefined,
      isStopped: stopSwitch.isStopped,
      sandboxProblem: sandbox.problem,
    }),
    conversation: conversations.current,
    history: conversations.list(),
    model: model === undefined ? null : { provider: model.provider, label: modelLabel(model) },
    mode: settings.mode(),
    sandbox: sandbox.badge,
    changes: review.totals,
    folders: workspaceFolders(),
  };
}
