import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { CountedOutput } from './countedOutput.ts';
import type { Limits } from './limits.ts';
import { childrenOf, startTime } from './processTree.ts';
import type { LaunchRequest } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';
import { WalledProcess } from './walledProcess.ts';

/**
 * Resolves once the program of a container runs, or ran; rejects when the container could not be made. `child` is
 * podman, which writes the number of the container's init to `pidFile` when it has put up the walls. To end it, the
 * init is killed: Podman's own way would take longer than a second, and what it clears away its monitor does.
 */
export async function watchContainer(
  child: ChildProcess,
  pidFile: string,
  output: CountedOutput,
  request: LaunchRequest,
  limits: Limits | undefined,
): Promise<WalledProcess> {
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(resolve => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  let init = pidIn(pidFile);
  while (init === undefined && !isOver()) {
    await wait(5);
    init = pidIn(pidFile);
  }
  if (init === undefined) throw sandboxErrors.didNotStart(await output.lastWords());
  const started = startTime(init);
  const lives = (pid: number) => started !== undefined && startTime(pid) === started;
  // The init starts the program after all walls stand; until then it has no child.
  let program: number | undefined;
  while (program === undefined && lives(init) && !isOver()) {
    [program] = childrenOf(init);
    if (program === undefined) await wait(2);
  }
  return new WalledProcess(child, { pid: init, started }, program, ended, output, request, limits);
}

function pidIn(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8').trim());
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}
