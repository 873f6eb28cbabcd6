import path from 'node:path';
import { isInside } from '../../../sandbox/inside.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { WallClock } from '../../../sandbox/wallClock.ts';
import { CordonError, messageOf } from '../../base/errors.ts';
import { randomId } from '../../base/ids.ts';
import type { ChangedFiles } from '../../protocol/transcript.ts';
import type { CreateTerminal } from '../agent/agentMessages.ts';
import type { TurnChanges } from '../changes/turnChanges.ts';
import type { CommandApproval, Ground } from '../consent/commandApproval.ts';
import { denialError, deniedBySandbox, type Denial } from '../consent/denial.ts';
import type { FolderAccess } from '../consent/folderAccess.ts';
import type { ShownFiles } from '../consent/shownFiles.ts';
import type { WriteAccess } from '../consent/writeAccess.ts';
import { placeOf, realOfNearest } from '../files/place.ts';
import type { NetworkAccess } from '../network/networkAccess.ts';
import type { Transcript } from '../transcript/transcript.ts';
import type { Turn } from '../turn.ts';
import { lostOf, type Allowance, type CommandPermission } from './commandPermission.ts';
import { CommandRefusals, type EndedCommand } from './commandRefusals.ts';
import { keepCures } from './refusals.ts';
import { Terminal } from './terminal.ts';

interface Options {
  readonly folders: readonly string[];
  readonly sandbox: Sandbox;
  readonly network: NetworkAccess | undefined;
  readonly approval: CommandApproval;
  readonly access: WriteAccess;
  readonly changes: TurnChanges;
  readonly outside: FolderAccess;
  readonly transcript: Transcript;
  /** Hidden files that the user lets commands see. */
  readonly shown: ShownFiles;
  /** Milliseconds for a command in the foreground, not counting those in which it waits for the user. */
  readonly wallTime: number | undefined;
}

/** The commands of a session, in the shape of the protocol's `terminal/*`. Background ones live until the session ends. */
export class Terminals {
  readonly #open = new Map<string, OpenTerminal>();
  readonly #telling = new Set<Promise<void>>();
  readonly #refusals: CommandRefusals;
  #starting = 0;

  constructor(private readonly options: Options) {
    this.#refusals = new CommandRefusals(options);
  }

