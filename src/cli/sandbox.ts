import { mkdtempSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { CordonError, messageOf } from '../base/errors.ts';
import type { EgressProxy } from '../egress/egressProxy.ts';
import { isForbidden, isGranted, type DomainGrant } from '../egress/grant.ts';
import { openOverlay, type Overlay } from '../overlay/overlay.ts';
import { removeTree } from '../base/removeTree.ts';
import { checkFolders, findProgram } from '../../sandbox/facts.ts';
import { ownershipNote } from '../../sandbox/folderOwner.ts';
import { outsideGitDirectories } from '../../sandbox/gitDirectories.ts';
import { isInside } from '../../sandbox/inside.ts';
import { groupOf, startTime } from '../../sandbox/processTree.ts';
import { openSandbox, type SandboxedProcess } from '../../sandbox/sandbox.ts';
import { sandboxErrors } from '../../sandbox/sandboxErrors.ts';
import { onlyFor } from './onlyFor.ts';
import { parseSandboxArguments, type SandboxArguments } from './sandboxArguments.ts';
import { stateDirectory, workspaceDirectory } from './stateDirectory.ts';
import { sandboxSettings } from './sandboxSettings.ts';

/**
 * `cordon sandbox … -- COMMAND [ARG…]`: one command behind the walls. Its streams, exit status and signals are the
 * command's own. Resolves to the exit status: 2 for wrong usage, 125 when the sandbox could not be put up.
 */
export async function sandboxCommand(argv: readonly string[]): Promise<number> {
  const parsed = parseSandboxArguments(argv);
  if (parsed.kind === 'wrong') {
    process.stderr.write(`cordon sandbox: ${parsed.message}\n`);
    return 2;
  }
  try {
    return await run(parsed);
  } catch (error) {
    process.stderr.write(`cordon sandbox: ${messageOf(error)}\n`);
    return 125;
  }
}

async function run(wanted: SandboxArguments): Promise<number> {
  // From here on a signal is the command's; one that comes before it runs ends us.
  using signals = new Signals();
  const settings = await sandboxSettings();
  const here = currentFolder();
  const workspaces = wanted.workspaces.length > 0 ? wanted.workspaces.map(each => resolve(each)) : [here];
  const allowed = wanted.allowWrite.map(each => resolve(each));
  checkFolders([...workspaces, ...allowed], stateDirectory());
  const cwd = startFolder(workspaces, here);
  const state = workspaceDirectory(workspaces);
  const backend = wanted.backend ?? settings.backend;
  await using overlay =
    wanted.view === 'overlay'
      ? await openView(
          workspaces,
          state,
          wanted.session,
          backend === 'podman' || process.platform === 'darwin',
        )
      : undefined;
  const folders = [...workspaces, ...allowed];
  const note =
    overlay === undefined
      ? ownershipNote(folders, backend)
      : ownershipNote(overlay.view.folders, backend, allowed);
  if (note !== undefined) process.stderr.write(`cordon sandbox: ${note}\n`);
  using egress = await openWayOut(wanted.allowDomains);
  let runs: (command: SandboxedProcess) => void = () => undefined;
  const running = new Promise<SandboxedProcess>(resolve => (runs = resolve));
  await using sandbox = await openSandbox({
    folders,
    stateDirectory: state,
    limits: settings.limits,
    backend,
    ...(wanted.session === undefined
      ? {}
      : { temporaryDirectory: made(join(state, 'sessions', `named-${wanted.session}`, 'tmp')) }),
    ...(overlay === undefined ? {} : { copyOnWrite: overlay.view }),
    ...(egress === undefined
      ? {}
      : { network: wanted.session === undefined ? egress.network : onlyFor(running, egress.network) }),
  });
  const started = await sandbox.launch({
    argv: wanted.command,
    cwd,
    writableFolders: wanted.view === 'direct' ? folders : allowed,
    view: 'system',
    stdin: 'inherit',
    output: 'inherit',
  });
  runs(started);
  signals.sendTo(started);
  const { code, signal, limit } = await started.exited;
  if (limit !== undefined) process.stderr.write(`cordon sandbox: ${limit}\n`);
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

/** By the name by which it was entered, which PWD keeps where that is a link; it counts only when it is that folder. */
function currentFolder(): string {
  const named = process.env['PWD'];
  return named !== undefined && real(named) === process.cwd() ? resolve(named) : process.cwd();
}

/** The caller's folder when it is inside a workspace, else the first workspace. */
function startFolder(workspaces: readonly string[], here: string): string {
  if (workspaces.some(each => isInside(here, each))) return here;
  if (workspaces.some(each => isInside(process.cwd(), real(each) ?? each))) return process.cwd();
  return workspaces[0] ?? here;
}

/** No allowed domain: no way out. What is refused is told to the command itself, in the proxy's answer. */
async function openWayOut(grants: readonly DomainGrant[]): Promise<EgressProxy | undefined> {
  if (grants.length === 0) return undefined;
  const [{ startEgressProxy }, { domainSettings }] = await Promise.all([
    import('../egress/egressProxy.ts'),
    import('./domainSettings.ts'),
  ]);
  const { forbidden } = domainSettings();
  return startEgressProxy({
    allows: ({ host, port }) => isGranted(grants, host, port) && !isForbidden(forbidden, host),
    onEvent: () => undefined,
    directPorts: grants.flatMap(({ port }) => port ?? []),
  });
}

async function openView(
  workspaces: readonly string[],
  state: string,
  session: string | undefined,
  canDoWithout: boolean,
): Promise<Overlay | undefined> {
  const isLinux = process.platform === 'linux';
  const bwrap = isLinux ? findProgram('bwrap', process.env['PATH'], workspaces) : undefined;
  if (bwrap === undefined) {
    // Other walls do without it, but nothing else mounts the view.
    if (!canDoWithout) throw sandboxErrors.missing();
    const { message } = sandboxErrors.noView(process.platform);
    if (session !== undefined) throw sandboxErrors.noView(process.platform);
    process.stderr.write(
      `cordon sandbox: ${message} The workspace is read-only instead (--direct makes it writable).\n`,
    );
    return undefined;
  }
  const folders = workspaces.map(each => {
    const path = real(each);
    if (path === undefined) throw sandboxErrors.folderMissing(each);
    return path;
  });
  const git = folders.flatMap(each => outsideGitDirectories(each, process.env['HOME'] ?? '/nonexistent'));
  const sessions = join(state, 'sessions');
  mkdirSync(sessions, { recursive: true, mode: 0o700 });
  sweep(sessions);
  const directory =
    session === undefined
      ? mkdtempSync(join(sessions, `drop-${process.pid}-${startTime(process.pid) ?? 0}-`))
      : join(sessions, `named-${session}`);
  try {
    return await openOverlay({
      directory,
      folders: [...folders, ...git],
      bwrap,
      dropAtEnd: session === undefined,
      asOurselves: canDoWithout,
    });
  } catch (error) {
    // A named session promises to keep what the command changes; that promise cannot be kept.
    if (!(error instanceof CordonError) || error.code !== 'overlay.unavailable' || session !== undefined)
      throw error;
    process.stderr.write(
      `cordon sandbox: ${error.message} The workspace is read-only instead (--direct makes it writable).\n`,
    );
    return undefined;
  }
}

/** What a killed `cordon sandbox` left behind. */
function sweep(sessions: string): void {
  for (const name of readdirSync(sessions)) {
    const [, pid, started] = /^drop-(\d+)-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && String(startTime(Number(pid)) ?? 'gone') !== started)
      removeTree(join(sessions, name));
  }
}

/** Passes on what this process is sent. */
class Signals implements Disposable {
  #target: SandboxedProcess | undefined;
  readonly #listeners = forwarded.map(name => [name, () => this.#arrived(name)] as const);

  constructor() {
    for (const [name, listener] of this.#listeners) process.on(name, listener);
  }

  sendTo(target: SandboxedProcess): void {
    this.#target = target;
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) process.off(name, listener);
  }

  #arrived(name: NodeJS.Signals): void {
    const target = this.#target;
    if (target === undefined) {
      if (ending.has(name)) process.exit(128 + constants.signals[name]);
      return;
    }
    // A terminal sends these to all programs in the foreground; behind the walls there is another session.
    const fromTerminal =
      process.stdin.isTTY && (name === 'SIGINT' || name === 'SIGQUIT' || name === 'SIGWINCH');
    const group = fromTerminal && target.programPid !== undefined ? groupOf(target.programPid) : undefined;
    if (group === undefined) target.signal(name);
    else process.kill(-group, name);
  }
}

const forwarded: readonly NodeJS.Signals[] = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGCONT',
  'SIGWINCH',
  'SIGALRM',
];
const ending: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']);

function made(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
