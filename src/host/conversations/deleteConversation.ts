import * as vscode from 'vscode';
import type { Conversations } from './conversations.ts';
import { plainLabel } from '../plainLabel.ts';
import type { WorkingCopies } from './workingCopies.ts';

/** Deletes a conversation with its copy of the workspace; asks first when that holds changes nobody took over. */
export async function deleteConversation(
  id: string,
  { conversations, copies }: { readonly conversations: Conversations; readonly copies: WorkingCopies },
): Promise<void> {
  const { waiting, isDirect } = copies.exists(id) ? await lookAt(id, copies) : nothing;
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
    `“${plainLabel(title)}” ${what} that you have not ${isDirect ? 'accepted' : 'taken over'}.`,
    {
      modal: true,
      detail: isDirect
        ? 'It stays in your files. What those held before cannot be brought back without the conversation.'
        : 'All of that is deleted with the conversation, for good. Your own files stay as they are.',
    },
    remove,
  );
  if (answer === remove) await conversations.delete(id);
}

const nothing = { waiting: 0, isDirect: false } as const;

/** A copy that cannot be read must not keep its conversation from being deleted, once the user says so. */
async function lookAt(
  id: string,
  copies: WorkingCopies,
): Promise<{ waiting: number | 'unknown'; isDirect: boolean }> {
  try {
    const { kind, changes } = await copies.open(id);
    const reviews = await changes.review();
    const waiting = reviews.reduce((sum, review) => sum + review.changes.length, 0);
    return { waiting, isDirect: kind === 'direct' };
  } catch {
    return { waiting: 'unknown', isDirect: false };
  }
}
