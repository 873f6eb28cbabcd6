import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import {
  bubblewrapArguments,
  insideCommand,
  outsideLimits,
  sourcesOf,
  type LaunchPlan,
} from './bubblewrap.ts';
import { checkRequest } from './checkRequest.ts';
import { commandScript, takesScript } from './commandScript.ts';
import type { AttributedDenial } from './denials.ts';
import { bareEnvironment, commandEnvironment } from './environment.ts';
import { DiskWatch } from './diskWatch.ts';
import { explainDenials, type FailedCommand } from './explain.ts';
import type { SandboxFacts } from './facts.ts';
import { FolderProtection, type Protection } from './folderProtection.ts';
import type { FolderOwner } from './folderOwner.ts';
import { enterAs } from './holder.ts';
import { LateSecrets } from './lateSecrets.ts';
import type { Limits } from './limits.ts';
import { giveInheritedPipe, PipeSupply } from './realPipe.ts';
import { childrenOf, startTime } from './processTree.ts';
import { programFiles, type ProgramFiles } from './programFiles.ts';
import type { LaunchRequest, Sandbox, SandboxedProcess, SandboxOptions } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';
import { seccompFilter } from './seccomp/filter.ts';
import { refreshSettings } from './settings.ts';
import { SessionNetwork } from './sessionNetwork.ts';
import { Standby } from './standby.ts';
import { startBubblewrap, type WaitingBubblewrap } from './startBubblewrap.ts';
import { removeTemporary } from './stateFiles.ts';
import { checkView } from './viewStands.ts';
import { WalledProcess } from './walledProcess.ts';
import { Ways } from './ways.ts';

/** Starts processes in Bubblewrap, each in namespaces of its own, and sees to it that they end. */
export class BubblewrapSandbox implements Sandbox {
  readonly #running = new Set<SandboxedProcess>();
  readonly #protection: FolderProtection;
  readonly #network: SessionNetwork;
  readonly #pipes: PipeSupply;
  readonly #disk: DiskWatch;
  readonly #late: LateSecrets;
  readonly #starting = new Set<Promise<SandboxedProcess>>();
  readonly #standby = new Standby(enter => this.#startForAny(enter));
  readonly #ways: Ways | undefined;
  #closed = false;
  readonly owner?: FolderOwner;

  constructor(
    readonly facts: SandboxFacts,
    private readonly options: SandboxOptions,
  ) {
    if (facts.owner !== undefined) this.owner = facts.owner;
    this.#protection = new FolderProtection(facts, options);
    this.#network = new SessionNetwork(facts.bwrap, options, facts.owner !== undefined);
    this.#ways = facts.owner === undefined ? undefined : new Ways(facts.owner);
    this.#disk = new DiskWatch(facts, options);
    this.#late = new LateSecrets(facts, options, () => this.#protection.look());
    this.#pipes = new PipeSupply(options.stateDirectory, facts.owner);
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
    this.#standby[Symbol.dispose]();
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
    const filter = seccompFilter(process.arch, {
      writesUsersFiles:
        request.writableFolders.length > 0 ||
        (request.grantedFolders ?? []).some(each => each.access === 'write'),
    });
    // Without the filter one wall is missing; nothing runs behind the others alone.
    if (filter === undefined) throw sandboxErrors.unsupported(`${process.arch} processors`);
    const enter = await this.#network.enter();
    const network = request.view === 'system' ? await this.#network.environment() : {};
    const isScript = takesScript(request, facts);
    const bubblewrap = isScript
      ? await this.#standby.take(enter)
      : await this.#startFor(request, enter, program !== undefined);
    // Bubblewrap is on its way and waits for its options while we look around.
    let protection: Protection | undefined;
    const opened = await this.#late.open(request);
    const release = () => {
      opened.close();
      protection?.release();
    };
    try {
      protection = await this.#protection.prepare(request);
      checkView(options.copyOnWrite);
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
        statusDescriptor: bubblewrap.statusDescriptor,
        seccompDescriptor: bubblewrap.seccompDescriptor,
        environment:
          program === undefined
            ? commandEnvironment(facts, process.env, { ...network, ...request.environment })
            : bareEnvironment(program.isElectron, process.env, request.environment),
      };
      const ways = await this.#ways?.to(sourcesOf(facts, plan), enter);
      bubblewrap.go(
        bubblewrapArguments(facts, plan, ways),
        filter,
        request.descriptors ?? [],
        isScript ? commandScript(request.argv, facts.limits.processes) : undefined,
      );
      const limits = process.getuid?.() === 0 ? facts.limits : undefined;
      const started = await Promise.race([bubblewrap.failed, watchProcess(bubblewrap, request, limits)]);
      if (isScript) this.#standby.refill(enter);
      this.#late.add(started, request, protection.scan.secrets, enter);
      return { started, release };
    } catch (error) {
      bubblewrap.child.kill('SIGKILL');
      release();
      throw error;
    }
  }

  /** Started for this request alone: the command is among its arguments. */
  async #startFor(
    request: LaunchRequest,
    enter: readonly string[],
    isBare: boolean,
  ): Promise<WaitingBubblewrap> {
    const { facts } = this;
    if (this.owner !== undefined && request.stdin === 'inherit') giveInheritedPipe(0, this.owner);
    if (this.owner !== undefined && request.output === 'inherit')
      for (const descriptor of [1, 2]) giveInheritedPipe(descriptor, this.owner);
    return startBubblewrap({
      bwrap: this.#bwrap(),
      before: [...this.#joining(enter), ...(isBare ? outsideLimits(facts) : [])],
      command: insideCommand(facts, request),
      stdin: request.stdin,
      // A program in the bare view is ours and only writes to its streams.
      output: request.output === 'inherit' ? 'inherit' : isBare ? 'pipe' : await this.#pipes.take(2),
      descriptors: request.descriptors?.length ?? 0,
      mostOutput: facts.limits.output,
    });
  }

  /** Started for whatever command comes next. */
  async #startForAny(enter: readonly string[]): Promise<WaitingBubblewrap> {
    const { facts } = this;
    return startBubblewrap({
      bwrap: this.#bwrap(),
      before: [...this.#joining(enter), ...outsideLimits(facts)],
      command: [facts.shell ?? ''],
      stdin: 'pipe',
      output: await this.#pipes.take(2),
      descriptors: 0,
      mostOutput: facts.limits.output,
    });
  }

  #joining(enter: readonly string[]): readonly string[] {
    return this.owner === undefined ? enter : enterAs(enter, this.owner);
  }

  #bwrap(): string {
    const { bwrap } = this.facts;
    if (bwrap === undefined) throw sandboxErrors.missing();
    return bwrap;
  }
}

/** Resolves once the program runs behind its walls; rejects when they could not be put up. */
async function watchProcess(
  { child, ended, output, statusDescriptor }: WaitingBubblewrap,
  request: LaunchRequest,
  /** Set for those that the kernel does not keep for this user. */
  limits: Limits | undefined,
): Promise<WalledProcess> {
  const status = child.stdio[statusDescriptor];
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
