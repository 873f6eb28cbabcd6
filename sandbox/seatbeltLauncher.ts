import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import type { Writable } from 'node:stream';
import { CountedOutput } from './countedOutput.ts';
import type { AttributedDenial } from './denials.ts';
import { bareEnvironment, commandEnvironment } from './environment.ts';
import { explainDenials, type FailedCommand } from './explain.ts';
import { isInside } from './inside.ts';
import type { Limits } from './limits.ts';
import type { LaunchRequest, ProcessExit, Sandbox, SandboxedProcess, SandboxOptions } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';
import { programNeeds, real, sandboxExec, type SeatbeltFacts } from './seatbeltFacts.ts';
import { sandboxExecArguments, seatbeltProfile, type SeatbeltPlan } from './seatbelt.ts';
import { programs } from './seatbeltSystem.ts';
import { startedClock } from './wallClock.ts';

/**
 * Starts processes behind a profile of macOS's Seatbelt. Not yet tried on a Mac. What it does not have, next to Linux:
 * a network of the session's own (there is none at all), namespaces of processes (a program that becomes a daemon in
 * a session of its own outlives `kill`, behind its walls), and files shown at another path.
 */
export class SeatbeltSandbox implements Sandbox {
  readonly #running = new Set<SandboxedProcess>();
  #closed = false;

  constructor(
    readonly facts: SeatbeltFacts,
    private readonly options: SandboxOptions,
  ) {}

