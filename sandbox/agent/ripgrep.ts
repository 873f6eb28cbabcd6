import { execa } from 'execa';

export interface RipgrepResult {
  readonly lines: readonly string[];
  /** There was more: the rest was not read. */
  readonly isCut: boolean;
  /** Why ripgrep could not do it, in its words. */
  readonly problem: string | undefined;
}

const maxOutput = 1_000_000;
const maxTime = 60_000;

/**
 * Runs ripgrep with an empty environment and no configuration file. Output beyond `maxLines` or 1 MB is dropped and
 * ripgrep ended; so is a search of more than a minute.
 */
export async function runRipgrep(
  ripgrep: string,
  args: readonly string[],
  cwd: string,
  maxLines: number,
  signal: AbortSignal,
): Promise<RipgrepResult> {
  const result = await execa(ripgrep, ['--no-config', ...args], {
    cwd,
    env: {},
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    maxBuffer: maxOutput,
    timeout: maxTime,
    cancelSignal: signal,
    forceKillAfterDelay: 500,
  });
  signal.throwIfAborted();
  const wasEnded = result.isMaxBuffer || result.timedOut;
  const lines = result.stdout === '' ? [] : result.stdout.split('\n');
  // The last line of output that was cut short may be half a line.
  if (wasEnded) lines.pop();
  // 1 is "nothing found"; 2 may still come with results, when some file could not be read.
  const failed = !wasEnded && result.exitCode !== 0 && result.exitCode !== 1 && lines.length === 0;
  return {
    lines: lines.slice(0, maxLines),
    isCut: wasEnded || lines.length > maxLines,
    problem: failed
      ? result.stderr.trim() || result.shortMessage || 'ripgrep could not be started.'
      : undefined,
  };
}
