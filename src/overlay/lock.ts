import { spawn } from 'node:child_process';
import { CordonError } from '../base/errors.ts';

/**
 * Runs `work` while no other process holds this lock file, which stays. Whoever dies gives the lock back with that: the
 * kernel keeps it, for a helper that ends with this process. For short work: gives up after a minute, with
 * `overlay.locked`.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const args = ['--exclusive', '--timeout', '60', path, '/bin/sh', '-c', 'echo held; exec cat > /dev/null'];
  const helper = spawn('flock', args, {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    // Not in our process group: what the terminal sends to that must not give the lock back.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  helper.stdin.on('error', () => undefined);
  let complaint = '';
  helper.stderr.on('data', (chunk: Buffer) => void (complaint += chunk.toString('utf8')));
  const ended = new Promise<void>(resolve => {
    helper.once('close', () => resolve());
    helper.once('error', error => {
      complaint += error.message;
      resolve();
    });
  });
  const isHeld = await Promise.race([
    new Promise<true>(resolve => helper.stdout.once('data', () => resolve(true))),
    ended.then(() => false),
  ]);
  if (!isHeld) throw notHeld(complaint.trim());
  try {
    return await work();
  } finally {
    helper.stdin.end();
    await ended;
  }
}

/** flock(1) says nothing when its time is up. */
function notHeld(complaint: string): CordonError {
  return complaint === ''
    ? new CordonError(
        'overlay.locked',
        'Another Cordon process is opening this session.',
        'Try again in a moment.',
      )
    : new CordonError(
        'overlay.locked',
        `The session could not be locked (${complaint}).`,
        'Install util-linux, and see that the folder can be written.',
      );
}
