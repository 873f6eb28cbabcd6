import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { CordonError } from '../base/errors.ts';
import { randomId } from '../base/ids.ts';
import { startTime } from '../../sandbox/processTree.ts';

/**
 * Runs `work` while no other process holds this lock file. The file names its holder, so a lock whose holder died is
 * taken over. For short work: gives up after a minute.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const mine = `${path}.${randomId()}`;
  writeFileSync(mine, `${process.pid} ${startTime(process.pid) ?? 0}`, { mode: 0o600, flag: 'wx' });
  try {
    for (const deadline = Date.now() + 60_000; !taken(mine, path); await wait(5)) {
      if (Date.now() > deadline)
        throw new CordonError(
          'overlay.locked',
          'Another Cordon process is opening this session.',
          'Try again in a moment.',
        );
    }
    try {
      return await work();
    } finally {
      rmSync(path, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/** A link is made whole or not at all, with its content; unlike an empty file that is filled later. */
function taken(mine: string, path: string): boolean {
  try {
    linkSync(mine, path);
    return true;
  } catch {
    if (!holderLives(path)) rmSync(path, { force: true });
    return false;
  }
}

function holderLives(path: string): boolean {
  try {
    const [pid, started] = readFileSync(path, 'utf8').split(' ');
    return String(startTime(Number(pid)) ?? 'gone') === started;
  } catch {
    return true;
  }
}
