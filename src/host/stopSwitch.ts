import { existsSync, lstatSync, mkdirSync, rmSync, watch, writeFileSync, type FSWatcher } from 'node:fs';
import * as path from 'node:path';
import { Emitter } from '../base/emitter.ts';
import { CordonError } from '../base/errors.ts';

const name = 'stopped';

/**
 * "Stop everything": a file in a folder of ours, which every window of this user watches. It stays, over restarts too,
 * until somebody says that work may go on. Where the folder cannot be watched, the window that stopped still has.
 */
export class StopSwitch implements Disposable {
  /** It was turned, here or in another window. */
  readonly changed = new Emitter<void>();
  readonly #file: string;
  #isStopped: boolean;
  #watcher: FSWatcher | undefined;

  constructor(directory: string, onProblem: (error: unknown) => void) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#file = path.join(directory, name);
    this.#isStopped = isThere(this.#file);
    try {
      this.#watcher = watch(directory, { persistent: false }, (_, changed) => {
        if (changed === name || changed === null) this.#look();
      });
      this.#watcher.on('error', onProblem);
    } catch (error) {
      onProblem(error);
    }
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Throws `session.stopped`. To be asked before anything begins, and again when it took its time. */
  refuseWhenStopped(): void {
    if (this.#isStopped)
      throw new CordonError('session.stopped', 'Everything is stopped.', 'Choose "Cordon: Resume" to go on.');
  }

  /** Counts at once, whether or not it can be written down. Throws when it cannot. */
  stop(): void {
    this.#turn(true);
    writeFileSync(this.#file, '', { mode: 0o600 });
  }

  resume(): void {
    rmSync(this.#file, { force: true });
    this.#turn(false);
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
  }

  #look(): void {
    // Only that the file is not in its folder means that somebody resumed.
    if (existsSync(path.dirname(this.#file))) this.#turn(isThere(this.#file));
  }

  #turn(isStopped: boolean): void {
    if (isStopped === this.#isStopped) return;
    this.#isStopped = isStopped;
    this.changed.emit();
  }
}

/** What cannot be looked at is not nothing. */
function isThere(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}
