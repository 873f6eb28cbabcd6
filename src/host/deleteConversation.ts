import * as vscode from 'vscode';
import type { Conversations } from './conversations.ts';
import { plainLabel } from './plainLabel.ts';
import type { WorkingCopies } from './workingCopies.ts';

/** Deletes a conversation with its copy of the workspace; asks first when that holds changes nobody took over. */
export async function deleteConversation(
  id: string,
  { conversations, copies }: { readonly conversations: Conversations; readonly copies: WorkingCopies },
): Promise<void> {
  const waiting = copies.exists(id) ? await countWaiting(id, copies) : 0;
  if (waiting === 0) return await conversations.delete(id);
  const title = conversations.list().find(each => each.id === id)?.title ?? 'This conversation';
  const remove = 'Delete All of It';
  const what =
    waiting === 'unknown'
      ? 'may hold changes'
      : waiting === 1
        ? 'holds 1 change'
        : `holds ${waiting} changes`;
  const answer = await vscode.window.showWarningMessage(
    `“${plainLabel(title)}” ${what} that you have not taken over.`,
    {
      modal: true,
      detail: 'They are deleted with the conversation, for good. Your own files stay as they are.',
    },
    remove,
  );
  if (answer === remove) await conversations.delete(id);
}

/** A copy that cannot be read must not keep its conversation from being deleted, once the user says so. */
async function countWaiting(id: string, copies: WorkingCopies): Promise<number | 'unknown'> {
  try {
    const reviews = await (await copies.open(id)).changes.review();
    return reviews.reduce((sum, { changes }) => sum + changes.length, 0);
  } catch {
    return 'unknown';
  }
}
