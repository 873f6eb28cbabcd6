/** A command that goes on while the model does other things. */
export interface BackgroundCommand {
  /** Short, for the model: `1`, `2`, … */
  readonly id: string;
  readonly terminalId: string;
  readonly command: string;
  /** Output that the model has already read. */
  shown: string;
}

/** The background commands of this session. They outlive turns and end with the session, by the broker. */
export class BackgroundCommands {
  readonly #commands = new Map<string, BackgroundCommand>();
  #last = 0;

  add(terminalId: string, command: string): BackgroundCommand {
    const entry = { id: String(++this.#last), terminalId, command, shown: '' };
    this.#commands.set(entry.id, entry);
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
