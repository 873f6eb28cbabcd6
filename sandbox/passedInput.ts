import type { ChildProcess } from 'node:child_process';
import { closeSync, read, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import { moveOn, positionOf } from './copiedInput.ts';

/**
 * Feeds a program from an open file through a pipe, from where the file stands. Once the program is over, the file
 * stands where a program that had read it directly would have left it: after what was taken from the pipe.
 */
export function passInput(
  file: number,
  pipe: { readonly reading: number; readonly writing: number },
  child: ChildProcess,
): void {
  const writer = new Socket({ fd: pipe.writing, readable: false, writable: true });
  let sent = 0;
  let isOver = false;
  let writes: Promise<void> = Promise.resolve();
  writer.on('error', () => undefined);

  const feed = async (): Promise<void> => {
    const start = positionOf(file);
    const block = Buffer.alloc(blockSize);
    for (;;) {
      const { bytesRead } = await promisify(read)(file, block, 0, block.length, start + sent);
      if (isOver) return;
      if (bytesRead === 0) return void writer.end();
      writes = new Promise(resolve => {
        writer.write(Buffer.from(block.subarray(0, bytesRead)), () => resolve());
      });
      sent += bytesRead;
      await writes;
    }
  };
  feed().catch(() => writer.destroy());

  child.once('exit', () => {
    isOver = true;
    void (async () => {
      let left = 0;
      // What nobody took is taken out, so that the last write comes to its end.
      const isWritten = writes.then(() => true);
      const isNot = () => new Promise<false>(resolve => setImmediate(() => resolve(false)));
      do left += drain(pipe.reading);
      while (!(await Promise.race([isWritten, isNot()])));
      left += drain(pipe.reading);
      writer.destroy();
      closeSync(pipe.reading);
      moveOn(file, sent - left);
    })();
  });
}

const blockSize = 65_536;

/** Bytes that lay in the pipe. */
function drain(reading: number): number {
  const block = Buffer.alloc(blockSize);
  let total = 0;
  try {
    for (let got = 1; got > 0; total += got) got = readSync(reading, block, 0, block.length, null);
  } catch {
    // Empty (EAGAIN).
  }
  return total;
}
