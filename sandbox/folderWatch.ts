import { watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { isSecretFile } from './secretFiles.ts';

/** Secret files that there are now, and the folders that they were sought in. */
export type Look = () => Promise<{
  readonly secrets: readonly string[];
  readonly folders: readonly string[];
}>;

/**
 * Tells of secret files in folders as they come to be: at once where the kernel watches the folder for us, else with
 * the next look around. What is there at the first look is told too.
 */
export class FolderWatch implements Disposable {
  readonly #watchers = new Map<string, FSWatcher>();
  #isClosed = false;
  #isComplete = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly look: Look,
    private readonly onSecrets: (paths: readonly string[]) => void,
    /** It cannot be told any more what there is; no further look is taken. */
    private readonly onBlind: (error: unknown) => undefined,
  ) {
    // Most commands are over before it is worth while.
    this.#lookIn(beforeFirst);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const each of this.#watchers.values()) each.close();
    this.#watchers.clear();
  }

  #lookIn(milliseconds: number): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#lookAround(), milliseconds).unref();
  }

  async #lookAround(): Promise<void> {
    const start = performance.now();
    const found = await this.look().catch((error: unknown) =>
      this.#isClosed ? undefined : this.onBlind(error),
    );
    if (this.#isClosed || found === undefined) return;
    const { secrets, folders } = found;
    this.onSecrets(secrets);
    const isNew = folders.some(each => !this.#watchers.has(each));
    this.#isComplete = folders.length <= mostWatched;
    for (const folder of folders.slice(0, mostWatched)) this.#watchFolder(folder);
    const took = performance.now() - start;
    // What came to be between the look and the watch is found by looking once more.
    const rest = this.#isComplete ? betweenLooks : betweenLooksWithoutWatch;
    this.#lookIn(isNew ? Math.max(20, took) : Math.max(rest, took * 20));
  }

  #watchFolder(folder: string): void {
    if (this.#watchers.has(folder)) return;
    try {
      const watcher = watch(folder, { persistent: false }, (event, name) => {
        if (event !== 'rename' || name === null) return;
        // A folder of that name is another one now, or none.
        this.#forget(join(folder, name));
        if (isSecretFile(name)) this.onSecrets([join(folder, name)]);
        // It may be a folder, with anything in it.
        else this.#lookIn(20);
      });
      watcher.on('error', () => this.#forget(folder));
      this.#watchers.set(folder, watcher);
    } catch {
      // The machine's number of watches is used up, or the folder is gone.
      this.#isComplete = false;
    }
  }

  #forget(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }
}

/** Milliseconds. */
const beforeFirst = 60;
const betweenLooks = 10_000;
const betweenLooksWithoutWatch = 1_000;

/** Editors need watches too; the machine has so many for each user. */
const mostWatched = 4_096;
