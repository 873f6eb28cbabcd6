/** A file for one more run of a command. `state`: whether that has begun. */
interface Once {
  readonly path: string;
  readonly command: string;
  readonly cwd: string;
  readonly createdAt: number;
  state: 'waiting' | 'running';
}

/** What one command sees; `over` is to be called when it is over, or was never started. */
export interface Sight {
  readonly paths: readonly string[];
  readonly over: () => void;
}

/** One file that is shown: to all of the session, or to one more run of this command. */
export interface ShownFile {
  readonly path: string;
  readonly createdAt: number;
  readonly command: string | undefined;
}

/** Hidden files that the user shows to the agent, each by its name: for the session, or for one run of a command. */
export class ShownFiles {
  /** Since when, in milliseconds since the epoch. */
  readonly #session = new Map<string, number>();
  readonly #once = new Set<Once>();

  /** To commands, and to the agent's reading, until the session ends. */
  show(path: string): void {
    this.#session.set(path, Date.now());
  }

  /** To this very command line in this folder, when it runs the next time, and to no other. */
  showOnce(path: string, command: string, cwd: string): void {
    this.#once.add({ path, command, cwd, createdAt: Date.now(), state: 'waiting' });
  }

  /** Hides a file again, from what runs too. */
  hide(path: string): void {
    this.#session.delete(path);
    for (const each of this.#once) if (each.path === path) this.#once.delete(each);
  }

  isShown(path: string): boolean {
    return this.#session.has(path);
  }

  /** For a command that is about to be started: what is for its one run is used up by it. */
  take(command: string, cwd: string): Sight {
    const mine = [...this.#once].filter(
      each => each.state === 'waiting' && each.command === command && each.cwd === cwd,
    );
    for (const each of mine) each.state = 'running';
    return {
      paths: [...new Set([...this.#session.keys(), ...mine.map(({ path }) => path)])],
      over: () => {
        for (const each of mine) this.#once.delete(each);
      },
    };
  }

  /** What commands that run may still see. */
  get running(): string[] {
    const once = [...this.#once].filter(({ state }) => state === 'running');
    return [...this.#session.keys(), ...once.map(({ path }) => path)];
  }

  list(): ShownFile[] {
    return [
      ...[...this.#session].map(([path, createdAt]) => ({ path, createdAt, command: undefined })),
      ...[...this.#once].map(({ path, createdAt, command }) => ({ path, createdAt, command })),
    ];
  }
}
