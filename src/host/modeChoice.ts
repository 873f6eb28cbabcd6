import * as vscode from 'vscode';
import type { Mode } from '../protocol/panel.ts';
import { mode, whatIsAsked, type Ask } from './settings.ts';

type Row = vscode.QuickPickItem & { readonly mode?: Mode; readonly ask?: Ask };

/** Lets the user choose what the agent may do and what is asked. The sandbox stays on in each of them. */
export async function chooseMode(): Promise<void> {
  const current = mode() === 'locked' ? 'locked' : whatIsAsked();
  const row = await vscode.window.showQuickPick(
    rows.map(each => ({ ...each, description: (each.ask ?? each.mode) === current ? 'current' : '' })),
    { title: 'Cordon: mode (the sandbox stays on in each)' },
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
];
