import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { CountedOutput } from './countedOutput.ts';
import type { FamilyWatch } from './familyWatch.ts';
import type { Limits } from './limits.ts';
import { markVariable, ProcessFamily, type ProcessSeen } from './processFamily.ts';
import type { LaunchRequest, ProcessExit, SandboxedProcess } from './sandbox.ts';
import { startedClock } from './wallClock.ts';

/**
 * A program behind a profile, which leads a process group of its own. No namespace ends what it started along with it,
 * so that is followed: see `ProcessFamily`.
 */
export class SeatbeltProcess implements SandboxedProcess {
  readonly pid: number;
  readonly programPid: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly exited: Promise<ProcessExit>;
  #living: readonly ProcessSeen[] = [];
  #limit: string | undefined;
  #isOver = false;

  constructor(
    child: ChildProcess,
    request: Pick<LaunchRequest, 'timeout' | 'stdin' | 'output'>,
    limits: Limits,
    mark: string,
    private readonly watch: FamilyWatch,
  ) {
    this.pid = this.programPid = child.pid ?? 0;
    const keeper = new Keeper(this.pid, mark);
    const most = request.output === 'inherit' ? Number.POSITIVE_INFINITY : limits.output;
    const counted = new CountedOutput(child.stdout, child.stderr, most);
    counted.onExceeded(limit => this.endFor(limit));
    // A program that ends without reading must not end us.
    child.stdin?.on('error', () => undefined);
    const clock = startedClock(request.timeout, limit => this.endFor(limit));
    const unfollow = watch.follow({
      family: new ProcessFamily(this.pid, mark),
      limits,
      seen: living => {
        this.#living = living;
        keeper.note(living);
      },
      endFor: limit => this.endFor(limit),
    });
    const stopRelay = relayed(child, counted, request);
    [this.stdin, this.stdout, this.stderr] = [
      request.stdin === 'inherit' ? null : child.stdin,
      request.output === 'inherit' ? null : counted.stdout,
      request.output === 'inherit' ? null : counted.stderr,
    ];
    const ended = new Promise<Pick<ProcessExit, 'code' | 'signal'>>(resolve => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    this.exited = ended.then(async exit => {
      clock?.end();
      stopRelay();
      await this.#endRest();
      unfollow();
      keeper[Symbol.dispose]();
      this.#isOver = true;
      return this.#limit === undefined ? exit : { ...exit, limit: this.#limit };
    });
  }

  /** Whether this process of the machine was started by the program, as the last look told. */
  owns(pid: number): boolean {
    return this.#living.some(each => each.pid === pid);
  }

  signal(name: NodeJS.Signals): void {
    if (!this.#isOver) send(-this.pid, name);
  }

  async kill(): Promise<void> {
    this.#killNow();
    await this.exited;
  }

  /** What it wrote is not told by this system. */
  written(): undefined {
    return undefined;
  }

  endFor(limit: string): void {
    if (this.#isOver) return;
    this.#limit ??= limit;
    this.#killNow();
  }

  #killNow(): void {
    if (this.#isOver) return;
    send(-this.pid, 'SIGKILL');
    for (const { pid } of this.#living) send(pid, 'SIGKILL');
  }

  /** What it left behind ends with it: also what is in no group of its own any more. */
  async #endRest(): Promise<void> {
    send(-this.pid, 'SIGKILL');
    for (let round = 0; round < mostRounds; round++) {
      try {
        await this.watch.look();
      } catch {
        return;
      }
      if (this.#living.length === 0) return;
      for (const { pid } of this.#living) send(pid, 'SIGKILL');
      await wait(20);
    }
  }
}

/** Of looking and killing: who is started while others are killed is found at the next one. */
const mostRounds = 20;

/** The family ends with this process, however that ends: a helper waits on a pipe that closes then. */
class Keeper implements Disposable {
  readonly #helper: ChildProcess;
  #noted = '';

  constructor(group: number, mark: string) {
    this.#helper = spawn('/bin/sh', ['-c', script, 'keeper', String(group), `${markVariable}=${mark}`], {
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#helper.on('error', () => undefined);
    this.#helper.stdin?.on('error', () => undefined);
  }

  /** Those that live now, in place of what was noted before. */
  note(living: readonly ProcessSeen[]): void {
    const text = living.map(({ pid, started }) => `${pid} ${started}`).join('\n');
    if (text === this.#noted) return;
    this.#noted = text;
    this.#helper.stdin?.write(`new\n${text}\n`);
  }

  [Symbol.dispose](): void {
    this.#helper.kill('SIGKILL');
    this.#helper.stdin?.destroy();
  }
}

// A number counts only with the start that belongs to it: it may be another program's by then.
const script = String.raw`
group=$1 mark=$2
seen=
while read -r line; do
  if [ "$line" = new ]; then seen=; else seen="$seen$line
"; fi
done
kill -KILL -"$group"
printf '%s' "$seen" | while read -r pid started; do
  [ -n "$pid" ] || continue
  set -- $(ps -o lstart= -p "$pid")
  [ "$*" = "$started" ] && kill -KILL "$pid"
done
if [ "$(uname)" = Darwin ]; then list='-axwwEo pid=,command='; else list='axwweo pid=,args='; fi
ps $list | while read -r pid command; do
  case "$command " in *" $mark "*) [ "$pid" = $$ ] || kill -KILL "$pid" ;; esac
done
`;

/**
 * Where the caller's streams are handed on but are no terminal, they go through this process: the file behind a
 * redirection need not be one that the profile knows, and then even asking what it is would be refused.
 */
function relayed(
  child: ChildProcess,
  { stdout, stderr }: CountedOutput,
  request: Pick<LaunchRequest, 'stdin' | 'output'>,
): () => void {
  if (request.output === 'inherit') {
    stdout?.pipe(process.stdout, { end: false });
    stderr?.pipe(process.stderr, { end: false });
  }
  const { stdin } = child;
  if (request.stdin !== 'inherit' || stdin === null) return () => undefined;
  process.stdin.pipe(stdin);
  return () => {
    process.stdin.unpipe(stdin);
    // Whoever feeds us may never end, and nobody reads any more.
    process.stdin.destroy();
  };
}

function send(pid: number, name: NodeJS.Signals): void {
  if (pid === 0) return;
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}
