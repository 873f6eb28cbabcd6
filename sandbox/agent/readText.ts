import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Larger files are read in pieces, and not edited, in bytes. */
export const maxWholeFile = 4_000_000;

/** One page of a text file, at most. */
export const pageLimits: PageLimits = { lines: 2_000, bytes: 256_000, lineBytes: 4_000 };

export interface PageLimits {
  readonly lines: number;
  readonly bytes: number;
  readonly lineBytes: number;
}

const chunkBytes = 1 << 20;

export type OpenedFile =
  | { readonly kind: 'file'; readonly handle: FileHandle; readonly stats: Stats }
  | { readonly kind: 'other'; readonly what: string };

/** Opens a regular file; anything else is named and left alone, and a pipe is not waited for. Rejects as `open` does. */
export async function openRegularFile(real: string): Promise<OpenedFile> {
  const handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  const stats = await handle.stat();
  if (stats.isFile()) return { kind: 'file', handle, stats };
  await handle.close();
  return { kind: 'other', what: stats.isDirectory() ? 'a folder' : 'not a regular file' };
}

/** The bytes of a file in order, in pieces. */
export async function* pieces(handle: FileHandle, signal: AbortSignal): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(chunkBytes);
  for (let position = 0; ;) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield Buffer.from(buffer.subarray(0, bytesRead));
  }
}

/** What kind of binary file these first bytes begin, or undefined for text. */
export function binaryKind(head: Buffer): string | undefined {
  for (const { kind, magic } of signatures)
    if (head.subarray(0, magic.length).equals(Buffer.from(magic))) return kind;
  if (head[0] === 0xff && head[1] === 0xfe) return 'UTF-16 text';
  if (head[0] === 0xfe && head[1] === 0xff) return 'UTF-16 text';
  return head.includes(0) ? 'binary data' : undefined;
}

const signatures: readonly { kind: string; magic: readonly number[] }[] = [
  { kind: 'PNG image', magic: [0x89, 0x50, 0x4e, 0x47] },
  { kind: 'JPEG image', magic: [0xff, 0xd8, 0xff] },
  { kind: 'GIF image', magic: [0x47, 0x49, 0x46, 0x38] },
  { kind: 'PDF document', magic: [0x25, 0x50, 0x44, 0x46, 0x2d] },
  { kind: 'ZIP archive', magic: [0x50, 0x4b, 0x03, 0x04] },
  { kind: 'gzip archive', magic: [0x1f, 0x8b] },
  { kind: 'ELF program', magic: [0x7f, 0x45, 0x4c, 0x46] },
  { kind: 'WebAssembly module', magic: [0x00, 0x61, 0x73, 0x6d] },
  { kind: 'SQLite database', magic: [...Buffer.from('SQLite format 3\0')] },
];

export interface Page {
  readonly lines: readonly string[];
  /** Lines of the whole file, when it was read to its end. */
  readonly total: number | undefined;
  /** Set when the page stopped before `to` was reached: the line to go on with. */
  readonly next: number | undefined;
}

/**
 * Lines `from` to `to` (1-based, inclusive) as UTF-8; bytes that are not become U+FFFD. Stops at the limits; a longer
 * line is cut with a note. Reads on to count the lines only when `countAll`.
 */
export async function readPage(
  source: AsyncIterable<Buffer>,
  from: number,
  to: number,
  countAll: boolean,
  limits: PageLimits = pageLimits,
): Promise<Page> {
  const lines: string[] = [];
  let number = 1;
  let bytes = 0;
  let next: number | undefined;
  let line: Buffer[] = [];
  let lineBytes = 0;
  let sawAny = false;

  const wanted = () => number >= from && number <= to && next === undefined;
  const take = (piece: Buffer) => {
    if (wanted() && lineBytes < limits.lineBytes) line.push(piece.subarray(0, limits.lineBytes - lineBytes));
    lineBytes += piece.length;
  };
  const finishLine = () => {
    if (wanted()) {
      const kept = Buffer.concat(line);
      if (lines.length >= limits.lines || (lines.length > 0 && bytes + kept.length > limits.bytes))
        next = number;
      else {
        bytes += kept.length;
        lines.push(shown(kept, lineBytes));
      }
    }
    number++;
    line = [];
    lineBytes = 0;
  };

  for await (const chunk of source) {
    if (chunk.length > 0) sawAny = true;
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      take(chunk.subarray(start, end));
      finishLine();
      start = end + 1;
    }
    take(chunk.subarray(start));
    if (!countAll && (next !== undefined || number > to)) return { lines, total: undefined, next };
  }
  if (lineBytes > 0) finishLine();
  return { lines, total: sawAny ? number - 1 : 0, next };
}

function shown(kept: Buffer, whole: number): string {
  const text = new TextDecoder().decode(kept).replace(/\r$/, '');
  return whole > kept.length
    ? `${text} [line cut here: ${(whole - kept.length).toLocaleString('en-US')} more bytes]`
    : text;
}
