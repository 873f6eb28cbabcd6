import * as vscode from 'vscode';
import type { ChangedPath, Obstruction } from '../../session/changes/changesEngine.ts';
import { plainLabel } from '../plainLabel.ts';
import type { TakenOver } from './takeOver.ts';

/** Says what became of changes that were to be taken over. Conflicts are asked about, not told. */
export function tellTakenOver({ accepted, merged, inEditors, obstructions }: TakenOver): void {
  if (accepted.length > 1) void offerUndo(`Accepted ${counted(accepted)}.`);
  else if (accepted.length > 0) tellBriefly(`Accepted ${counted(accepted)}`);
  const say = (text: string) => void vscode.window.showInformationMessage(`Cordon: ${text}`);
  if (merged.length > 0) say(`Joined with your own changes: ${named(merged)}.`);
  if (inEditors.length > 0) say(`Joined with your unsaved edits: ${named(inEditors)}. Save to keep both.`);
  tellObstructions(obstructions.filter(({ kind }) => kind !== 'conflict'));
}

async function offerUndo(text: string): Promise<void> {
  const undo = 'Undo';
  const answer = await vscode.window.showInformationMessage(`Cordon: ${text}`, undo);
  if (answer === undo) await vscode.commands.executeCommand('cordon.undoLastAccept');
}

/** Says why nothing was done for these. */
export function tellObstructions(obstructions: readonly Obstruction[]): void {
  const moved = obstructions.filter(({ kind }) => kind === 'changed');
  if (moved.length > 0) tellMovedOn(moved, moved[0]?.words);
  for (const { path, words } of obstructions.filter(({ kind }) => kind === 'disk' || kind === 'protected'))
    void vscode.window.showWarningMessage(`Cordon: "${plainLabel(path)}" was not accepted: ${words}.`);
  const conflicts = obstructions.filter(({ kind }) => kind === 'conflict');
  if (conflicts.length > 0)
    void vscode.window.showWarningMessage(`Cordon: You changed these too: ${named(conflicts)}.`);
}

/** What was looked at is something else by now. */
export function tellMovedOn(
  paths: readonly ChangedPath[],
  words = 'it has changed since you looked at it',
): void {
  void vscode.window.showInformationMessage(
    `Cordon: Nothing was done for ${named(paths)}: ${words}. It is shown as it is now.`,
  );
}

export function tellNothingHere(): void {
  void vscode.window.showInformationMessage('Cordon: No change waits here. Put the cursor into one.');
}

export function tellBriefly(text: string): void {
  vscode.window.setStatusBarMessage(`$(check) Cordon: ${text}`, 5_000);
}

export function counted(all: readonly unknown[]): string {
  return all.length === 1 ? '1 change' : `${all.length} changes`;
}

export function named(paths: readonly ChangedPath[]): string {
  const names = paths.slice(0, 3).map(({ path }) => plainLabel(path));
  return paths.length > 3 ? `${names.join(', ')} and ${paths.length - 3} more` : names.join(', ');
}
