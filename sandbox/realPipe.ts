import { execFile } from 'node:child_process';
import { closeSync, constants, fchownSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { startTime } from './processTree.ts';

/** The reading end, and the descriptor to hand to a child; `close` it once the child has it. */
export interface RealPipe {
  readonly reader: Readable;
  readonly writer: number;
  close(): void;
}

/**
 * Real pipes. Node's own are sockets, which a program cannot open again: `echo >/dev/stderr` and `tee /dev/stdout`
 * fail on them. A FIFO with both ends open is a pipe. Making one takes a program, so they are made in stock.
 */
export class PipeSupply implements Disposable {
  readonly #folder: string;
  #stock: Promise<string[]> = Promise.resolve([]);
  #made = 0;

  /** `directory` is of the broker's; what a crash leaves there is swept with the rest of it. */
  constructor(
    directory: string,
    /** Who is to open them again, where that is somebody else than us. */
    private readonly owner?: { readonly uid: number; readonly gid: number },
  ) {
    this.#folder = mkdtempSync(join(directory, `pipes-${process.pid}-${startTime(process.pid) ?? 0}-`));
  }

  async take(count: number): Promise<RealPipe[]> {
    const stock = this.#stock.then(paths => (paths.length < count ? this.#make(paths) : paths));
    const taken = stock.then(paths => paths.splice(0, count));
    // One after another: whoever comes next finds what this one left.
    this.#stock = taken.then(
      () => stock,
      () => [],
    );
    return (await taken).map(path => openPipe(path, this.owner));
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #make(left: readonly string[]): Promise<string[]> {
    const paths = Array.from({ length: 16 }, (_, at) => join(this.#folder, String(this.#made + at)));
    this.#made += paths.length;
    await promisify(execFile)('mkfifo', ['--mode=600', ...paths], { env: { PATH: '/usr/bin:/bin' } });
    return [...left, ...paths];
  }
}

/** Of our own streams, one that is handed on: a program of another user's could not open a pipe of ours again either. */
export function giveInheritedPipe(
  descriptor: number,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): void {
  if (fstatSync(descriptor).isFIFO()) fchownSync(descriptor, uid, gid);
}

/** A few, for once. */
export async function realPipes(directory: string, count: number): Promise<RealPipe[]> {
  using supply = new PipeSupply(directory);
  return await supply.take(count);
}

function openPipe(path: string, owner?: { readonly uid: number; readonly gid: number }): RealPipe {
  // Not blocking, or it would wait for a writer.
  const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  if (owner !== undefined) fchownSync(writer, owner.uid, owner.gid);
  rmSync(path);
  let isOpen = true;
  return {
    reader: new Socket({ fd: reading, readable: true, writable: false }),
    writer,
    close() {
      if (isOpen) closeSync(writer);
      isOpen = false;
    },
  };
}
