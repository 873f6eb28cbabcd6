import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { BrokerText } from '../broker.ts';
import { binaryKind, maxWholeFile, openRegularFile, pageLimits, pieces, readPage } from '../readText.ts';
import { fileProblem } from '../workspace.ts';
import { type BrokeredPath, brokerText, isBrokered, ledgerKey, sha256 } from './brokerText.ts';
import { defineTool, quoted, said, type ToolContext, type ToolResult } from './tool.ts';

export const readFileTool = defineTool({
  name: 'read_file',
  description:
    'Reads a text file, or lines from_line to to_line of it. Each line comes as its number, a tab and the text. ' +
    'Outside of the workspace, and for files that look like secrets, the user is asked first. ' +
    `At most ${pageLimits.lines.toLocaleString('en-US')} lines come at once; the result says where to go on.`,
  kind: 'read',
  isReadOnly: true,
  input: {
    path: z.string().describe('Relative to the first workspace folder, or absolute.'),
    from_line: z.number().int().min(1).optional().describe('First line, counted from 1.'),
    to_line: z.number().int().min(1).optional().describe('Last line, included.'),
  },
  title: ({ path, from_line, to_line }) =>
    `Read ${path}${from_line === undefined && to_line === undefined ? '' : ` (lines ${from_line ?? 1}-${to_line ?? 'end'})`}`,
  path: ({ path, from_line }) => ({ path, ...(from_line === undefined ? {} : { line: from_line }) }),
  async run({ path, from_line: from = 1, to_line: to = Number.MAX_SAFE_INTEGER }, context) {
    if (to < from) return said(false, `to_line (${to}) is before from_line (${from}). Nothing was read.`);
    const resolved = await context.workspace.resolve(path);
    if (resolved.kind === 'refused') return said(false, resolved.message);
    if (isBrokered(resolved, context)) {
      const read = await brokerText(path, resolved, context);
      if ('ok' in read) return read;
      if (read.from !== 'disk') {
        context.ledger.record(ledgerKey(resolved), sha256(read.content));
        return await readGiven(path, read, { from, to }, context);
      }
    }
    if (resolved.kind === 'outside' || !resolved.exists)
      return said(false, `${path} does not exist. Use list_files or search to find the right path.`);
    try {
      const opened = await openRegularFile(resolved.real);
      if (opened.kind === 'other') return said(false, `${path} is ${opened.what}, not a file.`);
      try {
        return await readOpened(path, resolved.real, opened.handle, opened.stats.size, { from, to }, context);
      } finally {
        await opened.handle.close();
      }
    } catch (error) {
      context.signal.throwIfAborted();
      const hidden = isRefused(error) ? await readHidden(path, resolved, { from, to }, context) : undefined;
      return hidden ?? said(false, `${path} could not be read: ${fileProblem(error)}.`);
    }
  },
});

/** A file that may not be opened in here may be hidden from us, which the user can lift. Undefined where it is not. */
async function readHidden(
  path: string,
  resolved: BrokeredPath,
  lines: { from: number; to: number },
  context: ToolContext,
): Promise<ToolResult | undefined> {
  const read = await brokerText(path, resolved, context);
  if ('ok' in read) return read;
  return read.from === 'hidden' ? await readGiven(path, read, lines, context) : undefined;
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EACCES';
}

/** Text that the broker gave, as it would be shown from disk. */
async function readGiven(
  path: string,
  { content, from: place }: BrokerText,
  { from, to }: { from: number; to: number },
  context: ToolContext,
): Promise<ToolResult> {
  async function* whole() {
    yield Buffer.from(content);
  }
  const page = await readPage(whole(), from, to, true, { ...pageLimits, bytes: context.pageBytes });
  const mark = marks[place];
  if (page.total === 0) return said(true, `${path} ${mark} is empty.`);
  if (page.lines.length === 0)
    return said(false, `${path} has ${page.total ?? 'fewer'} lines, so there is no line ${from}.`);
  const more = page.next === undefined ? '' : ` There is more: go on with from_line ${page.next}.`;
  return quoted(
    true,
    `${path} ${mark}, lines ${from}-${from + page.lines.length - 1} of ${page.total}.${more}`,
    `file ${path} ${mark}`,
    numbered(page.lines, from),
    Number.MAX_SAFE_INTEGER,
  );
}

const marks = {
  editor: '(unsaved in the editor)',
  outside: '(outside of the workspace)',
  hidden: '(hidden as a secret; the user lets you read it)',
  disk: '',
};

function numbered(lines: readonly string[], from: number): string {
  return lines
    .map((line, index) => `${from + index}\t${line}`)
    .join('\n')
    .replace(/^1\t\uFEFF/, '1\t');
}

async function readOpened(
  path: string,
  real: string,
  handle: Parameters<typeof pieces>[0],
  size: number,
  { from, to }: { from: number; to: number },
  context: ToolContext,
): Promise<ToolResult> {
  const head = Buffer.alloc(8_192);
  const { bytesRead } = await handle.read(head, 0, head.length, 0);
  const binary = binaryKind(head.subarray(0, bytesRead));
  const bytes = size.toLocaleString('en-US');
  if (binary !== undefined)
    return said(
      false,
      `${path} is not plain text: ${binary}, ${bytes} bytes. It was not read; use a command to look into it.`,
    );

  const isWhole = size <= maxWholeFile;
  const hash = createHash('sha256');
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  let isUtf8 = true;
  async function* watched() {
    for await (const piece of pieces(handle, context.signal)) {
      hash.update(piece);
      if (isUtf8) isUtf8 = decodes(utf8, piece);
      yield piece;
    }
  }
  const page = await readPage(watched(), from, to, isWhole, { ...pageLimits, bytes: context.pageBytes });
  // Only what was hashed to its end may be edited: the hash is what protects the user's own changes.
  if (isWhole && isUtf8) context.ledger.record(real, hash.digest('hex'));

  const last = from + page.lines.length - 1;
  const total = page.total?.toLocaleString('en-US');
  if (page.lines.length === 0) {
    if (page.total === 0) return said(true, `${path} is empty.`);
    return said(false, `${path} has ${total ?? 'fewer'} lines, so there is no line ${from}.`);
  }
  const notes = [
    `${path}, lines ${from}-${last}${total === undefined ? ` of a file of ${bytes} bytes` : ` of ${total}`}.`,
    ...(page.next === undefined ? [] : [`There is more: go on with from_line ${page.next}.`]),
    ...(isUtf8 ? [] : ['It is not valid UTF-8 (shown with �), so it cannot be edited with edit_file.']),
    ...(isWhole ? [] : ['It is too large for edit_file.']),
  ];
  return quoted(true, notes.join(' '), `file ${path}`, numbered(page.lines, from), Number.MAX_SAFE_INTEGER);
}

function decodes(decoder: InstanceType<typeof TextDecoder>, piece: Buffer): boolean {
  try {
    decoder.decode(piece, { stream: true });
    return true;
  } catch {
    return false;
  }
}
