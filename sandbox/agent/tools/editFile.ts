import * as z from 'zod';
import { maxWholeFile, openRegularFile } from '../readText.ts';
import { replaceText } from '../replaceText.ts';
import { fileProblem } from '../workspace.ts';
import {
  brokerText,
  hasUnsaved,
  ledgerKey,
  sha256,
  readFirst,
  unsavedRefusal,
  type BrokeredPath,
} from './brokerText.ts';
import { defineTool, notDone, quoted, said, type ToolContext, type ToolResult } from './tool.ts';
import { diffContent } from './diffContent.ts';

export const editFileTool = defineTool({
  name: 'edit_file',
  description:
    'Changes an existing text file by exact replacement: several in one call, applied in order, all or none. ' +
    'Each old_text must occur exactly once (copy it without the line numbers and add lines around it if needed), ' +
    'or set replace_all. Read the file before. Line ends of the file are kept.',
  kind: 'edit',
  isReadOnly: false,
  input: {
    path: z.string().describe('Relative to the first workspace folder, or absolute.'),
    edits: z
      .array(
        z.strictObject({
          old_text: z.string().describe('Exact text that is there now.'),
          new_text: z.string().describe('Text to put in its place.'),
          replace_all: z.boolean().optional().describe('Replace every occurrence.'),
        }),
      )
      .min(1)
      .max(200),
  },
  title: ({ path }) => `Edit ${path}`,
  path: ({ path }) => ({ path }),
  async run({ path, edits }, context) {
    const resolved = await context.workspace.resolve(path);
    if (resolved.kind === 'refused') return said(false, resolved.message);
    if (resolved.kind === 'inside' && !resolved.exists)
      return said(false, `${path} does not exist. Use create_file for a new file.`);
    const isUnsaved = hasUnsaved(resolved, context);
    if (isUnsaved && !context.hasCopy) return unsavedRefusal(path);
    const key = ledgerKey(resolved);
    const seen = context.ledger.seen(key);
    if (seen === undefined) return readFirst(path, resolved, 'change');
    const bytes =
      resolved.kind === 'inside' && !isUnsaved
        ? await readWhole(path, resolved.real)
        : await readByBroker(path, resolved, context);
    if (!Buffer.isBuffer(bytes)) return bytes;
    if (sha256(bytes) !== seen) {
      context.ledger.forget(key);
      return said(false, `${path} changed since you read it. Nothing was changed; read it again first.`);
    }
    const oldText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const replaced = replaceText(oldText, edits);
    if (replaced.kind === 'failed') {
      const message = `${replaced.message} Nothing was changed in ${path}.`;
      return replaced.excerpt === undefined
        ? said(false, message)
        : quoted(false, message, `file ${path}`, replaced.excerpt);
    }
    return await write(path, { path: resolved.path, key }, oldText, replaced, seen, context);
  },
});

async function write(
  path: string,
  resolved: { path: string; key: string },
  oldText: string,
  replaced: { text: string; count: number },
  seen: string,
  context: ToolContext,
): Promise<ToolResult> {
  const outcome = await context.broker.writeFile(
    resolved.path,
    replaced.text,
    { toolCallId: context.toolCallId, expectedSha256: seen },
    context.signal,
  );
  if (outcome.kind !== 'done') {
    if (outcome.kind === 'conflict') context.ledger.forget(resolved.key);
    return notDone(`${path} was not changed`, outcome);
  }
  context.ledger.record(resolved.key, sha256(Buffer.from(replaced.text)));
  return {
    ok: true,
    text: `Changed ${path}: ${replaced.count} replacement${replaced.count === 1 ? '' : 's'}.`,
    content: diffContent(resolved.path, oldText, replaced.text),
  };
}

async function readByBroker(
  path: string,
  resolved: BrokeredPath,
  context: ToolContext,
): Promise<Buffer | ToolResult> {
  const read = await brokerText(path, resolved, context);
  if ('ok' in read) return read;
  if (read.from !== 'disk') return Buffer.from(read.content);
  return resolved.kind === 'inside'
    ? said(false, `${path} was saved in the meantime. Nothing was changed; read it again first.`)
    : said(false, `${path} does not exist. Use create_file for a new file.`);
}

async function readWhole(path: string, real: string): Promise<Buffer | ToolResult> {
  try {
    const opened = await openRegularFile(real);
    if (opened.kind === 'other') return said(false, `${path} is ${opened.what}, not a file.`);
    try {
      if (opened.stats.size > maxWholeFile)
        return said(false, `${path} is too large to edit with this tool.`);
      return await opened.handle.readFile();
    } finally {
      await opened.handle.close();
    }
  } catch (error) {
    return said(false, `${path} could not be read: ${fileProblem(error)}. Nothing was changed.`);
  }
}