  /**
   * Judges the command, asks if need be, and starts it. Resolves to the terminal's id. Rejects with the protocol's
   * `denied` error when it does not run, which the transcript shows as well.
   */
  async create(request: CreateTerminal, turn: Turn, signal: AbortSignal): Promise<string> {
    const { toolCallId, background } = request;
    const cwd = request.cwd ?? this.options.folders[0] ?? '/';
    const item = turn.calls.takeOver(toolCallId, { command: request.command, cwd, background });
    const refuse = (denial: Denial) => {
      turn.calls.deny(toolCallId, denial, 'The command was not run.', signal);
      return denialError(denial);
    };
    if (!(await this.#isShown(cwd, background))) throw refuse(deniedBySandbox(outside(cwd)));
    if (request.command.includes('\0')) throw refuse(deniedBySandbox(nullByte));
    if (this.#running() >= maxRunning) throw refuse(deniedBySandbox(tooMany));
    const verdict = await this.options.approval.decide(
      { command: request.command, cwd, background, itemId: item.id },
      signal,
    );
    if (verdict.kind === 'denied') throw refuse(verdict.denial);
    signal.throwIfAborted();
    turn.calls.change(toolCallId, {
      state: { kind: 'running', since: Date.now() },
      allowedBy: verdict.allowedBy,
    });
    this.#starting += 1;
    try {
      return await this.#start(request, { cwd, itemId: item.id, ground: verdict.ground }, turn, signal);
    } catch (error) {
      throw refuse(deniedBySandbox(messageOf(error)));
    } finally {
      this.#starting -= 1;
    }
  }

  output(id: string): { output: string; truncated: boolean; exitStatus?: ExitStatus } {
    const { terminal } = this.#find(id);
    const { text, isTruncated } = terminal.output();
    return {
      output: text,
      truncated: isTruncated,
      ...(terminal.exit ? { exitStatus: exitStatus(terminal.exit) } : {}),
    };
  }

  /** Resolves when the command is over and everything there is to say about it was added to its output. */
  async waitForExit(id: string): Promise<ExitStatus> {
    const { terminal, settled } = this.#find(id);
    await settled;
    return exitStatus(await terminal.exited);
  }

  async kill(id: string): Promise<void> {
    const { terminal, over } = this.#find(id);
    over.abort();
    await terminal.kill();
  }

  /** Ends the command if it still runs, and forgets it. */
  async release(id: string): Promise<void> {
    await this.kill(id);
    this.#open.delete(id);
  }

  /** Whether nothing runs or is about to, in the background either. */
  get isQuiet(): boolean {
    return this.#running() + this.#starting === 0;
  }

  /**
   * Ends every command that lost something it was let run with, and says what in its output. With `rules`, those too
   * that the rules do not let run any more.
   */
  async recheck(what: 'grants' | 'rules'): Promise<void> {
    await this.#endAll(({ terminal, permission }) => {
      const { approval } = this.options;
      const stands =
        permission.ground === 'rules' && what === 'grants'
          ? true
          : approval.stands(permission, permission.ground);
      const lost =
        lostOf(permission, this.#allowed(permission.background)) ??
        (stands ? undefined : 'The permission for it');
      if (lost === undefined || terminal.exit !== undefined) return false;
      terminal.note(`${lost} was taken back, so this command was ended.`);
      return true;
    });
  }

  /** Ends what runs in the foreground: nobody waits for it once the turn is over. */
  async stopForeground(): Promise<void> {
    await this.#endAll(({ permission }) => !permission.background);
  }

  async endAll(): Promise<void> {
    await this.#endAll(() => true);
    await Promise.all(this.#telling);
    this.#open.clear();
  }

  async #start(
    request: CreateTerminal,
    { cwd, itemId, ground }: { cwd: string; itemId: string; ground: Ground },
    turn: Turn,
    signal: AbortSignal,
  ): Promise<string> {
    const { sandbox, access, network, transcript, changes } = this.options;
    const { background } = request;
    const changed = await changes.watch();
    // What was granted for the turn ends with it, and a background command outlives the turn.
    const writableFolders = access.writable(background);
    const overWithChanging = writableFolders.length > 0 ? await changes.changing() : async () => {};
    const since = Date.now();
    // One pipe for both streams keeps what is printed in its order. The outer shell only joins them.
    const join = 'exec 2>&1; exec /bin/bash --noprofile --norc -c "$1"';
    const sight = this.options.shown.take(request.command, cwd);
    const permission: CommandPermission = {
      command: request.command,
      cwd,
      ground,
      background,
      writable: writableFolders,
      granted: this.options.outside.visible(background),
      shownFiles: sight.paths,
    };
    this.options.outside.usedBy(request.command, cwd);
    const { wallTime } = this.options;
    const clock = background || wallTime === undefined ? undefined : new WallClock(wallTime);
    const followed = network?.follow(itemId, request.command, clock);
    const launched = sandbox.launch({
      argv: ['/bin/bash', '--noprofile', '--norc', '-c', join, 'cordon', request.command],
      cwd,
      writableFolders: permission.writable,
      grantedFolders: permission.granted,
      view: 'system',
      allowedPaths: permission.shownFiles,
      stdin: 'ignore',
      ...(clock === undefined ? {} : { timeout: clock }),
    });
    launched.catch(() => followed?.end());
    launched.catch(overWithChanging);
    launched.catch(sight.over);
    const process = await launched;
    void process.exited.then(sight.over);
    followed?.runsAs(process.programPid);
    const limit = Math.min(request.outputByteLimit ?? maxKept, maxKept);
    const terminal = new Terminal(process, limit, text => transcript.append(itemId, text));
    if (background)
      followed?.onNotes(notes => {
        for (const note of notes) terminal.note(note);
      });
    const over = new AbortController();
    const settled = this.#settle(terminal, {
      itemId,
      since,
      cwd,
      background,
      changed,
      overWithChanging,
      turn,
      over: over.signal,
      network: followed,
      granted: permission.granted,
    });
    const id = randomId();
    this.#open.set(id, { terminal, settled, over, permission });
    // Stopped, or something taken back, while the process was being started.
    if (signal.aborted) await this.kill(id);
    await this.recheck('grants');
    return id;
  }

