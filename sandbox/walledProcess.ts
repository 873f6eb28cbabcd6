import type { ChildProcess } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import type { CountedOutput } from './countedOutput.ts';
import { limitMessages, type Limits } from './limits.ts';
import { bytesWritten, childrenOf, threadsIn, startTime } from './processTree.ts';
import type { LaunchRequest, ProcessExit, SandboxedProcess } from './sandbox.ts';
import { startedClock } from './wallClock.ts';

/**
 * A program behind its walls, watched from the host. `child` put up the walls and ends with the program; `init` is the
 * first process inside, which takes all others with it when it ends.
 */
export class WalledProcess implements SandboxedProcess {
  readonly pid: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly exited: Promise<ProcessExit>;
  #limit: string | undefined;
  #ended = false;

  constructor(
    private readonly child: ChildProcess,
    private readonly init: { readonly pid: number; readonly started: number | undefined },
    readonly programPid: number | undefined,
    ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>,
    output: CountedOutput,
    request: LaunchRequest,
    /** Set for those that the kernel does not keep for this user. */
    limits: Limits | undefined,
  ) {
    this.pid = child.pid ?? 0;
    // Where the program has none, ours is how it was started.
    this.stdin = request.stdin === 'pipe' ? child.stdin : null;
    // A program that ends without reading must not end us.
    child.stdin?.on('error', () => undefined);
    this.stdout = output.stdout;
    this.stderr = output.stderr;
    output.onExceeded(limit => this.endFor(limit));
    const clock = startedClock(request.timeout, message => this.endFor(message));
    const watch = limits === undefined ? undefined : this.#watchProcesses(limits.processes);
    this.exited = ended.then(async exit => {
      clock?.end();
      clearInterval(watch);
      // What the program left behind ends with the init, and we wait for that.
      await this.#endInit();
      this.#ended = true;
      return this.#limit === undefined ? exit : { ...exit, limit: this.#limit };
    });
  }

  /**
   * The kernel does not count the processes of the machine's root, so for root we do: the sandbox's own /proc lists
   * exactly its processes.
   */
  #watchProcesses(most: number): NodeJS.Timeout {
    const watch = setInterval(() => {
      if (threadsIn(this.init.pid) > most) this.endFor(limitMessages.processes(most));
    }, 200);
    return watch.unref();
  }

  signal(name: NodeJS.Signals): void {
    if (this.#ended || this.programPid === undefined || !childrenOf(this.init.pid).includes(this.programPid))
      return;
    send(this.programPid, name);
  }

  async kill(): Promise<void> {
    if (!this.#ended) this.#killNow();
    await this.exited;
  }

  /** Bytes that its processes, and those that ended, wrote: by the call, and by what became of it on disk. */
  written(): number | undefined {
    return this.#initLives() ? bytesWritten(this.init.pid) : undefined;
  }

  /** Its files, as the host reaches them; undefined when it is over. */
  root(): string | undefined {
    return this.#initLives() ? `/proc/${this.init.pid}/root` : undefined;
  }

  /** Its namespace of process numbers, as the kernel calls it; undefined when it is over. */
  namespace(): string | undefined {
    try {
      return this.#initLives() ? readlinkSync(`/proc/${this.init.pid}/ns/pid`) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Ends the whole tree; `limit` is the sentence that tells why. */
  endFor(limit: string): void {
    if (this.#ended) return;
    this.#limit ??= limit;
    this.#killNow();
  }

  #killNow(): void {
    // First what waits for the init process, or it might report an end of its own. The init takes all others with it.
    this.child.kill('SIGKILL');
    if (this.#initLives()) send(this.init.pid, 'SIGKILL');
  }

  async #endInit(): Promise<void> {
    for (let look = 0; this.#initLives(); look++) {
      send(this.init.pid, 'SIGKILL');
      // It is on its way out, mostly a fraction of a millisecond behind.
      await (look < 20 ? nextTurn() : wait(2));
    }
  }

  #initLives(): boolean {
    const { pid, started } = this.init;
    return started !== undefined && startTime(pid) === started;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone in the meantime.
  }
}
