import { writeSync } from 'node:fs';
import { Socket } from 'node:net';

/** Writes what comes out of a pipe to an open file, in order. This process lasts until all of it is written. */
export function passOutput(reading: number, file: number): void {
  const reader = new Socket({ fd: reading, readable: true, writable: false });
  reader.on('error', () => undefined);
  reader.on('data', (chunk: Buffer) => {
    try {
      for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at);
    } catch {
      // The disk is full: whoever prints on learns it, as from a pipe that nobody reads.
      reader.destroy();
    }
  });
}
