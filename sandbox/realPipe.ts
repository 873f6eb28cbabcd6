import { execFile } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

/** The reading end, and the descriptor to hand to a child; `close` it once the child has it. */
export interface RealPipe {
  readonly reader: Readable;
  readonly writer: number;
  close(): void;
}

/**
 * Real pipes. Node's own are sockets, which a program cannot open again: `echo >/dev/stderr` and `tee /dev/stdout`
 * fail on them. A FIFO with both ends open is a pipe, so one is made, opened and unlinked at once.
 */
export async function realPipes(directory: string, count: number): Promise<RealPipe[]> {
  const folder = mkdtempSync(join(directory, 'pipe-'));
  try {
    const paths = Array.from({ length: count }, (_, at) => join(folder, String(at)));
    await promisify(execFile)('mkfifo', ['--mode=600', ...paths], { env: { PATH: '/usr/bin:/bin' } });
    return paths.map(open);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function open(path: string): RealPipe {
  // Not blocking, or it would wait for a writer.
  const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
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
