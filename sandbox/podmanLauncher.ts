import type { StdioOptions } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { insideCommand } from './bubblewrap.ts';
import { checkRequest } from './checkRequest.ts';
import { watchContainer } from './containerProcess.ts';
import { CountedOutput } from './countedOutput.ts';
import { bareEnvironment, commandEnvironment } from './environment.ts';
import { DiskWatch } from './diskWatch.ts';
import type { AttributedDenial } from './denials.ts';
import { explainDenials, type FailedCommand } from './explain.ts';
import type { SandboxFacts } from './facts.ts';
import { FolderProtection } from './folderProtection.ts';
import { spawnCovered } from './inheritedDescriptors.ts';
import { LateSecrets } from './lateSecrets.ts';
import { anchorsIn, type MountPlan } from './mounts.ts';
import {
  containerMounts,
  containersConf,
  podmanArguments,
  rootLayout,
  type PodmanFacts,
  type PodmanPlan,
} from './podman.ts';
import { PodmanRecords } from './podmanRecords.ts';
import { seccompProfile } from './podmanSeccomp.ts';
import { programFiles, type ProgramFiles } from './programFiles.ts';
import { realPipes } from './realPipe.ts';
import type { LaunchRequest, Sandbox, SandboxedProcess, SandboxOptions } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';
import { refreshSettings } from './settings.ts';
import { SessionNetwork } from './sessionNetwork.ts';
import { removeTemporary } from './stateFiles.ts';
import { checkView } from './viewStands.ts';
import type { WalledProcess } from './walledProcess.ts';

/** Starts processes in containers of Podman, each in one of its own, and sees to it that they end. */
export class PodmanSandbox implements Sandbox {
  readonly #running = new Set<SandboxedProcess>();
  readonly #starting = new Set<Promise<unknown>>();
  readonly #protection: FolderProtection;
  readonly #network: SessionNetwork;
  /** By what joins the namespaces that Podman runs in. */
  readonly #records = new Map<string, PodmanRecords>();
  readonly #disk: DiskWatch;
  readonly #late: LateSecrets;
  #closed = false;

  constructor(
    readonly facts: SandboxFacts,
    private readonly programs: Pick<PodmanFacts, 'podman' | 'init'>,
    private readonly options: SandboxOptions,
  ) {
    this.#protection = new FolderProtection(facts, options);
    this.#network = new SessionNetwork(facts.bwrap, options);
    this.#disk = new DiskWatch(facts, options);
    this.#late = new LateSecrets(facts, options, () => this.#protection.look());
  }

