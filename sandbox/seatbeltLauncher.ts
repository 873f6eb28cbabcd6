import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import type { Writable } from 'node:stream';
import { randomId } from '../src/base/ids.ts';
import type { AttributedDenial } from './denials.ts';
import { DiskWatch } from './diskWatch.ts';
import { bareEnvironment, commandEnvironment } from './environment.ts';
import { explainDenials, type FailedCommand } from './explain.ts';
import { FamilyWatch } from './familyWatch.ts';
import { openHostDoor, type HostDoor } from './hostDoor.ts';
import { isInside } from './inside.ts';
import type { Limits } from './limits.ts';
import { markVariable } from './processFamily.ts';
import type { LaunchRequest, Sandbox, SandboxedProcess, SandboxOptions } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';
import { sandboxExecArguments, seatbeltProfile, type SeatbeltPlan } from './seatbelt.ts';
import { programNeeds, real, type SeatbeltFacts } from './seatbeltFacts.ts';
import { SeatbeltProcess } from './seatbeltProcess.ts';
import { programs } from './seatbeltSystem.ts';
import { homeInside } from './stateFiles.ts';

/**
 * Starts processes behind a profile of macOS's Seatbelt. Never run on a Mac yet. What it does not have, next to Linux:
 * a loopback of the session's own (commands reach nothing there but the way out), namespaces of processes (what a
 * program starts is followed instead), and files shown at another path.
 */
export class SeatbeltSandbox implements Sandbox {
  readonly showsInPlace = true;
  readonly #running = new Set<SeatbeltProcess>();
  readonly #watch = new FamilyWatch();
  readonly #disk: DiskWatch;
  #door: Promise<HostDoor> | undefined;
  #closed = false;

  constructor(
    readonly facts: SeatbeltFacts,
    private readonly options: SandboxOptions,
  ) {
    this.#disk = new DiskWatch(facts, {});
  }

