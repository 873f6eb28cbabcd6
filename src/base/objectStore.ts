import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { encodePath } from './fileName.ts';
import { randomId } from './ids.ts';

/**
 * Contents of files, each kept once under its SHA-256. Folders are 0700, files 0600; whole or not there. With
 * `durable: false` nothing is synced: a power cut may then leave a content damaged, which `isSound` finds.
 */
export class ObjectStore {
  constructor(
    private readonly directory: string,
    private readonly options: { readonly durable: boolean } = { durable: true },
  ) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /**
   * Copies the content of a file in. The place is read without following a link. Returns the hash in
   * hexadecimal digits and the bytes. Throws what the file system says, ENOSPC among it, or ENOTSUP for what is no file.
   */
  put(place: string): { hash: string; size: number } {
    const temporary = path.join(this.directory, `${randomId()}.tmp`);
    // Not blocking: a pipe may have come to lie where a file was.
    const source = openSync(
      encodePath(place),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    try {
      if (!fstatSync(source).isFile()) throw Object.assign(new Error('not a file'), { code: 'ENOTSUP' });
      const { hash, size } = copy(source, temporary, this.options.durable);
      const target = this.path(hash);
      mkdirSync(path.dirname(target), { recursive: true, mode: 0o700 });
      renameSync(temporary, target);
      return { hash, size };
    } finally {
      closeSync(source);
      rmSync(temporary, { force: true });
    }
  }

  /** The same for a text that lies nowhere yet. */
  putText(text: string): { hash: string; size: number } {
    const place = path.join(this.directory, `${randomId()}.text.tmp`);
    try {
      writeFileSync(place, text, { flag: 'wx', mode: 0o600 });
      return this.put(place);
    } finally {
      rmSync(place, { force: true });
    }
  }

  /** Whether the content is there and is what it was. */
  isSound(hash: string): boolean {
    try {
      const file = openSync(this.path(hash), 'r');
      try {
        return hashOf(file) === hash;
      } finally {
        closeSync(file);
      }
    } catch {
      return false;
    }
  }

  /** Where the content lies, whether or not it is there. */
  path(hash: string): string {
    return path.join(this.directory, hash.slice(0, 2), hash.slice(2));
  }

  /**
   * Drops every content but the named ones, and what an earlier process left half copied. Contents of the last hour
   * stay: somebody may be about to name them.
   */
  sweep(named: ReadonlySet<string>, now = Date.now()): void {
    for (const folder of readdirSync(this.directory, { withFileTypes: true })) {
      const files = folder.isDirectory() ? readdirSync(path.join(this.directory, folder.name)) : [''];
      for (const name of files) {
        if (named.has(folder.name + name)) continue;
        const file = path.join(this.directory, folder.name, name);
        const { ctimeMs } = statSync(file, { throwIfNoEntry: false }) ?? { ctimeMs: now };
        if (now - ctimeMs > 60 * 60 * 1_000) rmSync(file, { force: true });
      }
    }
  }
}

/** Creates the target, 0600, with what the source holds. */
function copy(source: number, target: string, durable: boolean): { hash: string; size: number } {
  const output = openSync(target, 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(256 * 1024);
    let size = 0;
    for (let read; (read = readSync(source, buffer, 0, buffer.length, null)) > 0; size += read) {
      const bytes = buffer.subarray(0, read);
      hash.update(bytes);
      for (let written = 0; written < read;) written += writeSync(output, bytes, written);
    }
    if (durable) fsyncSync(output);
    return { hash: hash.digest('hex'), size };
  } finally {
    closeSync(output);
  }
}

function hashOf(file: number): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(256 * 1024);
  for (let read; (read = readSync(file, buffer, 0, buffer.length, null)) > 0;)
    hash.update(buffer.subarray(0, read));
  return hash.digest('hex');
}
