import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { withLock } from '../../../src/overlay/lock.ts';

// A program that takes the lock over and over. Whoever finds another one inside, who is alive, says so.

const [lock = '', inside = ''] = process.argv.slice(2);
for (;;) {
  await withLock(lock, async () => {
    const other = ownerOf(inside);
    if (other !== undefined && (await stays(other)))
      console.log(`both ${process.pid} and ${other} are inside`);
    writeFileSync(inside, String(process.pid));
    await wait(Math.random() * 10);
    if (ownerOf(inside) !== process.pid) console.log(`${process.pid} was joined`);
    rmSync(inside);
  });
  console.log('again');
}

function ownerOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** One that was just killed has let go of the lock a little before it is gone. */
async function stays(pid: number): Promise<boolean> {
  for (let patience = 0; patience < 50; patience++) {
    if (!isAlive(pid)) return false;
    await wait(10);
  }
  return true;
}

function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
