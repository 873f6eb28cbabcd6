import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { AttributedDenial } from './denials.ts';
import type { FailedCommand } from './explain.ts';
import { gatherFacts } from './facts.ts';
import type { FolderOwner } from './folderOwner.ts';
import type { GrantedFolder } from './grantedFolders.ts';
import { BubblewrapSandbox } from './launcher.ts';
import type { Limits } from './limits.ts';
import { sandboxErrors } from './sandboxErrors.ts';
import type { ViewRefresh } from './viewRefresh.ts';
import type { WallClock } from './wallClock.ts';

/** What is the same for every process of one session. Paths are absolute host paths. */
export interface SandboxOptions {
  /** Workspace folders, bound at their own path. A symlinked folder is bound at its real path and at this one. */
  readonly folders: readonly string[];
  /** Folder of the broker's (0700) that holds the private HOME of this workspace and other sandbox state. */
  readonly stateDirectory: string;
  /** More read-only paths the user listed (toolchains); each must exist. */
  readonly extraReadOnlyPaths?: readonly string[];
  /** An existing folder of the broker's that becomes /tmp and is kept; a new one, dropped at the end, when absent. */
  readonly temporaryDirectory?: string;
  /** Other limits than the defaults. */
  readonly limits?: Partial<Limits>;
  /** Set where a holder keeps a copy-on-write view of folders: commands may write there, and what they write stays there. */
  readonly copyOnWrite?: CopyOnWriteView;
  /** The only way out of the commands' network. Absent: there is none. */
  readonly network?: NetworkService;
  /** What puts up the walls on Linux; Bubblewrap when absent. */
  readonly backend?: 'bubblewrap' | 'podman';
}

/** A service of the broker's, on loopback of the network that all commands of a session share. */
export interface NetworkService {
  /**
   * Takes over a connection that a sandboxed program made; `port` is one of `ports`, or absent for the service's own.
   * Must not throw.
   */
  accept(connection: Socket, port?: number): void;
  /** Ports on which it listens at every loopback address, where it can. */
  readonly ports: readonly number[];
  /** Answers a DNS query that a sandboxed program sent to 127.0.0.1. Must not throw. */
  answerName(query: Buffer): Buffer | undefined;
  /** What tells programs of it, when it listens on 127.0.0.1:`port`. What a launch adds itself comes first. */
  environment(port: number): Readonly<Record<string, string>>;
  /**
   * Called when programs here cannot be given the service: they run without a network then. Absent: nothing runs
   * without it, and the launch fails.
   */
  onUnavailable?(error: unknown): void;
}

/** A copy-on-write view, kept by a process that lives as long as it is needed. */
export interface CopyOnWriteView {
  /** Program and arguments that join the view as its root; put in front of Bubblewrap. Absent where nothing is to be joined. */
  readonly enter?: readonly string[];
  /** The process that keeps it. */
  readonly holder?: number;
  /** Real paths of the folders in the view. Repositories behind them are among them. */
  readonly folders: readonly string[];
  /** Where the view is a clone: real path of the folder → the clone, which is shown in its place. */
  readonly sources?: Readonly<Record<string, string>>;
  /** Where the changes of each folder are kept: real path of the folder → upper directory. */
  readonly changes: ReadonlyMap<string, string>;
  /** Where it is mounted: what shows in it what changed around it. */
  readonly refresh?: ViewRefresh;
  /** Root keeps it, for folders of this user: as whom commands run in it. */
  readonly owner?: FolderOwner;
}

