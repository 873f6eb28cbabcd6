import type { ChildProcess, StdioOptions } from 'node:child_process';
import type { Writable } from 'node:stream';
import { CountedOutput } from './countedOutput.ts';
import { spawnCovered } from './inheritedDescriptors.ts';
import type { RealPipe } from './realPipe.ts';
import type { ProcessExit } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';

/** What comes before Bubblewrap and what it will run, and how it is joined to us. */
export interface BubblewrapStart {
  readonly bwrap: string;
  /** Programs and arguments in front of it: they join namespaces and set limits. */
  readonly before: readonly string[];
  /** What it runs inside once it has its options. */
  readonly command: readonly string[];
  readonly stdin: 'pipe' | 'ignore' | 'inherit';
  /** Real pipes: one for each of its two streams. */
  readonly output: 'pipe' | 'inherit' | readonly RealPipe[];
  /** How many descriptors, from 3 on, the program inherits. */
  readonly descriptors: number;
  /** Bytes that the program may print. */
  readonly mostOutput: number;
}

export type Ended = Pick<ProcessExit, 'code' | 'signal'>;

/** Bubblewrap on its way: it waits for its options, and puts up no wall and runs nothing before it has them. */
export interface WaitingBubblewrap {
  readonly child: ChildProcess;
  readonly output: CountedOutput;
  /** Settles when it is over. */
  readonly ended: Promise<Ended>;
  /** Rejects when it could not be started. */
  readonly failed: Promise<never>;
  /** The descriptor on which it reports, as its options must name it. */
  readonly statusDescriptor: number;
  /** The descriptor from which it reads the system-call filter, as its options must name it. */
  readonly seccompDescriptor: number;
  /**
   * Gives it its options and lets it go. The filter comes after the last option, and what is handed to the program
   * after that: if we die in between, Bubblewrap has no filter and starts nothing.
   */
  go(words: readonly string[], filter: Buffer, descriptors: readonly Buffer[], stdin?: string): void;
}

export function startBubblewrap(start: BubblewrapStart): WaitingBubblewrap {
  const statusDescriptor = 3 + start.descriptors;
  const optionsDescriptor = statusDescriptor + 1;
  const seccompDescriptor = statusDescriptor + 2;
  const [file = '', ...args] = [
    ...start.before,
    start.bwrap,
    // By descriptor: its arguments can be read inside, and they tell of the host.
    '--args',
    String(optionsDescriptor),
    '--',
    ...start.command,
  ];
  const pipes = typeof start.output === 'string' ? [] : start.output;
  const other = typeof start.output === 'string' ? start.output : 'pipe';
  const stdio: Exclude<StdioOptions, string> = [
    start.stdin,
    pipes[0]?.writer ?? other,
    pipes[1]?.writer ?? other,
    ...Array.from({ length: start.descriptors + 3 }, () => 'pipe' as const),
  ];
  // Not in our process group: what a terminal sends to that would end the walls, and what is behind them. Who has a
  // terminal passes it on, to the program alone.
  const child = spawnCovered(file, args, { cwd: '/', env: environment, detached: true }, stdio);
  for (const pipe of pipes) pipe.close();
  const failed = new Promise<never>((_, reject) => {
    child.once('error', cause => reject(sandboxErrors.didNotStart(cause.message, cause)));
  });
  failed.catch(() => undefined);
  return {
    child,
    failed,
    ended: new Promise(resolve => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    }),
    output: new CountedOutput(
      pipes[0]?.reader ?? child.stdout,
      pipes[1]?.reader ?? child.stderr,
      start.mostOutput,
    ),
    statusDescriptor,
    seccompDescriptor,
    go(words, filter, descriptors, stdin) {
      for (const [at, bytes] of descriptors.entries()) handOver(child.stdio[3 + at], bytes);
      handOver(child.stdio[optionsDescriptor], Buffer.from(words.join('\0') + '\0'), () =>
        handOver(child.stdio[seccompDescriptor], filter, () => {
          if (stdin !== undefined) handOver(child.stdin, Buffer.from(stdin));
        }),
      );
    },
  };
}

/** Of Bubblewrap and what comes before it. The program's own is among the options. */
const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/** Writes all of it, then closes. `then` is called when the last byte is on its way, and not when it could not be sent. */
function handOver(stream: unknown, bytes: Buffer, then?: () => void): void {
  const writable = stream as Writable;
  writable.on('error', () => undefined);
  if (then !== undefined) writable.once('finish', then);
  writable.end(bytes);
}
