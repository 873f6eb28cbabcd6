import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { systemSandboxExec } from './seatbeltFacts.ts';

export type SeatbeltReadiness =
  | { readonly kind: 'ready'; readonly sandboxExec: string; readonly version: string }
  | {
      readonly kind: 'unavailable';
      readonly code: string;
      readonly message: string;
      readonly remedy: string;
    };

/** Whether macOS lets this program build walls, tried for real; if not, why, and how to mend it. */
export async function checkSeatbelt(): Promise<SeatbeltReadiness> {
  const sandboxExec = existsSync(systemSandboxExec) ? systemSandboxExec : undefined;
  return diagnoseSeatbelt({
    sandboxExec,
    version: (await said('/usr/bin/sw_vers', ['-productVersion'])).trim(),
    trial: sandboxExec === undefined ? undefined : await complaintOf(sandboxExec),
  });
}

/** What was found out; `trial` is sandbox-exec's own complaint, undefined when a program ran behind it. */
export interface SeatbeltReadinessFacts {
  readonly sandboxExec: string | undefined;
  /** As in `15.1`. */
  readonly version: string;
  readonly trial: string | undefined;
}

const oldestMacOs = 13;

/** From facts to a verdict. Pure. */
export function diagnoseSeatbelt({ sandboxExec, version, trial }: SeatbeltReadinessFacts): SeatbeltReadiness {
  if (!(Number.parseInt(version, 10) >= oldestMacOs))
    return no(
      'sandbox.macosTooOld',
      `macOS ${version || 'of an unknown version'} is too old: Cordon needs ${oldestMacOs} or newer, so no command can run.`,
      `Update macOS. ${otherWay}`,
    );
  if (sandboxExec === undefined)
    return no(
      'sandbox.seatbeltMissing',
      `This macOS has no ${systemSandboxExec}, with which Cordon builds its walls, so no command can run.`,
      otherWay,
    );
  if (trial === undefined) return { kind: 'ready', sandboxExec, version };
  if (/sandbox_apply: Operation not permitted/.test(trial))
    return no(
      'sandbox.seatbeltNested',
      'This program runs in a sandbox itself, and macOS lets nobody build another one inside it, so no command can run.',
      'Start VS Code, or the terminal, by itself: not from another agent’s or a sandboxed application’s.',
    );
  return no(
    'sandbox.seatbeltCannotStart',
    `macOS refuses to start a program behind walls (${trial}), so no command can run.`,
    `Try it by hand: ${sandboxExec} -p '${trialProfile}' /usr/bin/true. ${otherWay}`,
  );
}

const otherWay = 'Or use a Linux remote (Remote - SSH, a dev container).';

const trialProfile = '(version 1)(allow default)(deny network*)';

async function complaintOf(sandboxExec: string): Promise<string | undefined> {
  try {
    await promisify(execFile)(sandboxExec, ['-p', trialProfile, '/usr/bin/true'], {
      cwd: '/',
      timeout: 30_000,
    });
    return undefined;
  } catch (error) {
    const words = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    return words || String(error);
  }
}

async function said(program: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(program, [...args], { cwd: '/', timeout: 30_000 })).stdout;
  } catch {
    return '';
  }
}

function no(code: string, message: string, remedy: string): SeatbeltReadiness {
  return { kind: 'unavailable', code, message, remedy };
}
