import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { isStopped, parentOf, startTime } from './processTree.ts';

/**
 * Stops every process in these namespaces of process numbers (as their links in /proc are called), so that none sees
 * what is half done. Resolves to what lets them go on, once none of them runs any more; to undefined when that was not
 * to be had, with all of them running on. A process that was stopped already stays so afterwards.
 */
export async function standStill(namespaces: ReadonlySet<string>): Promise<(() => void) | undefined> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const stopped = new Map<number, number>();
    const goOn = () => letGoOn(stopped);
    try {
      if (await allStopped(namespaces, stopped)) return goOn;
    } catch (error) {
      goOn();
      throw error;
    }
    // What cannot be stopped now, as in the middle of a disk's answer, may be soon.
    goOn();
    await wait(10);
  }
  return undefined;
}

/** Adds those that it stops, with when they started, in this order. */
async function allStopped(namespaces: ReadonlySet<string>, stopped: Map<number, number>): Promise<boolean> {
  const end = performance.now() + patience;
  let before = '';
  while (performance.now() < end) {
    const members = membersOf(namespaces);
    const running = members.filter(pid => !isStopped(pid));
    // Parents first: one that still runs would find its child stopped, and one that waits for its child to become
    // another program cannot be stopped before that.
    for (const pid of running.filter(each => !running.includes(parentOf(each) ?? 0))) {
      const started = startTime(pid);
      if (started === undefined || stopped.get(pid) === started) continue;
      if (send(pid, 'SIGSTOP')) stopped.set(pid, started);
    }
    const now = running.length === 0 ? members.join(' ') : '';
    // Twice the same: one that was still running could have made another while we looked.
    if (running.length === 0 && now === before) return true;
    before = now;
    if (running.length > 0) await wait(1);
  }
  return false;
}

/** Children first, for the same reason. */
function letGoOn(stopped: ReadonlyMap<number, number>): void {
  for (const [pid, started] of [...stopped].toReversed())
    if (startTime(pid) === started) send(pid, 'SIGCONT');
}

function membersOf(namespaces: ReadonlySet<string>): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter(pid => {
      if (!Number.isInteger(pid)) return false;
      try {
        return namespaces.has(readlinkSync(`/proc/${pid}/ns/pid`));
      } catch {
        // Gone, or another user's: ours can be looked at.
        return false;
      }
    });
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Milliseconds for one attempt. */
const patience = 300;
const attempts = 4;