  /** Waits for the end, offers the grant that a read-only folder called for, and tells how it went. */
  async #settle(terminal: Terminal, command: RunningCommand): Promise<void> {
    const { itemId } = command;
    const exit = await terminal.exited;
    const took = Date.now() - command.since;
    await command.overWithChanging();
    const refused = await this.#refusals.of(terminal, exit, command);
    for (const note of refused.notes) terminal.note(note);
    const item = this.options.transcript.item(itemId);
    if (item?.kind !== 'toolCall' || item.state.kind === 'cancelled') return;
    const { code, signal } = exit;
    this.options.transcript.put({
      ...item,
      state: { kind: 'finished', ok: code === 0, exit: { code, signal }, took },
      ...(refused.denials.length === 0 ? {} : { denials: keepCures(item.denials, refused.denials) }),
      ...(refused.connections.length === 0 ? {} : { connections: refused.connections }),
    });
    // The agent need not wait for this.
    const telling = this.#tellChanges(command).finally(() => this.#telling.delete(telling));
    this.#telling.add(telling);
  }

  async #tellChanges({ itemId, changed }: RunningCommand): Promise<void> {
    const found = await changed();
    const item = this.options.transcript.item(itemId);
    if (found === undefined || found.count + found.others === 0 || item?.kind !== 'toolCall') return;
    this.options.transcript.put({ ...item, changed: found });
  }

  /** Whether a command may start there: in a workspace folder, or in one that was granted. */
  async #isShown(cwd: string, background: boolean): Promise<boolean> {
    if ((await placeOf(this.options.folders, cwd)) !== undefined) return true;
    const real = await realOfNearest(path.resolve(cwd));
    const granted = this.options.outside.visible(background).filter(({ access }) => access !== 'none');
    return real !== undefined && granted.some(each => isInside(real, each.path));
  }

  async #endAll(which: (open: OpenTerminal) => boolean): Promise<void> {
    const ending = [...this.#open.values()].filter(open => which(open) && open.terminal.exit === undefined);
    await Promise.all(
      ending.map(async ({ terminal, over, settled }) => {
        over.abort();
        await terminal.kill();
        await settled;
      }),
    );
  }

  /** What a command is let do now. */
  #allowed(background: boolean): Allowance {
    return {
      writable: this.options.access.writable(background),
      granted: this.options.outside.visible(background),
      shownFiles: this.options.shown.running,
    };
  }

  #running(): number {
    return [...this.#open.values()].filter(({ terminal }) => terminal.exit === undefined).length;
  }

  #find(id: string): OpenTerminal {
    const open = this.#open.get(id);
    if (open === undefined) throw new CordonError('terminal.unknown', 'There is no such terminal.');
    return open;
  }
}

interface OpenTerminal {
  readonly terminal: Terminal;
  readonly settled: Promise<void>;
  /** Aborted when the agent no longer waits: ends the offer that may follow a failure. */
  readonly over: AbortController;
  readonly permission: CommandPermission;
}

interface RunningCommand extends EndedCommand {
  readonly since: number;
  readonly changed: () => Promise<ChangedFiles | undefined>;
  /** To be called when nothing of it runs any more. */
  readonly overWithChanging: () => Promise<void>;
}

interface ExitStatus {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

function exitStatus({ code, signal }: { code: number | null; signal: string | null }): ExitStatus {
  return { exitCode: code, signal };
}

/** Commands that run at the same time, background ones included. */
const maxRunning = 32;

/** Bytes of output kept for the agent of one command. */
const maxKept = 1_000_000;

const nullByte = 'The command holds a null byte.';
const tooMany = `${maxRunning} commands are running already; stop one first.`;

function outside(cwd: string): string {
  return `${cwd} is not in a workspace folder.`;
}
