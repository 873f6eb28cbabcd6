import * as path from 'node:path';
import * as vscode from 'vscode';
import type { OpenTrashCan } from '../../session/changes/openTrashCan.ts';
import { plainLabel } from '../plainLabel.ts';

/** Brings applies that a crash interrupted to their end, and says in which folders. Rejects with `apply.*`. */
export async function mendApplies(journals: string, openTrash: () => Promise<OpenTrashCan>): Promise<void> {
  const { openJournals } = await import('../../overlay/journal.ts');
  if (openJournals(journals).length === 0) return;
  await using trash = await openTrash();
  const folders = [...new Set(await trash.recover())];
  if (folders.length === 0) return;
  const names = folders.map(folder => plainLabel(path.basename(folder))).join(', ');
  void vscode.window.showInformationMessage(
    `Cordon was interrupted while it took changes over into ${names}. That was brought to its end: all of them are there, or none.`,
  );
}