  async launch(request: LaunchRequest): Promise<SandboxedProcess> {
    if (this.#closed) throw sandboxErrors.closed();
    const { network } = this.options;
    if (network !== undefined && request.view === 'system') {
      const error = sandboxErrors.noNetwork('macOS has no network of the session’s own');
      if (network.onUnavailable === undefined) throw error;
      network.onUnavailable(error);
    }
    check(request, this.facts);
    const placed = inPlace(request, this.facts);
    const profile = seatbeltProfile(this.facts, planFor(placed, this.facts));
    const directory = mkdtempSync(join(this.options.stateDirectory, 'launch-'));
    try {
      const profileFile = join(directory, 'profile.sb');
      writeFileSync(profileFile, profile.text, { mode: 0o600 });
      const started = await start(
        placed,
        sandboxExecArguments(profileFile, profile, placed.argv),
        this.facts,
      );
      this.#running.add(started);
      void started.exited.then(() => {
        this.#running.delete(started);
        rmSync(directory, { recursive: true, force: true });
      });
      return started;
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  explain(output: string, command: FailedCommand): AttributedDenial[] {
    return explainDenials(this.facts, this.options, output, command, 'notPermitted');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].map(each => each.kill()));
    if (this.facts.state.dropsTemporary)
      rmSync(this.facts.state.temporary, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * The request with every file where it really is: nothing can be shown at another path, so words and variables that
 * name the target of a bind name its source instead. Pure.
 */
export function inPlace(request: LaunchRequest, facts: Pick<SeatbeltFacts, 'state'>): LaunchRequest {
  const binds = (request.binds ?? []).map(({ source, target }) => ({ source: real(source), target }));
  const place = (text: string): string => {
    const bind = binds.find(({ target }) => isInside(text, target));
    return bind === undefined ? text : bind.source + text.slice(bind.target.length);
  };
  const [program, ...words] = request.argv;
  const environment = Object.fromEntries(
    Object.entries(request.environment ?? {}).map(([name, value]) => [name, place(value)]),
  );
  const temporary = { HOME: facts.state.home, TMPDIR: facts.state.temporary };
  return {
    ...request,
    argv: [place(program), ...words.map(place)],
    binds: binds.map(({ source }) => ({ source, target: source })),
    environment: request.view === 'system' ? { ...temporary, ...environment } : environment,
  };
}

function planFor(request: LaunchRequest, facts: SeatbeltFacts): SeatbeltPlan {
  const sources = (request.binds ?? []).map(each => each.source);
  const isSocket = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
  const program = real(request.argv[0]);
  return {
    request,
    files: sources.filter(each => !isSocket(each)),
    sockets: sources.filter(isSocket),
    ...(request.view === 'bare'
      ? { program: { path: program, needs: programNeeds(program, facts.toolchainPaths) } }
      : {}),
  };
}

async function start(
  request: LaunchRequest,
  args: readonly string[],
  facts: SeatbeltFacts,
): Promise<SandboxedProcess> {
  const isElectron = /\.app\//.test(real(request.argv[0]));
  const env =
    request.view === 'bare'
      ? bareEnvironment(isElectron, process.env, request.environment)
      : commandEnvironment(
          { ...facts, system: programs.map(path => ({ path })) },
          process.env,
          request.environment,
        );
  const output = request.output ?? 'pipe';
  const stdio: StdioOptions = [
    request.stdin,
    output,
    output,
    ...(request.descriptors ?? []).map(() => 'pipe' as const),
  ];
  // A process group of its own, so that the whole of it can be ended; its limits are set where there are no walls yet.
  const words = ['-c', limitScript(facts.limits), 'limits', sandboxExec, ...args];
  const child = spawn('/bin/sh', words, { cwd: request.cwd, env, detached: true, stdio });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', cause => reject(sandboxErrors.didNotStart(cause.message, cause)));
  });
  for (const [at, bytes] of (request.descriptors ?? []).entries()) {
    const writable = child.stdio[3 + at] as Writable;
    writable.on('error', () => undefined);
    writable.end(bytes);
  }
  return watched(child, watcherOf(child.pid ?? 0), request, facts);
}

/** The group ends with this process, however that ends: the watcher waits on a pipe that closes then. */
function watcherOf(group: number): ChildProcess {
  const script = 'cat > /dev/null; kill -KILL -"$1"';
  const watcher = spawn('/bin/sh', ['-c', script, 'watcher', String(group)], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.on('error', () => undefined);
  watcher.stdin?.on('error', () => undefined);
  return watcher;
}

/** Blocks of 512 bytes, as sh counts them. Processes and memory have no limit that is only this group's. */
function limitScript(limits: Pick<Limits, 'openFiles' | 'fileSize'>): string {
  return `ulimit -c 0 && ulimit -n ${Math.min(limits.openFiles, 10_240)} && ulimit -f ${Math.floor(limits.fileSize / 512)} && exec "$@"`;
}

function watched(
  child: ChildProcess,
  watcher: ChildProcess,
  request: LaunchRequest,
  facts: SeatbeltFacts,
): SandboxedProcess {
  const { pid = 0 } = child;
  const counted = new CountedOutput(child.stdout, child.stderr, facts.limits.output);
  let limit: string | undefined;
  const end = () => signalGroup(pid, 'SIGKILL');
  const endFor = (message: string) => {
    limit ??= message;
    end();
  };
  counted.onExceeded(endFor);
  const clock = startedClock(request.timeout, endFor);
  // A program that ends without reading must not end us.
  child.stdin?.on('error', () => undefined);
  const exited = new Promise<ProcessExit>(resolve => {
    child.once('exit', (code, signal) => {
      clock?.end();
      // What it left behind in its group ends with it.
      end();
      watcher.kill('SIGKILL');
      resolve(limit === undefined ? { code, signal } : { code, signal, limit });
    });
  });
  return {
    pid,
    programPid: pid,
    stdin: child.stdin,
    stdout: counted.stdout,
    stderr: counted.stderr,
    exited,
    signal: name => signalGroup(pid, name),
    async kill() {
      end();
      await exited;
    },
  };
}

function check(request: LaunchRequest, facts: SeatbeltFacts): void {
  for (const text of [...request.argv, request.cwd, ...Object.entries(request.environment ?? {}).flat()])
    if (text.includes('\0')) throw sandboxErrors.invalidText('The command');
  for (const folder of request.writableFolders)
    if (!facts.folders.some(({ path, realPath }) => folder === path || folder === realPath))
      throw sandboxErrors.notAFolder(folder);
  const places = [
    ...facts.folders.flatMap(({ path, realPath }) => [path, realPath]),
    '/usr',
    facts.state.home,
    facts.state.temporary,
  ];
  const cwd = normalize(request.cwd);
  if (cwd !== '/' && !places.some(place => isInside(cwd, place) || isInside(real(cwd), place)))
    throw sandboxErrors.workingDirectory(request.cwd);
}

function signalGroup(pid: number, name: NodeJS.Signals): void {
  if (pid === 0) return;
  try {
    process.kill(-pid, name);
  } catch {
    // The group is gone already.
  }
}
