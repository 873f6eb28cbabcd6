import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, readFile, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { encodePath } from '../base/fileName.ts';
import { AnchoredFolder } from './anchoredFolder.ts';
import type { OverlayFolder } from './changeset.ts';
import { inUpper } from './inUpper.ts';

/** Whether two files hold the same bytes. Neither is followed if it is a link: that throws ELOOP. */
export async function sameContent(one: string, other: string, signal?: AbortSignal): Promise<boolean> {
  const buffers = [Buffer.allocUnsafe(piece), Buffer.allocUnsafe(piece)] as const;
  const files = [openToRead(one), openToRead(other)] as const;
  try {
    for (let read = 0; ;) {
      const [a, b] = [fill(files[0], buffers[0]), fill(files[1], buffers[1])];
      if (!a.equals(b)) return false;
      if (a.length === 0) return true;
      read += a.length;
      if (read % turn === 0) await breathe(signal);
    }
  } finally {
    closeSync(files[0]);
    closeSync(files[1]);
  }
}

/** SHA-256 of a file, in hexadecimal digits. Not followed if it is a link. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(piece);
  const file = openToRead(path);
  try {
    for (let read = 0; ;) {
      const bytes = fill(file, buffer);
      if (bytes.length === 0) return hash.digest('hex');
      hash.update(bytes);
      read += bytes.length;
      if (read % turn === 0) await breathe(signal);
    }
  } finally {
    closeSync(file);
  }
}

/** Whether a file looks like anything but text: a null byte among the first 8,000, as git judges it. */
export function isBinary(path: string): boolean {
  let file;
  try {
    file = openToRead(path);
  } catch {
    // One that cannot be read cannot be shown as text either.
    return true;
  }
  try {
    return fill(file, Buffer.allocUnsafe(8_000)).includes(0);
  } finally {
    closeSync(file);
  }
}

/** SHA-256 of a file that an overlay holds; undefined when it cannot be read. */
export async function hashUpper(folder: OverlayFolder, path: string): Promise<string | undefined> {
  try {
    return await inUpper(folder, path, place => hashFile(place));
  } catch {
    return undefined;
  }
}

/** The whole of a file that an overlay holds. */
export async function readUpper(folder: OverlayFolder, path: string): Promise<Buffer> {
  return await inUpper(folder, path, readContent);
}

/** The whole of a file of the user's folder, no link on the way to it being followed: root may be at work in one of somebody else's. */
export async function readLower({ lower }: OverlayFolder, path: string): Promise<Buffer> {
  using anchored = new AnchoredFolder(lower);
  return await anchored.at(path, readContent);
}

/** The whole file. Not followed if it is a link. */
export async function readContent(path: string): Promise<Buffer> {
  const file = openToRead(path);
  try {
    return await promisify(readFile)(file);
  } finally {
    closeSync(file);
  }
}

export function openToRead(path: string): number {
  // Not blocking: a pipe may have come to lie where a file was.
  return openSync(encodePath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

/** Bytes read at once, and bytes after which the host's other work is let through. */
const piece = 64 * 1024;
const turn = 4 * 1024 * 1024;

function fill(file: number, buffer: Buffer): Buffer {
  let length = 0;
  while (length < buffer.length) {
    const read = readSync(file, buffer, length, buffer.length - length, null);
    if (read === 0) break;
    length += read;
  }
  return buffer.subarray(0, length);
}

async function breathe(signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise(resolve => setImmediate(resolve));
}
