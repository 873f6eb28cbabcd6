import * as vscode from 'vscode';
import type { Mode } from '../../protocol/panel.ts';
import { mode, whatIsAsked, type Ask } from '../settings.ts';

type Row = vscode.QuickPickItem & { readonly mode?: Mode; readonly ask?: Ask };

/** Lets the user choose what the agent may do and what is asked. The sandbox stays on in all but the last. */
export async function chooseMode(): Promise<void> {
  const current = mode() === 'sandboxed' ? whatIsAsked() : mode();
  const row = await vscode.window.showQuickPick(
    rows.map(each => ({ ...each, description: (each.ask ?? each.mode) === current ? 'current' : '' })),
    { title: 'Cordon: mode' },
  );
  if (row === undefined) return;
  const configuration = vscode.workspace.getConfiguration('cordon');
  await configuration.update('mode', row.mode ?? 'sandboxed', vscode.ConfigurationTarget.Global);
  if (row.ask !== undefined)
    await configuration.update('approvals.ask', row.ask, vscode.ConfigurationTarget.Global);
}

const rows: readonly Row[] = [
  { label: 'Ask for everything', detail: 'Every command is asked.', ask: 'everything' },
  {
    label: 'Allowlist',
    detail: 'Asked: what no rule allows and what is not a known read-only command.',
    ask: 'allowlist',
  },
  {
    label: 'Contained',
    detail: 'Asked: only what would leave the sandbox. Denials stay denials.',
    ask: 'contained',
  },
  { label: 'Locked', detail: 'Reading only: no command runs and nothing is changed.', mode: 'locked' },
  {
    label: 'Unrestricted',
    iconPath: new vscode.ThemeIcon('warning'),
    detail: 'Commands run WITHOUT a sandbox, with your rights. Confirmed anew for each conversation.',
    mode: 'unrestricted',
  },
];

/** Asked at the start of each conversation in the unrestricted mode. Closing it keeps the sandbox. */
export async function confirmUnrestricted(): Promise<boolean> {
  const without = 'Run without the sandbox';
  const answer = await vscode.window.showWarningMessage(
    'Run the commands of this conversation without a sandbox?',
    {
      modal: true,
      detail:
        'They would run with all your rights: they can read and change every file of yours and reach every network. What is not allowed is still asked. Cancel to go on inside the sandbox.',
    },
    without,
  );
  return answer === without;
}
