import type { TerminalExitStatus } from '@agentclientprotocol/sdk';

/** A command that goes on while the model does other things. */
export interface BackgroundCommand {
  /** Short, for the model: `1`, `2`, … */
  readonly id: string;
  readonly terminalId: string;
  readonly command: string;
  /** How it ended, once it has. */
  exit: TerminalExitStatus | undefined;
  /** Output that the model has already read. */
  shown: string;
}

/** The background commands of this session. They outlive turns and end with the session, by the broker. */
export class BackgroundCommands {
  readonly #commands = new Map<string, BackgroundCommand>();
  #last = 0;

  /** `exited` settles when the command ends; a rejection means that nobody can tell how. */
  add(terminalId: string, command: string, exited: Promise<TerminalExitStatus>): BackgroundCommand {
    const entry: BackgroundCommand = {
      id: String(++this.#last),
      terminalId,
      command,
      exit: undefined,
      shown: '',
    };
    this.#commands.set(entry.id, entry);
    exited.then(
      exit => (entry.exit = exit),
      () => (entry.exit = {}),
    );
    return entry;
  }

  get(id: string): BackgroundCommand | undefined {
    return this.#commands.get(id);
  }

  remove(id: string): void {
    this.#commands.delete(id);
  }

  /** `1 (npm run watch), 2 (…)`, or `none`. */
  describe(): string {
    if (this.#commands.size === 0) return 'none';
    return [...this.#commands.values()]
      .map(entry => `${entry.id} (${entry.command.slice(0, 80)})`)
      .join(', ');
  }
}
