import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import * as z from 'zod';
import { openRegularFile, pieces } from '../readText.ts';
import { fileProblem } from '../workspace.ts';
import {
  hasUnsaved,
  ledgerKey,
  readFirst,
  undoneDeed,
  unsavedRefusal,
  type BrokeredPath,
} from './brokerText.ts';
import { defineTool, notDone, said, type ToolContext, type ToolResult } from './tool.ts';

export const deleteFileTool = defineTool({
  name: 'delete_file',
  description: 'Deletes one file. Folders and links are not deleted by this tool.',
  kind: 'delete',
  isReadOnly: false,
  input: { path: z.string().describe('Relative to the first workspace folder, or absolute.') },
  title: ({ path }) => `Delete ${path}`,
  path: ({ path }) => ({ path }),
  async run({ path }, context) {
    const resolved = await context.workspace.resolve(path);
    if (resolved.kind === 'refused') return said(false, resolved.message);
    if (hasUnsaved(resolved, context)) return unsavedRefusal(path);
    if (resolved.kind === 'outside') return await deleteOutside(path, resolved, context);
    if (!resolved.exists) return said(false, `${path} does not exist, so there is nothing to delete.`);
    try {
      if ((await lstat(resolved.path)).isSymbolicLink())
        return said(
          false,
          `${path} is a link. Use a command to remove it, so that it is clear what is removed.`,
        );
      const hash = await hashOf(path, resolved.real, context);
      if (typeof hash !== 'string') return hash;
      const seen = context.ledger.seen(resolved.real);
      if (seen !== undefined && seen !== hash)
        return said(false, `${path} changed since you read it. It was not deleted; read it again first.`);
      const outcome = await context.broker.deleteFile(
        { path: resolved.path, toolCallId: context.toolCallId, expectedSha256: hash },
        context.signal,
      );
      if (outcome.kind !== 'done') return notDone(`${path} was not deleted`, outcome);
      context.ledger.forget(resolved.real);
      return said(true, `Deleted ${path}.`);
    } catch (error) {
      context.signal.throwIfAborted();
      return said(false, `${path} was not deleted: ${fileProblem(error)}.`);
    }
  },
});

async function deleteOutside(
  path: string,
  resolved: BrokeredPath,
  context: ToolContext,
): Promise<ToolResult> {
  const key = ledgerKey(resolved);
  const seen = context.ledger.seen(key);
  if (seen === undefined) return readFirst(path, resolved, 'delete');
  const request = { path: resolved.path, toolCallId: context.toolCallId, expectedSha256: seen };
  const outcome = await context.broker.deleteFile(request, context.signal);
  if (outcome.kind !== 'done') return notDone(undoneDeed(path, resolved, 'deleted'), outcome);
  context.ledger.forget(key);
  return said(true, `Deleted ${path}.`);
}

async function hashOf(path: string, real: string, context: ToolContext): Promise<string | ToolResult> {
  const opened = await openRegularFile(real);
  if (opened.kind === 'other')
    return said(false, `${path} is ${opened.what}, not a file. It was not deleted.`);
  try {
    const hash = createHash('sha256');
    for await (const piece of pieces(opened.handle, context.signal)) hash.update(piece);
    return hash.digest('hex');
  } finally {
    await opened.handle.close();
  }
}