  async launch(request: LaunchRequest): Promise<SandboxedProcess> {
    if (this.#closed) throw sandboxErrors.closed();
    check(request, this.facts);
    const way = request.view === 'system' ? await this.#wayOut() : undefined;
    const mark = randomId();
    const placed = inPlace(request, this.facts, { ...way?.environment, [markVariable]: mark });
    const profile = seatbeltProfile(this.facts, planFor(placed, this.facts, way?.port));
    const directory = mkdtempSync(join(tmpdir(), 'cordon-l-'));
    const clear = () => rmSync(directory, { recursive: true, force: true });
    try {
      const profileFile = join(directory, 'profile.sb');
      writeFileSync(profileFile, profile.text, { mode: 0o600 });
      const child = await start(placed, sandboxExecArguments(profileFile, profile, placed.argv), this.facts);
      const started = new SeatbeltProcess(child, placed, this.facts.limits, mark, this.#watch);
      this.#running.add(started);
      if (request.view === 'system') this.#disk.watch(started);
      void started.exited.then(() => {
        this.#running.delete(started);
        clear();
      });
      // Closed while it was being started.
      if (this.#closed) await started.kill();
      return started;
    } catch (error) {
      clear();
      throw error;
    }
  }

  explain(output: string, command: FailedCommand): AttributedDenial[] {
    return explainDenials(this.facts, this.options, output, command, 'notPermitted');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].map(each => each.kill()));
    (await this.#door?.catch(() => undefined))?.[Symbol.dispose]();
    this.#watch[Symbol.dispose]();
    if (this.facts.state.dropsTemporary)
      rmSync(this.facts.state.temporary, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Undefined: there is none, and commands run without. */
  async #wayOut(): Promise<{ port: number; environment: Readonly<Record<string, string>> } | undefined> {
    const service = this.options.network;
    if (service === undefined) return undefined;
    this.#door ??= openHostDoor(service, pid => this.#isOurs(pid));
    try {
      const { port } = await this.#door;
      return { port, environment: service.environment(port) };
    } catch (error) {
      // The next command tries anew.
      this.#door = undefined;
      if (service.onUnavailable === undefined) throw error;
      service.onUnavailable(error);
      return undefined;
    }
  }

  async #isOurs(pid: number): Promise<boolean> {
    const owns = () => [...this.#running].some(each => each.owns(pid));
    if (owns()) return true;
    await this.#watch.look();
    return owns();
  }
}

/**
 * The request with every file where it really is: nothing can be shown at another path, so words and variables that
 * name the target of a bind name its source instead. Pure but for links that are resolved.
 */
export function inPlace(
  request: LaunchRequest,
  facts: Pick<SeatbeltFacts, 'state'>,
  added: Readonly<Record<string, string>> = {},
): LaunchRequest {
  const binds = (request.binds ?? []).map(({ source, target }) => ({ source: real(source), target }));
  const place = (text: string): string => {
    const bind = binds.find(({ target }) => isInside(text, target));
    return bind === undefined ? text : bind.source + text.slice(bind.target.length);
  };
  const [program, ...words] = request.argv;
  const environment = Object.fromEntries(
    Object.entries(request.environment ?? {}).map(([name, value]) => [name, place(value)]),
  );
  const own = {
    ...added,
    HOME: facts.state.home,
    TMPDIR: facts.state.temporary,
    GIT_CONFIG_SYSTEM: join(facts.state.settings, 'gitconfig'),
  };
  return {
    ...request,
    argv: [place(program), ...words.map(place)],
    binds: binds.map(({ source }) => ({ source, target: source })),
    environment: request.view === 'system' ? { ...own, ...environment } : { ...added, ...environment },
  };
}

function planFor(request: LaunchRequest, facts: SeatbeltFacts, proxyPort: number | undefined): SeatbeltPlan {
  const sources = (request.binds ?? []).map(each => each.source);
  const isSocket = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
  const program = real(request.argv[0]);
  return {
    request,
    files: sources.filter(each => !isSocket(each)),
    sockets: sources.filter(isSocket),
    ...(proxyPort === undefined ? {} : { proxyPort }),
    ...(request.view === 'bare'
      ? { program: { path: program, needs: programNeeds(program, facts.toolchainPaths) } }
      : {}),
  };
}

async function start(
  request: LaunchRequest,
  args: readonly string[],
  facts: SeatbeltFacts,
): Promise<ChildProcess> {
  const isElectron = /\.app\//.test(real(request.argv[0]));
  const env =
    request.view === 'bare'
      ? bareEnvironment(isElectron, process.env, request.environment)
      : withHome(
          commandEnvironment(
            { ...facts, system: programs.map(path => ({ path })) },
            process.env,
            request.environment,
          ),
          facts.state.home,
        );
  // What is handed on and is no terminal goes through pipes; see SeatbeltProcess.
  const handed = (isTerminal: boolean) => (isTerminal ? 'inherit' : 'pipe');
  const output = (isTerminal: boolean) => (request.output === 'inherit' ? handed(isTerminal) : 'pipe');
  const stdio: StdioOptions = [
    request.stdin === 'inherit' ? handed(process.stdin.isTTY) : request.stdin,
    output(process.stdout.isTTY),
    output(process.stderr.isTTY),
    ...(request.descriptors ?? []).map(() => 'pipe' as const),
  ];
  // A process group of its own, so that the whole of it can be ended; its limits are set where there are no walls yet.
  const words = ['-c', limitScript(facts.limits), 'limits', facts.sandboxExec, ...args];
  // On macOS Node hands on no other descriptor than these, whatever we inherited ourselves.
  const child = spawn(limitShell, words, { cwd: request.cwd, env, detached: true, stdio });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', cause => reject(sandboxErrors.didNotStart(cause.message, cause)));
  });
  for (const [at, bytes] of (request.descriptors ?? []).entries()) {
    const writable = child.stdio[3 + at] as Writable;
    writable.on('error', () => undefined);
    writable.end(bytes);
  }
  return child;
}

/** What is named below HOME lies elsewhere here. */
function withHome(environment: Readonly<Record<string, string>>, home: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      isInside(value, homeInside) ? home + value.slice(homeInside.length) : value,
    ]),
  );
}

/** Not sh, which is one of three shells on macOS, and they count the size of files in different blocks. */
const limitShell = '/bin/dash';

/**
 * Blocks of 512 bytes. Where a stricter limit stands already, this one is refused, and that one holds. Processes and
 * memory have no limit here that is only this group's: they are watched.
 */
export function limitScript(limits: Pick<Limits, 'openFiles' | 'fileSize'>): string {
  const [openFiles, blocks] = [Math.min(limits.openFiles, 10_240), Math.floor(limits.fileSize / 512)];
  return `ulimit -c 0; ulimit -n ${openFiles} 2>/dev/null; ulimit -f ${blocks} 2>/dev/null; exec "$@"`;
}

function check(request: LaunchRequest, facts: SeatbeltFacts): void {
  for (const text of [...request.argv, request.cwd, ...Object.entries(request.environment ?? {}).flat()])
    if (text.includes('\0')) throw sandboxErrors.invalidText('The command');
  for (const folder of request.writableFolders)
    if (!facts.folders.some(({ path, realPath }) => folder === path || folder === realPath))
      throw sandboxErrors.notAFolder(folder);
  const granted = (request.grantedFolders ?? []).filter(({ access }) => access !== 'none');
  const places = [
    ...facts.folders.flatMap(({ path, realPath }) => [path, realPath]),
    ...granted.map(each => each.path),
    '/usr',
    facts.state.home,
    facts.state.temporary,
  ];
  const cwd = normalize(request.cwd);
  if (cwd !== '/' && !places.some(place => isInside(cwd, place) || isInside(real(cwd), place)))
    throw sandboxErrors.workingDirectory(request.cwd);
}
