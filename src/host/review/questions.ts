import * as path from 'node:path';
import * as vscode from 'vscode';
import type { ChangedPath, Obstruction } from '../../session/changes/changesEngine.ts';
import { plainLabel } from '../plainLabel.ts';

/**
 * Asks about one protected path, in words that say what it could do. Enter shows the change and accepts nothing; only
 * the button does.
 */
export async function confirmProtected(
  { path: own }: ChangedPath,
  because: string,
  show: () => Promise<void>,
): Promise<boolean> {
  const [showIt, accept] = ['Show the Change', 'Accept This File'];
  const answer = await vscode.window.showWarningMessage(
    `Accept "${plainLabel(own)}"?`,
    { modal: true, detail: `It ${because}. Accept it only when you know what it does.` },
    showIt,
    accept,
  );
  if (answer === showIt) await show();
  return answer === accept;
}

/** `isDirect`: the agent worked in the user's own files. */
export async function confirmDiscard(files: number, isDirect: boolean): Promise<boolean> {
  const discard = 'Discard';
  const answer = await vscode.window.showWarningMessage(
    `Discard what Cordon changed in ${files} files?`,
    {
      modal: true,
      detail: isDirect
        ? 'Your files become what they were before; what they hold now goes to the trash.'
        : 'Your own files stay as they are. Going back to a checkpoint brings it again.',
    },
    discard,
  );
  return answer === discard;
}

type Resolution = 'compare' | 'merge' | 'theirs' | 'mine';

/** What to do about a file that both the user and the agent changed. Undefined: nothing for now. */
export async function resolveConflict(
  { path: own, words }: Obstruction,
  /** `canTake`: nothing unsaved is in the way. */
  { canMerge, canTake }: { readonly canMerge: boolean; readonly canTake: boolean },
): Promise<Resolution | undefined> {
  const rows: ((vscode.QuickPickItem & { readonly choice: Resolution }) | false)[] = [
    canMerge && {
      label: 'Merge by hand',
      detail: 'Opens the merge editor; the result is yours when you complete it.',
      choice: 'merge',
    },
    {
      label: 'Look at the difference',
      detail: 'Decides nothing.',
      choice: 'compare',
    },
    { label: 'Keep mine', detail: 'Drops Cordon’s change of this file.', choice: 'mine' },
    canTake && { label: 'Take Cordon’s', detail: 'Your version goes to the trash.', choice: 'theirs' },
  ];
  const picked = await vscode.window.showQuickPick(
    rows.filter(row => row !== false),
    {
      title: `Conflict: ${plainLabel(path.basename(own))}`,
      placeHolder: `${plainLabel(own)}: ${words}`,
      ignoreFocusOut: true,
    },
  );
  return picked?.choice;
}
