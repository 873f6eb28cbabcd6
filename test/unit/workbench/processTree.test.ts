import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { endTree } from '../../workbench/processTree.mjs';

test('ending a tree ends grandchildren that left the group and ignore the polite signal', async () => {
  // A shell, its child in the same group, and one in a session of its own that will not go when asked.
  const script = `sleep 3600 & setsid sh -c 'trap "" TERM; echo $$; while :; do sleep 1; done' & echo $!; wait`;
  const shell = spawn('sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  let printed = '';
  while (printed.trim().split('\n').join(' ').split(/\s+/).length < 2)
    printed += String((await once(shell.stdout, 'data'))[0]);
  const pids = [shell.pid, ...printed.trim().split(/\s+/).map(Number)];

  await endTree(shell.pid ?? 0, 500);

  expect(pids.filter(pid => pid !== undefined && isRunning(pid))).toEqual([]);
});

/** Not so for one that has ended and only waits to be collected: its command line is empty. */
function isRunning(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
  } catch {
    return false;
  }
}
