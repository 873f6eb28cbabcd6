import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { CountedOutput } from './countedOutput.ts';
import { limitMessages } from './limits.ts';
import { childrenOf, startTime } from './processTree.ts';
import type { LaunchRequest, ProcessExit, SandboxedProcess } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program in a container, watched from the host through the container's init, which takes all with it when it ends. */
export class ContainerProcess implements SandboxedProcess {
  readonly pid: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly exited: Promise<ProcessExit>;
  #limit: string | undefined;
  #ended = false;

  /** Resolves once the program runs, or ran; rejects when the container could not be made. */
  static async watch(
    child: ChildProcess,
    pidFile: string,
    output: CountedOutput,
    request: LaunchRequest,
  ): Promise<SandboxedProcess> {
    let isOver = false;
    const ended = new Promise<Exit>(resolve => {
      child.once('exit', (code, signal) => {
        isOver = true;
        resolve({ code, signal });
      });
    });
    let init: number | undefined;
    while ((init = pidIn(pidFile)) === undefined && !isOver) await wait(5);
    init ??= pidIn(pidFile);
    if (init === undefined) throw sandboxErrors.didNotStart(await output.lastWords());
    const started = startTime(init);
    // The init starts the program after all walls stand; until then it has no child.
    let program: number | undefined;
    while (started !== undefined && startTime(init) === started && !isOver) {
      [program] = childrenOf(init);
      if (program !== undefined) break;
      await wait(2);
    }
    return new ContainerProcess(child, { pid: init, started }, program, ended, output, request);
  }

  private constructor(
    private readonly child: ChildProcess,
    private readonly init: { readonly pid: number; readonly started: number | undefined },
    readonly programPid: number | undefined,
    ended: Promise<Exit>,
    output: CountedOutput,
    request: LaunchRequest,
  ) {
    this.pid = child.pid ?? 0;
    this.stdin = child.stdin;
    // A program that ends without reading must not end us.
    child.stdin?.on('error', () => undefined);
    this.stdout = output.stdout;
    this.stderr = output.stderr;
    output.onExceeded(limit => this.#endFor(limit));
    const { timeout } = request;
    const timer =
      timeout === undefined
        ? undefined
        : setTimeout(() => this.#endFor(limitMessages.wallTime(timeout)), timeout);
    this.exited = ended.then(async exit => {
      clearTimeout(timer);
      while (this.#initLives()) {
        this.#killNow();
        await wait(2);
      }
      this.#ended = true;
      return this.#limit === undefined ? exit : { ...exit, limit: this.#limit };
    });
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

  #endFor(limit: string): void {
    if (this.#ended) return;
    this.#limit ??= limit;
    this.#killNow();
  }

  /** Podman's own way would take longer than a second. What it would have cleared away, its monitor does. */
  #killNow(): void {
    if (this.#initLives()) send(this.init.pid, 'SIGKILL');
    this.child.kill('SIGKILL');
  }

  #initLives(): boolean {
    const { pid, started } = this.init;
    return started !== undefined && startTime(pid) === started;
  }
}

function pidIn(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8').trim());
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone in the meantime.
  }
}
