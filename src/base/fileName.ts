import { isUtf8 } from 'node:buffer';
import { readdirSync, readlinkSync } from 'node:fs';

// A file name on Linux is bytes. Names that are UTF-8 are ordinary strings here; a byte that is not becomes the lone
// surrogate U+DC80…U+DCFF, as Python does it, so that every name survives the way in and out and can be told from all
// others. Such strings go back to the file system through `encodePath` only.

/** The string for a name or path as the file system gives it. */
export function decodePath(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    text +=
      length > 0
        ? bytes.toString('utf8', at, at + length)
        : String.fromCharCode(0xdc00 + (bytes[at] as number));
    at += Math.max(length, 1);
  }
  return text;
}

/** What to hand to `node:fs` for a path that may hold such names. */
export function encodePath(path: string): string | Buffer {
  if (path.isWellFormed()) return path;
  const pieces = path.split(/([\uDC80-\uDCFF])/u);
  return Buffer.concat(
    pieces.map(piece => (isByte(piece) ? Buffer.from([piece.charCodeAt(0) - 0xdc00]) : Buffer.from(piece))),
  );
}

/** Like `readdirSync`, with names as `decodePath` gives them. */
export function readNames(folder: string): string[] {
  const path = encodePath(folder);
  const names = readdirSync(path);
  if (!names.some(name => name.includes('\uFFFD'))) return names;
  return readdirSync(path, { encoding: 'buffer' }).map(name => decodePath(name));
}

/** Like `readlinkSync`, with the target as `decodePath` gives it. */
export function readTarget(link: string): string {
  return decodePath(readlinkSync(encodePath(link), { encoding: 'buffer' }));
}

function isByte(piece: string): boolean {
  return piece.length === 1 && /^[\uDC80-\uDCFF]$/u.test(piece);
}

/** Bytes of the valid UTF-8 sequence that begins here; 0 when there is none. */
function sequenceLength(bytes: Buffer, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++)
    if (isUtf8(bytes.subarray(at, at + length))) return length;
  return 0;
}
