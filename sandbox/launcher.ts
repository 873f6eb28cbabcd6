import type { ChildProcess, StdioOptions } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { bubblewrapArguments, insideCommand, outsideLimits, type LaunchPlan } from './bubblewrap.ts';
import { checkRequest } from './checkRequest.ts';
import { CountedOutput } from './countedOutput.ts';
import type { AttributedDenial } from './denials.ts';
import { bareEnvironment, commandEnvironment } from './environment.ts';
import { DiskWatch } from './diskWatch.ts';
import { explainDenials, type FailedCommand } from './explain.ts';
import type { SandboxFacts } from './facts.ts';
import { FolderProtection, type Protection } from './folderProtection.ts';
import { spawnCovered } from './inheritedDescriptors.ts';
import { LateSecrets } from './lateSecrets.ts';
import type { Limits } from './limits.ts';
import { PipeSupply } from './realPipe.ts';
import { childrenOf, startTime } from './processTree.ts';
import { programFiles, type ProgramFiles } from './programFiles.ts';
import type { LaunchRequest, ProcessExit, Sandbox, SandboxedProcess, SandboxOptions } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';
import { seccompFilter } from './seccomp/filter.ts';
import { refreshSettings } from './settings.ts';
import { SessionNetwork } from './sessionNetwork.ts';
import { removeTemporary } from './stateFiles.ts';
import { WalledProcess } from './walledProcess.ts';

/** Starts processes in Bubblewrap, each in namespaces of its own, and sees to it that they end. */
export class BubblewrapSandbox implements Sandbox {
  readonly #running = new Set<SandboxedProcess>();
  readonly #protection: FolderProtection;
  readonly #network: SessionNetwork;
  readonly #pipes: PipeSupply;
  readonly #disk: DiskWatch;
  readonly #late: LateSecrets;
  readonly #starting = new Set<Promise<SandboxedProcess>>();
  #closed = false;

  constructor(
    readonly facts: SandboxFacts,
    private readonly options: SandboxOptions,
  ) {
    this.#protection = new FolderProtection(facts, options);
    this.#network = new SessionNetwork(facts.bwrap, options);
    this.#disk = new DiskWatch(facts, options);
    this.#late = new LateSecrets(facts, options, () => this.#protection.look());
    this.#pipes = new PipeSupply(options.stateDirectory);
  }