export interface LaunchRequest {
  /** Program and arguments, as the sandbox sees them. Never passes through a shell of the host. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** Of `folders`: those that this process may write. Empty: all are read-only. */
  readonly writableFolders: readonly string[];
  /**
   * Paths that are otherwise hidden (secrets) or kept read-only in writable folders (what can run code or change
   * policy later), and that the user allowed by name for this process.
   */
  readonly allowedPaths?: readonly string[];
  /**
   * Outside of the workspace, as the user granted it. Shown at its own path; secrets in it are hidden and what can run
   * code later is kept, as in the workspace. What is no longer there, or is a link now, is left out.
   */
  readonly grantedFolders?: readonly GrantedFolder[];
  /**
   * `system`: /usr, /etc parts, toolchains, private HOME. `bare`: only what the program's own loader needs, no shell,
   * no HOME, nothing to execute but what `binds` brings (for the agent and the file writer).
   */
  readonly view: 'system' | 'bare';
  /** Read-only binds besides the view: files, folders or sockets of the broker's. */
  readonly binds?: readonly { readonly source: string; readonly target: string }[];
  /** Added to the environment after the allowlist; never taken from the host. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Bytes to hand over on inherited descriptors 3, 4, …: written, then closed. */
  readonly descriptors?: readonly Buffer[];
  readonly stdin: 'pipe' | 'ignore' | 'inherit';
  /** `inherit` passes the caller's own streams through (the command line); else pipes. */
  readonly output?: 'pipe' | 'inherit';
  /** Milliseconds of wall time, or a clock that can be made to stand meanwhile; no limit when absent. */
  readonly timeout?: number | WallClock;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The limit that ended it, if one did: a sentence that names the limit and its setting. */
  readonly limit?: string;
}

export interface SandboxedProcess {
  /** Of the outermost host process. */
  readonly pid: number;
  /** Of the program itself, on the host; undefined where it could not be told. */
  readonly programPid: number | undefined;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Settles once, when the whole tree is gone. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Forwards a signal to the program inside. */
  signal(name: NodeJS.Signals): void;
  /** Ends the whole tree; resolves when it is gone, within a second. */
  kill(): Promise<void>;
}

/**
 * Puts up the walls for one session. Throws a `sandbox.*` CordonError when they cannot be had, or when a folder may not
 * be a workspace (the whole home folder, system folders, where credentials are kept).
 */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  if (options.backend === 'podman' && process.platform !== 'linux') throw sandboxErrors.podmanElsewhere();
  if (process.platform === 'darwin') return await openSeatbelt(options);
  if (process.platform !== 'linux') throw sandboxErrors.unsupported(process.platform);
  if (options.backend === 'podman') return await openPodman(options);
  return new BubblewrapSandbox(gatherFacts(options), options);
}

// Most have no use for these, and need not wait until they are read.

async function openSeatbelt(options: SandboxOptions): Promise<Sandbox> {
  const [{ gatherSeatbeltFacts }, { SeatbeltSandbox }] = await Promise.all([
    import('./seatbeltFacts.ts'),
    import('./seatbeltLauncher.ts'),
  ]);
  return new SeatbeltSandbox(gatherSeatbeltFacts(options), options);
}

async function openPodman(options: SandboxOptions): Promise<Sandbox> {
  const [{ findPodman }, { PodmanSandbox }] = await Promise.all([
    import('./podmanPrograms.ts'),
    import('./podmanLauncher.ts'),
  ]);
  const { podman, init } = findPodman(process.env, options.folders);
  return new PodmanSandbox(gatherFacts(options), { podman, init }, options);
}

/** One session's walls. Disposing kills every process that still runs in them. */
export interface Sandbox extends AsyncDisposable {
  /** Set where nothing can be shown at another path: programs find what `binds` brings at its source. */
  readonly showsInPlace?: boolean;
  /** As whom its processes run on disk, where that is not who runs Cordon: they get to what is this user's. */
  readonly owner?: FolderOwner;
  /** Starts a process. Throws a CordonError `sandbox.*` when it cannot start walled in: nothing ran then. */
  launch(request: LaunchRequest): Promise<SandboxedProcess>;
  /** What the walls refused a failed command, told from what it printed. Absent where there are no walls. */
  explain?(output: string, command: FailedCommand): AttributedDenial[];
}
