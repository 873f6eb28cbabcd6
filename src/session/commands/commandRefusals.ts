import type { AttributedDenial } from '../../../sandbox/denials.ts';
import type { GrantedFolder } from '../../../sandbox/grantedFolders.ts';
import { isInside } from '../../../sandbox/inside.ts';
import type { ProcessExit, Sandbox } from '../../../sandbox/sandbox.ts';
import type { Denial } from '../consent/denial.ts';
import type { FolderAccess } from '../consent/folderAccess.ts';
import type { WriteAccess } from '../consent/writeAccess.ts';
import { placeOf } from '../files/place.ts';
import type { HostReport } from '../network/hostReport.ts';
import type { CommandNetwork } from '../network/networkAccess.ts';
import type { Turn } from '../turn.ts';
import { refusalsOf, type Refusals } from './refusals.ts';
import type { Terminal } from './terminal.ts';

interface Options {
  readonly folders: readonly string[];
  readonly sandbox: Sandbox;
  readonly access: WriteAccess;
  readonly outside: FolderAccess;
}

/** A command that is over, as far as what it was refused goes. */
export interface EndedCommand {
  readonly itemId: string;
  readonly cwd: string;
  readonly background: boolean;
  /** The folders outside of the workspace that it saw. */
  readonly granted: readonly GrantedFolder[];
  readonly network: CommandNetwork | undefined;
  /** Nobody is asked once it is over. */
  readonly turn: Turn;
  /** Aborted when the agent no longer waits: ends the offer that may follow a failure. */
  readonly over: AbortSignal;
}

/** Tells what the walls refused a command, and asks the user for the grant that would cure it. */
export class CommandRefusals {
  constructor(private readonly options: Options) {}

  /** Which walls stood in the way, as the proxy knows and, where it failed, as its own words show; what can be asked is. */
  async of(
    terminal: Terminal,
    { code, limit }: ProcessExit,
    command: EndedCommand,
  ): Promise<Refusals & Pick<HostReport, 'connections'>> {
    const hosts = await command.network?.end();
    const hasFailed = code !== 0;
    const attributed = hasFailed ? this.#attributed(terminal.output().text, command) : [];
    if (hasFailed) await this.#offerWriting(terminal, command, attributed);
    const left: AttributedDenial[] = [];
    const answers: string[] = [];
    for (const denial of attributed) {
      const offer = denial.kind === 'outside' ? await this.#offerOutside(denial, command) : undefined;
      if (offer === undefined || !offer.isOpen) left.push(denial);
      if (offer !== undefined && offer.note !== '') answers.push(offer.note);
    }
    const { denials, notes } = refusalsOf(hosts, left, limit);
    return { denials, notes: [...notes, ...answers], connections: hosts?.connections ?? [] };
  }

  #attributed(said: string, { cwd, background, granted }: EndedCommand): AttributedDenial[] {
    const writableFolders = this.options.access.writable(background);
    const found =
      this.options.sandbox.explain?.(said, { cwd, writableFolders, grantedFolders: granted }) ?? [];
    // A granted folder that is read-only is outside all the same; one of the workspace is asked about by itself.
    return found.map(each =>
      each.kind === 'writeFolder' && granted.some(({ path: folder }) => folder === each.folder)
        ? { kind: 'outside', path: each.path, access: 'write' }
        : each,
    );
  }

  async #offerOutside(
    denial: Extract<AttributedDenial, { kind: 'outside' }>,
    { itemId, background, turn, over }: EndedCommand,
  ): Promise<{ isOpen: boolean; note: string }> {
    if (background || turn.signal.aborted) return { isOpen: false, note: '' };
    const signal = AbortSignal.any([turn.signal, over]);
    const answer = await this.options.outside.ensure({ ...denial, itemId }, signal);
    if (!('by' in answer)) return { isOpen: true, note: nowShown(answer.folder, denial.access) };
    if (answer.by !== 'user') return { isOpen: false, note: answer.reason };
    const words = answer.reason ? ` They say: ${answer.reason}` : '';
    return { isOpen: false, note: `The user did not allow it.${words}` };
  }

  async #offerWriting(
    terminal: Terminal,
    { itemId, cwd, background, turn, over }: EndedCommand,
    denials: readonly AttributedDenial[],
  ): Promise<void> {
    if (!/Read-only file system|\bEROFS\b/.test(terminal.output().text)) return;
    const place = await placeOf(this.options.folders, cwd);
    if (place === undefined) return;
    // Where it is known which paths were meant, and none is in the workspace, it was another wall.
    const isHere = (each: AttributedDenial) =>
      each.kind === 'writeFolder' && this.options.folders.some(folder => isInside(each.path, folder));
    if (denials.length > 0 && !denials.some(isHere)) return;
    const { folder } = place;
    if (this.options.access.writable(background).includes(folder)) return;
    if (background || turn.signal.aborted) {
      return terminal.note(
        `${folder} is read-only for this command: writing was not granted beyond this turn.`,
      );
    }
    const signal = AbortSignal.any([turn.signal, over]);
    const denial = await this.options.access.ensure({ place, operation: 'edit', itemId }, signal);
    terminal.note(denial ? stillReadOnly(folder, denial) : nowWritable(folder));
  }
}

function nowShown(folder: string, access: 'read' | 'write'): string {
  const what = access === 'read' ? 'reading' : 'changing';
  return `${folder} was not open to this command. The user has now allowed ${what} it: run the command again.`;
}

function nowWritable(folder: string): string {
  return `${folder} was read-only for this command. The user has now allowed writing there: run the command again.`;
}

function stillReadOnly(folder: string, { by, reason }: Denial): string {
  if (by !== 'user') return `${folder} is read-only. ${reason}`;
  return `${folder} is read-only, and the user did not allow writing there.${reason ? ` They say: ${reason}` : ''}`;
}
