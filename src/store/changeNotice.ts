import { watch, writeFileSync, type FSWatcher } from 'node:fs';
import path from 'node:path';
import { randomId } from '../base/ids.ts';

/**
 * A file beside a store by which those who have it open, in whatever process, tell each other that it changed. It is
 * written after the change, so whoever hears of it finds it done. Who tells hears it too.
 */
export class ChangeNotice implements Disposable {
  readonly #file: string;
  readonly #watcher: FSWatcher | undefined;

  /** In an existing folder. Where that cannot be watched, `onProblem` is called and nothing is heard. */
  constructor(file: string, onChange: () => void, onProblem: (error: unknown) => void) {
    this.#file = file;
    try {
      this.#watcher = watch(path.dirname(file), { persistent: false }, (_, changed) => {
        if (changed === null || changed === path.basename(file)) onChange();
      });
      this.#watcher.on('error', onProblem);
    } catch (error) {
      onProblem(error);
    }
  }

  /** Throws when it cannot be written. */
  tell(): void {
    writeFileSync(this.#file, `${randomId()}\n`, { mode: 0o600 });
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
  }
}