  async launch(request: LaunchRequest): Promise<SandboxedProcess> {
    if (this.#closed) throw sandboxErrors.closed();
    checkRequest(request, this.facts);
    const starting = this.#launch(request);
    this.#starting.add(starting);
    try {
      return await starting;
    } catch (error) {
      // What failed because all around it was closing failed for that.
      throw this.#closed ? sandboxErrors.closed() : error;
    } finally {
      this.#starting.delete(starting);
    }
  }

  explain(output: string, command: FailedCommand): AttributedDenial[] {
    return explainDenials(this.facts, this.options, output, command);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    // What is just being started ends itself as soon as it is there; what runs does not wait for that.
    await Promise.all([...this.#running].map(each => each.kill()));
    await Promise.allSettled(this.#starting);
    await this.#network[Symbol.asyncDispose]();
    this.#late[Symbol.dispose]();
    this.#protection[Symbol.dispose]();
    this.#pipes[Symbol.dispose]();
    removeTemporary(this.facts.state);
  }

  async #launch(request: LaunchRequest): Promise<SandboxedProcess> {
    const isBare = request.view === 'bare';
    const program = isBare
      ? await programFiles(
          request.argv[0],
          (request.binds ?? []).map(each => each.source),
        )
      : undefined;
    refreshSettings(this.facts.state.settings);
    const { started, release } = await this.#start(request, program);
    this.#running.add(started);
    if (request.view === 'system') this.#disk.watch(started);
    void started.exited.then(() => {
      this.#running.delete(started);
      release();
    });
    if (this.#closed) await started.kill();
    return started;
  }

  async #start(
    request: LaunchRequest,
    program: ProgramFiles | undefined,
  ): Promise<{ readonly started: WalledProcess; readonly release: () => void }> {
    const { facts, options } = this;
    if (facts.bwrap === undefined) throw sandboxErrors.missing();
    const filter = seccompFilter(process.arch);
    // Without the filter one wall is missing; nothing runs behind the others alone.
    if (filter === undefined) throw sandboxErrors.unsupported(`${process.arch} processors`);
    const descriptors = request.descriptors ?? [];
    const enter = await this.#network.enter();
    const network = request.view === 'system' ? await this.#network.environment() : {};
    const statusDescriptor = 3 + descriptors.length;
    const optionsDescriptor = statusDescriptor + 1;
    const seccompDescriptor = statusDescriptor + 2;
    const command = [
      ...enter,
      ...outsideLimits(facts, request),
      facts.bwrap,
      // By descriptor: its arguments can be read inside, and they tell of the host.
      '--args',
      String(optionsDescriptor),
      '--',
      ...insideCommand(facts, request),
    ];
    // A program in the bare view is ours and only writes to its streams.
    const needsPipes = request.output !== 'inherit' && program === undefined;
    const pipes = needsPipes ? await this.#pipes.take(2) : [];
    const other = request.output === 'inherit' ? 'inherit' : 'pipe';
    const [out, err]: (number | 'inherit' | 'pipe')[] = [
      pipes[0]?.writer ?? other,
      pipes[1]?.writer ?? other,
    ];
    const stdio: Exclude<StdioOptions, string> = [
      request.stdin,
      out,
      err,
      ...descriptors.map(() => 'pipe' as const),
      'pipe',
      'pipe',
      'pipe',
    ];
    const environment =
      program === undefined
        ? commandEnvironment(facts, process.env, { ...network, ...request.environment })
        : bareEnvironment(program.isElectron, process.env, request.environment);
    const [file = '', ...args] = command;
    const child = spawnCovered(file, args, { cwd: '/', env: environment }, stdio);
    for (const pipe of pipes) pipe.close();
    const failed = new Promise<never>((_, reject) => {
      child.once('error', cause => reject(sandboxErrors.didNotStart(cause.message, cause)));
    });
    failed.catch(() => undefined);
    const ended = new Promise<Ended>(resolve => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    const output = new CountedOutput(
      pipes[0]?.reader ?? child.stdout,
      pipes[1]?.reader ?? child.stderr,
      facts.limits.output,
    );
    // Bubblewrap is on its way and waits for its options while we look around.
    let protection: Protection | undefined;
    const opened = await this.#late.open(request);
    const release = () => {
      opened.close();
      protection?.release();
    };
    try {
      protection = await this.#protection.prepare(request);
      if (this.#closed) throw sandboxErrors.closed();
      const plan: LaunchPlan = {
        request,
        scan: protection.scan,
        ...(program === undefined ? {} : { program }),
        copyOnWrite: options.copyOnWrite?.folders ?? [],
        ...(options.copyOnWrite?.sources ? { sources: options.copyOnWrite.sources } : {}),
        granted: protection.granted,
        // The agent's loopback is nobody else's.
        sharesNetwork: request.view === 'system' && enter.length > 0,
        statusDescriptor,
        seccompDescriptor,
      };
      const words = Buffer.from(bubblewrapArguments(facts, plan).join('\0') + '\0');
      for (const [at, bytes] of descriptors.entries()) handOver(child.stdio[3 + at], bytes);
      // The filter comes after the last option: if we die in between, Bubblewrap has no filter and starts nothing.
      const filterPipe = child.stdio[seccompDescriptor];
      handOver(child.stdio[optionsDescriptor], words, () => handOver(filterPipe, filter));
      const limits = process.getuid?.() === 0 ? facts.limits : undefined;
      const started = await Promise.race([
        failed,
        watchProcess(child, ended, child.stdio[statusDescriptor], output, request, limits),
      ]);
      this.#late.add(started, request, protection.scan.secrets, enter);
      return { started, release };
    } catch (error) {
      child.kill('SIGKILL');
      release();
      throw error;
    }
  }
}

type Ended = Pick<ProcessExit, 'code' | 'signal'>;

/** Resolves once the program runs behind its walls; rejects when they could not be put up. */
async function watchProcess(
  child: ChildProcess,
  ended: Promise<Ended>,
  status: unknown,
  output: CountedOutput,
  request: LaunchRequest,
  /** Set for those that the kernel does not keep for this user. */
  limits: Limits | undefined,
): Promise<WalledProcess> {
  const init = await Promise.race([initOf(status), ended.then(() => undefined)]);
  if (init === undefined) {
    await ended;
    throw sandboxErrors.didNotStart(await output.lastWords());
  }
  const started = startTime(init);
  const program = await Promise.race([programOf(init, started), ended.then(() => undefined)]);
  if (program === undefined && !(await finishedSetup(status, ended)))
    throw sandboxErrors.didNotStart(await output.lastWords());
  return new WalledProcess(child, { pid: init, started }, program, ended, output, request, limits);
}

const lines = new WeakMap<object, string>();

/** The process id of the sandbox's init, from Bubblewrap's first status line; undefined when there is none. */
function initOf(status: unknown): Promise<number | undefined> {
  const stream = status as Readable;
  return new Promise(resolve => {
    stream.on('data', (chunk: Buffer) => {
      const text = ((lines.get(stream) ?? '') + chunk.toString('utf8')).slice(0, 10_000);
      lines.set(stream, text);
      const pid = /"child-pid": (\d+)/.exec(text)?.[1];
      if (pid !== undefined) resolve(Number(pid));
    });
    stream.once('end', () => resolve(undefined));
    stream.once('error', () => resolve(undefined));
  });
}

/** Bubblewrap's init forks the program after all walls stand; until then it has no child. */
async function programOf(init: number, started: number | undefined): Promise<number | undefined> {
  if (started === undefined) return undefined;
  while (startTime(init) === started) {
    const [program] = childrenOf(init);
    if (program !== undefined) return program;
    await wait(1);
  }
  return undefined;
}

/** A program may be over before it was seen. Bubblewrap reports an exit status only of one that was started. */
async function finishedSetup(status: unknown, ended: Promise<unknown>): Promise<boolean> {
  await ended;
  const stream = status as Readable;
  if (!stream.readableEnded && !stream.destroyed) await new Promise(resolve => stream.once('close', resolve));
  return /"exit-code"/.test(lines.get(stream) ?? '');
}

/** Writes all of it, then closes. `then` is called when the last byte is on its way, and not when it could not be sent. */
function handOver(stream: unknown, bytes: Buffer, then?: () => void): void {
  const writable = stream as Writable;
  writable.on('error', () => undefined);
  if (then !== undefined) writable.once('finish', then);
  writable.end(bytes);
}