  async launch(request: LaunchRequest): Promise<SandboxedProcess> {
    if (this.#closed) throw sandboxErrors.closed();
    checkRequest(request, this.facts);
    const starting = this.#launch(request);
    this.#starting.add(starting);
    try {
      return await starting;
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
    await Promise.all([...this.#records.values()].map(each => each[Symbol.asyncDispose]()));
    await this.#network[Symbol.asyncDispose]();
    this.#late[Symbol.dispose]();
    this.#protection[Symbol.dispose]();
    removeTemporary(this.facts.state);
  }

  async #launch(request: LaunchRequest): Promise<SandboxedProcess> {
    const program =
      request.view === 'bare'
        ? await programFiles(
            request.argv[0],
            (request.binds ?? []).map(each => each.source),
          )
        : undefined;
    const enter = await this.#network.enter();
    const network = request.view === 'system' ? await this.#network.environment() : {};
    const environment =
      program === undefined
        ? commandEnvironment(this.facts, process.env, { ...network, ...request.environment })
        : bareEnvironment(program.isElectron, process.env, request.environment);
    refreshSettings(this.facts.state.settings);
    const opened = await this.#late.open(request);
    const protection = await this.#protection.prepare(request);
    const records = this.#recordsFor(enter);
    const directory = records.launchDirectory();
    const clear = () => {
      opened.close();
      protection.release();
      records.dropLaunchDirectory(directory);
    };
    try {
      const plan: MountPlan = {
        request,
        scan: protection.scan,
        ...(program === undefined ? {} : { program }),
        copyOnWrite: this.options.copyOnWrite?.folders ?? [],
        ...(this.options.copyOnWrite?.sources ? { sources: this.options.copyOnWrite.sources } : {}),
        granted: protection.granted,
      };
      checkView(this.options.copyOnWrite);
      const started = await this.#start(plan, program, records, directory, environment);
      this.#running.add(started);
      this.#late.add(started, request, protection.scan.secrets, enter);
      if (request.view === 'system') this.#disk.watch(started);
      void started.exited.then(() => {
        this.#running.delete(started);
        clear();
      });
      if (this.#closed) await started.kill();
      return started;
    } catch (error) {
      clear();
      throw error;
    }
  }

  async #start(
    mountPlan: MountPlan,
    program: ProgramFiles | undefined,
    records: PodmanRecords,
    directory: string,
    environment: Readonly<Record<string, string>>,
  ): Promise<WalledProcess> {
    const { facts, options } = this;
    const { request } = mountPlan;
    const descriptors = request.descriptors ?? [];
    const podman: PodmanFacts = {
      ...this.programs,
      directory: records.directory,
      nameSettings: join(records.directory, 'resolv.conf'),
      seccompProfile: writeSeccompProfile(records.directory),
    };
    writeFileSync(podman.nameSettings, 'nameserver 127.0.0.1\n', { mode: 0o600 });
    const isRoot = process.getuid?.() === 0;
    const plan: PodmanPlan = {
      ...mountPlan,
      root: join(directory, 'root'),
      pidFile: join(directory, 'pid'),
      identity: isRoot || records.enter.length > 0 ? 'mapped' : 'keepId',
      sharesNetwork: request.view === 'system' && records.enter.length > 0,
      isTerminal: request.output === 'inherit' && process.stdin.isTTY && process.stdout.isTTY,
      command: insideCommand(facts, request),
    };
    this.#layOut(plan, podman);
    const settings = join(directory, 'containers.conf');
    writeFileSync(settings, containersConf(records.directory, environment), { mode: 0o600 });
    // A program in the bare view is ours and only writes to its streams.
    const needsPipes = request.output !== 'inherit' && program === undefined;
    const pipes = needsPipes ? await realPipes(options.stateDirectory, 2) : [];
    const other = request.output === 'inherit' ? 'inherit' : 'pipe';
    const stdio: Exclude<StdioOptions, string> = [
      request.stdin,
      pipes[0]?.writer ?? other,
      pipes[1]?.writer ?? other,
      ...descriptors.map(() => 'pipe' as const),
    ];
    const [file = '', ...args] = [...records.enter, podman.podman, ...podmanArguments(facts, podman, plan)];
    // What the terminal sends to the caller's group is passed on by the caller, not taken twice: hence `detached`.
    const env = { ...records.environment, CONTAINERS_CONF: settings };
    const child = spawnCovered(file, args, { cwd: '/', env, detached: true }, stdio);
    for (const pipe of pipes) pipe.close();
    const exitedEarly = new Promise<never>((_, reject) => {
      child.once('error', cause => reject(sandboxErrors.didNotStart(cause.message, cause)));
    });
    for (const [at, bytes] of descriptors.entries()) {
      const writable = child.stdio[3 + at] as Writable;
      writable.on('error', () => undefined);
      writable.end(bytes);
    }
    const output = new CountedOutput(
      pipes[0]?.reader ?? child.stdout,
      pipes[1]?.reader ?? child.stderr,
      facts.limits.output,
    );
    return Promise.race([
      exitedEarly,
      watchContainer(child, plan.pidFile, output, request, isRoot ? facts.limits : undefined),
    ]);
  }

  #recordsFor(enter: readonly string[]): PodmanRecords {
    const key = enter.join('\0');
    const known = this.#records.get(key);
    // Without its keeper a container would outlive us, so none is started.
    if (known?.lives()) return known;
    const records = new PodmanRecords(this.programs.podman, enter);
    this.#records.set(key, records);
    return records;
  }

  #layOut(plan: PodmanPlan, podman: PodmanFacts): void {
    const layout = rootLayout(containerMounts(this.facts, podman, plan));
    for (const folder of layout.folders) mkdirSync(join(plan.root, folder), { recursive: true });
    for (const { path, to } of layout.links) symlinkSync(to, join(plan.root, path));
    // They lie below /tmp, which is shared with other commands; Podman would make them as somebody else.
    if (plan.request.view === 'system')
      for (const anchor of anchorsIn(this.facts))
        mkdirSync(join(this.facts.state.temporary, anchor.slice('/tmp/'.length)), { recursive: true });
  }
}

/** Throws where no system call numbers are known: nothing runs with that wall missing. */
function writeSeccompProfile(directory: string): string {
  const { arch } = process;
  if (arch !== 'x64' && arch !== 'arm64') throw sandboxErrors.unsupported(`${arch} processors`);
  const path = join(directory, 'seccomp.json');
  writeFileSync(path, JSON.stringify(seccompProfile(arch)), { mode: 0o600 });
  return path;
}
