import { createHash } from 'node:crypto';
import type { BrokerText, Outcome } from '../broker.ts';
import { fileProblem, type ResolvedPath } from '../workspace.ts';
import { notDone, said, type ToolContext, type ToolResult } from './tool.ts';

/** A path that is read through the broker: outside of the workspace, or with unsaved text in the editor. */
export type BrokeredPath = Exclude<ResolvedPath, { kind: 'refused' }>;

/** Whether the newest text of this file is to be had from the broker only. */
export function isBrokered(resolved: BrokeredPath, { unsaved }: Pick<ToolContext, 'unsaved'>): boolean {
  return resolved.kind === 'outside' || hasUnsaved(resolved, { unsaved });
}

/** Whether the user has text in the editor there that is not saved. */
export function hasUnsaved(resolved: BrokeredPath, { unsaved }: Pick<ToolContext, 'unsaved'>): boolean {
  return unsaved.has(resolved.path) || (resolved.kind === 'inside' && unsaved.has(resolved.real));
}

/** What keys the ledger: the real path where it can be told in here. */
export function ledgerKey(resolved: BrokeredPath): string {
  return resolved.kind === 'inside' ? resolved.real : resolved.path;
}

/** Asks the broker for the text. A result instead is why there is none. `disk`: saved in the meantime. */
export async function brokerText(
  given: string,
  resolved: BrokeredPath,
  { broker, toolCallId, signal }: ToolContext,
): Promise<Extract<Outcome<BrokerText>, { kind: 'done' }>['value'] | ToolResult> {
  try {
    const outcome = await broker.readFile(resolved.path, { toolCallId }, signal);
    return outcome.kind === 'done' ? outcome.value : notDone(undoneDeed(given, resolved, 'read'), outcome);
  } catch (error) {
    signal.throwIfAborted();
    return said(false, `${given} could not be read: ${fileProblem(error)}.`);
  }
}

/** What did not happen, and, outside of the workspace, that this is why the broker was asked at all. */
export function undoneDeed(given: string, resolved: BrokeredPath, deed: string): string {
  return resolved.kind === 'outside' ? `${resolved.message} It was not ${deed}` : `${given} was not ${deed}`;
}

/** The same for a file that must be read first. */
export function readFirst(given: string, resolved: BrokeredPath, deed: string): ToolResult {
  const outside = resolved.kind === 'outside' ? `${resolved.message} ` : '';
  return said(false, `${outside}Read ${given} with read_file before you ${deed} it. It was not ${deed}d.`);
}

/** Refused on purpose: an edit would be made to a text that the user does not see, and theirs would be lost or left behind. */
export function unsavedRefusal(given: string): ToolResult {
  return said(
    false,
    `${given} has changes in the user's editor that are not saved, so it was not changed. ` +
      'Ask the user to save or revert it, then go on.',
  );
}

export function sha256(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex');
}
