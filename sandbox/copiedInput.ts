import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';

/** Copies an open file to `place`, which does not exist yet, and opens the copy to read, standing where the file does. */
export function copyInput(file: number, place: string): number {
  writeFileSync(place, readFileSync(`/proc/self/fd/${file}`), { mode: 0o600, flag: 'wx' });
  const copy = openSync(place, 'r');
  moveOn(copy, positionOf(file));
  return copy;
}

/** Once the program is over, the file stands where the program left the copy, which is closed. */
export function followInput(file: number, copy: number, child: ChildProcess): void {
  const from = positionOf(copy);
  child.once('exit', () => {
    moveOn(file, positionOf(copy) - from);
    closeSync(copy);
  });
}

/** Where an open file stands, in bytes from its beginning. */
export function positionOf(file: number): number {
  return Number(/^pos:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${file}`, 'latin1'))?.[1] ?? 0);
}

/** Node has no other way to move where an open file stands than to read. */
export function moveOn(file: number, bytes: number): void {
  const block = Buffer.alloc(65_536);
  try {
    for (let left = bytes; left > 0;) {
      const got = readSync(file, block, 0, Math.min(left, block.length), null);
      if (got === 0) return;
      left -= got;
    }
  } catch {
    // It cannot be read any more; then nobody reads on from there.
  }
}
