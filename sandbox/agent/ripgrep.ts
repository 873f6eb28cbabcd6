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
  return {
    lines: lines.slice(0, maxLines),
    isCut: wasEnded || lines.length > maxLines,
    problem: wasEnded || lines.length > 0 ? undefined : problemOf(result),
  };
}

/** 0 is "found", 1 "nothing found". 2 comes also when a file could not be read, such as a hidden one: no problem. */
function problemOf(result: {
  exitCode?: number | undefined;
  stderr: string;
  shortMessage?: string | undefined;
}): string | undefined {
  if (result.exitCode === 0 || result.exitCode === 1) return undefined;
  const complaints = result.stderr.split('\n').filter(line => line.trim() !== '');
  if (result.exitCode === 2 && complaints.length > 0 && complaints.every(line => unreadable.test(line)))
    return undefined;
  return complaints.join('\n') || result.shortMessage || 'ripgrep could not be started.';
}

const unreadable = /^rg: .*\(os error \d+\)$/;
