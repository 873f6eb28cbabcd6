import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { maxWholeFile } from '../readText.ts';
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
    const seen = context.ledger.seen(resolved.real);
    if (resolved.exists && !overwrite)
      return said(
        false,
        `${path} exists already and was not touched. Read it and use edit_file, or set overwrite.`,
      );
    if (resolved.exists && seen === undefined)
      return said(false, `Read ${path} with read_file before you overwrite it. Nothing was changed.`);
    const expectedSha256 = resolved.exists ? (seen ?? null) : null;
    const oldText = resolved.exists ? await readFile(resolved.real, 'utf8').catch(() => null) : null;
    const outcome = await context.broker.writeFile(
      resolved.path,
      content,
      { toolCallId: context.toolCallId, expectedSha256 },
      context.signal,
    );
    if (outcome.kind !== 'done') {
      if (outcome.kind === 'conflict') context.ledger.forget(resolved.real);
      return notDone(`${path} was not ${resolved.exists ? 'changed' : 'created'}`, outcome);
    }
    context.ledger.record(resolved.real, createHash('sha256').update(content).digest('hex'));
    return {
      ok: true,
      text: `${resolved.exists ? 'Rewrote' : 'Created'} ${path} (${content.split('\n').length} lines).`,
      content: diffContent(resolved.path, oldText, content),
    };
  },
});
