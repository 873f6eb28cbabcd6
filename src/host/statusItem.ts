import * as vscode from 'vscode';
import type { Conversations } from './conversations/conversations.ts';
import type { SandboxState } from './sandbox/sandboxState.ts';
import type { StopSwitch } from './stopSwitch.ts';

type Activity = 'idle' | 'running' | 'waiting' | 'restricted' | 'stopped';

interface Parts {
  readonly conversations: Conversations;
  readonly sandbox: SandboxState;
  readonly stopSwitch: StopSwitch;
}

/** The one status bar entry, and the keys' conditions: says what Cordon is doing, and a click answers or opens. */
export function createStatusItem(parts: Parts): vscode.Disposable & { refresh(): void } {
  const item = vscode.window.createStatusBarItem('cordon.status', vscode.StatusBarAlignment.Right, 90);
  item.name = 'Cordon';
  return {
    refresh() {
      const activity = activityOf(parts);
      const { badge } = parts.sandbox;
      const broken = badge.state === 'failed';
      item.text = {
        idle: '$(shield) Cordon',
        running: '$(sync~spin) Cordon',
        waiting: '$(bell-dot) Cordon asks',
        restricted: '$(shield) Cordon: restricted',
        stopped: '$(stop-circle) Cordon: stopped',
      }[activity];
      if (broken && activity !== 'stopped') item.text = '$(error) Cordon';
      item.tooltip = `Cordon: ${{ idle: 'ready', running: 'working', waiting: 'an approval is waiting', restricted: 'restricted until the workspace is trusted', stopped: 'everything is stopped until you resume' }[activity]}\nSandbox: ${badge.label}`;
      item.command = activity === 'waiting' ? 'cordon.answerApproval' : 'cordon.open';
      item.backgroundColor =
        activity === 'waiting' || activity === 'stopped'
          ? new vscode.ThemeColor('statusBarItem.warningBackground')
          : undefined;
      item.accessibilityInformation = { label: item.tooltip };
      item.show();
      void vscode.commands.executeCommand('setContext', 'cordon.stopped', parts.stopSwitch.isStopped);
      void vscode.commands.executeCommand('setContext', 'cordon.running', isRunning(parts));
    },
    dispose: () => item.dispose(),
  };
}

function activityOf(parts: Parts): Activity {
  if (!vscode.workspace.isTrusted) return 'restricted';
  if (parts.stopSwitch.isStopped) return 'stopped';
  if (parts.conversations.waiting().length > 0) return 'waiting';
  return isRunning(parts) ? 'running' : 'idle';
}

function isRunning({ conversations }: Parts): boolean {
  return conversations.current.status !== 'idle';
}
