import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { normalize } from 'node:path';
import { Transform, type Readable, type Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { bubblewrapArguments, insideCommand, type LaunchPlan } from './bubblewrap.ts';
import { bareEnvironment, commandEnvironment } from './environment.ts';
import type { SandboxFacts } from './facts.ts';
import { Guards } from './guards.ts';
import { startHolder, type Holder } from './holder.ts';
import { openLoopbackDoor, type LoopbackDoor } from './loopbackDoor.ts';
import { isInside } from './inside.ts';
import { limitMessages, outerLimitOptions } from './limits.ts';
import { realPipes } from './realPipe.ts';
import { childrenOf, startTime } from './processTree.ts';
import { programFiles, type ProgramFiles } from './programFiles.ts';
import type { LaunchRequest, ProcessExit, Sandbox, SandboxedProcess, SandboxOptions } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';
import { seccompFilter } from './seccomp/filter.ts';
import { homeInside, removeTemporary } from './stateFiles.ts';
import { pinnedFolders, WorkspaceScanner, type WorkspaceScan } from './workspaceScan.ts';

/** Starts processes in Bubblewrap, each in namespaces of its own, and sees to it that they end. */
export class BubblewrapSandbox implements Sandbox {
  readonly #running = new Set<SandboxedProcess>();
  readonly #writing = new Set<SandboxedProcess>();
  readonly #scanners: WorkspaceScanner[];
  readonly #guards: Guards;
  #network: Promise<Holder | undefined> | undefined;
  #door: { readonly holder: number; readonly opened: Promise<LoopbackDoor> } | undefined;
  #closed = false;

  constructor(
    readonly facts: SandboxFacts,
    private readonly options: SandboxOptions,
  ) {
    this.#scanners = facts.folders.map(folder => new WorkspaceScanner(folder.realPath));
    this.#guards = new Guards(options.stateDirectory);
  }

  async launch(request: LaunchRequest): Promise<SandboxedProcess> {
    if (this.#closed) throw sandboxErrors.closed();
    check(request, this.facts);
    const isBare = request.view === 'bare';
    const [scan, program] = await Promise.all([
      this.#scan(),
      isBare
        ? programFiles(
            request.argv[0],
            (request.binds ?? []).map(each => each.source),
          )
        : undefined,
    ]);
    const guarded = this.#guardedBy(request, scan);
    this.#guards.hold(guarded);
    try {
      // Disposed while we looked around.
      if (this.#closed) throw sandboxErrors.closed();
      const started = await this.#start(request, { ...this.#settled(scan), guarded }, program);
      this.#running.add(started);
      if (request.writableFolders.length > 0) this.#writing.add(started);
      void started.exited.then(() => {
        this.#running.delete(started);
        this.#writing.delete(started);
        this.#guards.release(guarded);
      });
      return started;
    } catch (error) {
      this.#guards.release(guarded);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].map(each => each.kill()));
    (await this.#door?.opened.catch(() => undefined))?.server.close();
    await (await this.#network)?.[Symbol.asyncDispose]();
    this.#guards[Symbol.dispose]();
    removeTemporary(this.facts.state);
  }

  async #scan(): Promise<WorkspaceScan> {
    const scans = await Promise.all(this.#scanners.map(scanner => scanner.scan()));
    for (const [at, scan] of scans.entries())
      if (scan.secrets.length > mostSecrets)
        throw sandboxErrors.tooManySecrets(scan.secrets.length, this.facts.folders[at]?.path ?? '');
    return {
      secrets: [...new Set(scans.flatMap(each => each.secrets))],
      protectedPaths: [...new Set(scans.flatMap(each => each.protectedPaths))],
      pinned: [...new Set(scans.flatMap(each => each.pinned))],
      guarded: [...new Set(scans.flatMap(each => each.guarded))],
    };
  }

  /**
   * A command that may write could put a link in the place of a folder between our look and the mount, and a mount
   * follows links with more sight than the command has. What lies at the root of a folder is held by mounts in that
   * command's own view; what lies deeper is not mounted anew while it runs.
   */
  #settled(scan: WorkspaceScan): WorkspaceScan {
    if (this.#writing.size === 0) return scan;
    const roots = this.facts.folders.map(each => each.realPath);
    const isHeld = (path: string) =>
      roots.some(root => {
        const [first = '', ...deeper] = path.slice(root.length + 1).split('/');
        return isInside(path, root) && (deeper.length === 0 || pinnedFolders.has(first));
      });
    return {
      ...scan,
      protectedPaths: scan.protectedPaths.filter(isHeld),
      pinned: scan.pinned.filter(isHeld),
    };
  }

  /** Guards stand only where commands may write to the user's own folder; the file writer touches one path alone. */
  #guardedBy(request: LaunchRequest, scan: WorkspaceScan): string[] {
    if (request.view === 'bare') return [];
    const copies = this.options.copyOnWrite?.folders ?? [];
    const writable = this.facts.folders.filter(({ path, realPath }) =>
      request.writableFolders.some(each => each === path || each === realPath),
    );
    return scan.guarded
      .filter(path => writable.some(({ realPath }) => isInside(path, realPath)))
      .filter(path => !copies.some(each => isInside(path, each)))
      .filter(path => !(request.allowedPaths ?? []).some(allowed => isInside(allowed, path)));
  }

  /** Commands of a session share one network, so that a server started by one is reached by the next. */
  async #enter(request: LaunchRequest): Promise<readonly string[]> {
    const view = this.options.copyOnWrite;
    if (view !== undefined) return view.enter;
    if (request.view === 'bare') return [];
    if (this.#network === undefined || !(await this.#network)?.lives()) {
      // Where it cannot be had, each command has a network of its own: less convenient, not less safe.
      this.#network = startHolder(this.facts.bwrap, []).catch(() => undefined);
    }
    return (await this.#network)?.enter ?? [];
  }

  /** What a command is told of the way out; opens it where the first command with this network starts. */
  async #networkEnvironment(): Promise<Readonly<Record<string, string>>> {
    const service = this.options.network;
    if (service === undefined) return {};
    const holder = this.options.copyOnWrite?.holder ?? (await this.#network)?.pid;
    if (holder === undefined) throw sandboxErrors.noNetwork('commands cannot share a network here');
    if (this.#door?.holder !== holder) {
      const before = this.#door?.opened;
      this.#door = {
        holder,
        opened: openLoopbackDoor(holder).then(door => {
          door.server.on('connection', connection => service.accept(connection));
          door.server.maxConnections = mostConnections;
          return door;
        }),
      };
      (await before?.catch(() => undefined))?.server.close();
    }
    const { opened } = this.#door;
    try {
      return service.environment((await opened).port);
    } catch (error) {
      // The next command tries anew.
      if (this.#door?.opened === opened) this.#door = undefined;
      throw error;
    }
  }

  async #start(
    request: LaunchRequest,
    scan: WorkspaceScan,
    program: ProgramFiles | undefined,
  ): Promise<SandboxedProcess> {
    const { facts, options } = this;
    const descriptors = request.descriptors ?? [];
    const enter = await this.#enter(request);
    const network = request.view === 'system' ? await this.#networkEnvironment() : {};
    const filter = seccompFilter(process.arch);
    const plan: LaunchPlan = {
      request,
      scan,
      ...(program === undefined ? {} : { program }),
      copyOnWrite: options.copyOnWrite?.folders ?? [],
      // The agent's loopback is nobody else's.
      sharesNetwork: request.view === 'system' && enter.length > 0,
      statusDescriptor: 3 + descriptors.length,
      ...(filter === undefined ? {} : { seccompDescriptor: 5 + descriptors.length }),
    };
    const optionsDescriptor = plan.statusDescriptor + 1;
    const command = [
      ...enter,
      ...(facts.prlimit === undefined ? [] : [facts.prlimit, ...outerLimitOptions(facts.limits), '--']),
      facts.bwrap,
      // By descriptor: its arguments can be read inside, and they tell of the host.
      '--args',
      String(optionsDescriptor),
      '--',
      ...insideCommand(facts, request),
    ];
    // A program in the bare view is ours and only writes to its streams.
    const needsPipes = request.output !== 'inherit' && program === undefined;
    const pipes = needsPipes ? await realPipes(options.stateDirectory, 2) : [];
    const other = request.output === 'inherit' ? 'inherit' : 'pipe';
    const [out, err]: (number | 'inherit' | 'pipe')[] = [
      pipes[0]?.writer ?? other,
      pipes[1]?.writer ?? other,
    ];
    const stdio: StdioOptions = [
      request.stdin,
      out,
      err,
      ...descriptors.map(() => 'pipe' as const),
      'pipe',
      'pipe',
      ...(filter === undefined ? [] : ['pipe' as const]),
    ];
    const environment =
      program === undefined
        ? commandEnvironment(facts, process.env, { ...network, ...request.environment })
        : bareEnvironment(program.isElectron, process.env, request.environment);
    const [file = '', ...args] = command;
    const child = spawn(file, args, { cwd: '/', env: environment, stdio });
    for (const pipe of pipes) pipe.close();
    const exitedEarly = new Promise<never>((_, reject) => {
      child.once('error', cause => reject(sandboxErrors.didNotStart(cause.message, cause)));
    });
    for (const [at, bytes] of descriptors.entries()) handOver(child.stdio[3 + at], bytes);
    handOver(child.stdio[optionsDescriptor], Buffer.from(bubblewrapArguments(facts, plan).join('\0') + '\0'));
    if (filter !== undefined) handOver(child.stdio[5 + descriptors.length], filter);
    const output = new CountedOutput(
      pipes[0]?.reader ?? child.stdout,
      pipes[1]?.reader ?? child.stderr,
      facts.limits.output,
    );
    return Promise.race([exitedEarly, RunningProcess.watch(child, plan.statusDescriptor, output, request)]);
  }
}

/** Of all commands of a session together. */
const mostConnections = 512;

/** Bubblewrap takes 9,000 arguments; a mask is three, twice where a folder is linked. */
const mostSecrets = 1_200;

class RunningProcess implements SandboxedProcess {
  readonly pid: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly exited: Promise<ProcessExit>;
  #limit: string | undefined;
  #ended = false;

  /** Resolves once the program runs behind its walls; rejects when they could not be put up. */
  static async watch(
    child: ChildProcess,
    status: number,
    output: CountedOutput,
    request: LaunchRequest,
  ): Promise<SandboxedProcess> {
    const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(resolve => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    const init = await Promise.race([initOf(child.stdio[status]), ended.then(() => undefined)]);
    if (init === undefined) {
      await ended;
      throw sandboxErrors.didNotStart(await output.lastWords());
    }
    const started = startTime(init);
    const program = await Promise.race([programOf(init, started), ended.then(() => undefined)]);
    if (program === undefined && !(await finishedSetup(child.stdio[status], ended)))
      throw sandboxErrors.didNotStart(await output.lastWords());
    return new RunningProcess(child, { pid: init, started }, program, ended, output, request);
  }

  private constructor(
    private readonly child: ChildProcess,
    private readonly init: { readonly pid: number; readonly started: number | undefined },
    readonly programPid: number | undefined,
    ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>,
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
      // Bubblewrap ends with the program; what the program left behind ends with Bubblewrap, and we wait for that.
      await this.#endInit();
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

  #killNow(): void {
    // The init process takes every process of its namespace with it.
    if (this.#initLives()) send(this.init.pid, 'SIGKILL');
    this.child.kill('SIGKILL');
  }

  async #endInit(): Promise<void> {
    while (this.#initLives()) {
      send(this.init.pid, 'SIGKILL');
      await wait(2);
    }
  }

  #initLives(): boolean {
    const { pid, started } = this.init;
    return started !== undefined && startTime(pid) === started;
  }
}

/** Standard output and error, counted together. Taken up at once: Node drops what nobody reads when a process ends. */
class CountedOutput {
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  #printed = 0;
  #exceeded: ((message: string) => void) | undefined;

  constructor(
    stdout: Readable | null,
    stderr: Readable | null,
    private readonly limit: number,
  ) {
    this.stdout = this.#counted(stdout);
    this.stderr = this.#counted(stderr);
  }

  onExceeded(listener: (message: string) => void): void {
    this.#exceeded = listener;
    if (this.#printed > this.limit) listener(limitMessages.output(this.limit));
  }

  /** What an ended process said on standard error: Bubblewrap's own words when it fails. */
  async lastWords(): Promise<string> {
    const chunks: Buffer[] = [];
    this.stdout?.resume();
    for await (const chunk of this.stderr ?? []) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('utf8').trim().slice(0, 1_000);
  }

  #counted(stream: Readable | null): Readable | null {
    if (stream === null) return null;
    const counter = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.#printed += chunk.length;
        if (this.#printed > this.limit) this.#exceeded?.(limitMessages.output(this.limit));
        done(null, chunk);
      },
    });
    stream.on('error', () => counter.end());
    return stream.pipe(counter);
  }
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

function handOver(stream: unknown, bytes: Buffer): void {
  const writable = stream as Writable;
  writable.on('error', () => undefined);
  writable.end(bytes);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone in the meantime.
  }
}

function check(request: LaunchRequest, facts: SandboxFacts): void {
  for (const text of [...request.argv, request.cwd, ...Object.entries(request.environment ?? {}).flat()])
    if (text.includes('\0')) throw sandboxErrors.invalidText('The command');
  for (const folder of request.writableFolders)
    if (!facts.folders.some(({ path, realPath }) => folder === path || folder === realPath))
      throw sandboxErrors.notAFolder(folder);
  const cwd = normalize(request.cwd);
  const places = [
    ...facts.folders.flatMap(({ path, realPath }) => [path, realPath]),
    '/usr',
    '/tmp',
    homeInside,
  ];
  if (cwd !== '/' && !places.some(place => isInside(cwd, place) || isInside(real(cwd), place)))
    throw sandboxErrors.workingDirectory(request.cwd);
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
