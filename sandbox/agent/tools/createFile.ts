import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { maxWholeFile } from '../readText.ts';
import { hasUnsaved, ledgerKey, sha256, undoneDeed, unsavedRefusal } from './brokerText.ts';
import { defineTool, notDone, said } from './tool.ts';
import { diffContent } from './diffContent.ts';

export const createFileTool = defineTool({
  name: 'create_file',
  description:
    'Creates a text file; folders on the way are made. The file must not exist yet, unless overwrite is set, and then ' +
    'you must have read it before. To change a part of a file use edit_file.',
  kind: 'edit',
  isReadOnly: false,
  input: {
    path: z.string().describe('Relative to the first workspace folder, or absolute.'),
    content: z.string().max(maxWholeFile).describe('The whole text of the file.'),
    overwrite: z.boolean().optional().describe('Replace the whole of a file that you have read.'),
  },
  title: ({ path, overwrite }) => `${overwrite === true ? 'Rewrite' : 'Create'} ${path}`,
  path: ({ path }) => ({ path }),
  async run({ path, content, overwrite = false }, context) {
    const resolved = await context.workspace.resolve(path);
    if (resolved.kind === 'refused') return said(false, resolved.message);
    if (hasUnsaved(resolved, context)) return unsavedRefusal(path);
    const key = ledgerKey(resolved);
    const seen = context.ledger.seen(key);
    // What is outside cannot be seen from in here; the broker finds out, and changes nothing that was not read.
    const exists = resolved.kind === 'inside' ? resolved.exists : overwrite && seen !== undefined;
    if (exists && !overwrite)
      return said(
        false,
        `${path} exists already and was not touched. Read it and use edit_file, or set overwrite.`,
      );
    if (exists && seen === undefined)
      return said(false, `Read ${path} with read_file before you overwrite it. Nothing was changed.`);
    const expectedSha256 = exists ? (seen ?? null) : null;
    const isReadable = exists && resolved.kind === 'inside';
    const oldText = isReadable ? await readFile(resolved.real, 'utf8').catch(() => null) : null;
    const outcome = await context.broker.writeFile(
      resolved.path,
      content,
      { toolCallId: context.toolCallId, expectedSha256 },
      context.signal,
    );
    if (outcome.kind !== 'done') {
      if (outcome.kind === 'conflict') context.ledger.forget(key);
      return notDone(undoneDeed(path, resolved, exists ? 'changed' : 'created'), outcome);
    }
    context.ledger.record(key, sha256(content));
    return {
      ok: true,
      text: `${exists ? 'Rewrote' : 'Created'} ${path} (${content.split('\n').length} lines).`,
      content: diffContent(resolved.path, oldText, content),
    };
  },
});
