import * as vscode from 'vscode';
import type { SandboxBadge } from '../protocol/panel.ts';

export type Activity = 'idle' | 'running' | 'waiting' | 'restricted' | 'stopped';

/** The one status bar entry: says what Cordon is doing, and a click answers or opens. */
export function createStatusItem(): vscode.Disposable & {
  show(activity: Activity, sandbox: SandboxBadge): void;
} {
  const item = vscode.window.createStatusBarItem('cordon.status', vscode.StatusBarAlignment.Right, 90);
  item.name = 'Cordon';
  return {
    show(activity, sandbox) {
      const broken = sandbox.state === 'failed';
      item.text = {
        idle: '$(shield) Cordon',
        running: '$(sync~spin) Cordon',
        waiting: '$(bell-dot) Cordon asks',
        restricted: '$(shield) Cordon: restricted',
        stopped: '$(stop-circle) Cordon: stopped',
      }[activity];
      if (broken && activity !== 'stopped') item.text = '$(error) Cordon';
      item.tooltip = `Cordon: ${{ idle: 'ready', running: 'working', waiting: 'an approval is waiting', restricted: 'restricted until the workspace is trusted', stopped: 'everything is stopped until you resume' }[activity]}\nSandbox: ${sandbox.label}`;
      item.command = activity === 'waiting' ? 'cordon.answerApproval' : 'cordon.open';
      item.backgroundColor =
        activity === 'waiting' || activity === 'stopped'
          ? new vscode.ThemeColor('statusBarItem.warningBackground')
          : undefined;
      item.accessibilityInformation = { label: item.tooltip };
      item.show();
    },
    dispose: () => item.dispose(),
  };
}
