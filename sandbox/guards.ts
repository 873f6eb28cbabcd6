import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTime } from './processTree.ts';

/**
 * Empty folders that stand, while a command runs, where a protected path must not come to be: a mount needs something
 * to lie on. They go when the last command that needs them ends. Several windows may hold the same one, so each
 * process writes down what it holds; what a dead process held is swept by the next.
 */
export class Guards implements Disposable {
  readonly #held = new Map<string, number>();
  readonly #directory: string;
  readonly #record: string;

  constructor(stateDirectory: string) {
    this.#directory = join(stateDirectory, 'guards');
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    this.#record = join(this.#directory, `${process.pid}-${startTime(process.pid) ?? 0}-${(serial += 1)}`);
    this.#sweep();
  }

  hold(paths: readonly string[]): void {
    if (paths.length === 0) return;
    for (const path of paths) this.#held.set(path, (this.#held.get(path) ?? 0) + 1);
    // Written down first: a crash in between leaves a note of what may be there, not a folder without a note.
    this.#write();
    for (const path of paths) makeFolder(path);
  }

  release(paths: readonly string[]): void {
    if (paths.length === 0) return;
    const free: string[] = [];
    for (const path of paths) {
      const count = (this.#held.get(path) ?? 1) - 1;
      if (count > 0) this.#held.set(path, count);
      else {
        this.#held.delete(path);
        free.push(path);
      }
    }
    const others = this.#heldByOthers();
    for (const path of free) if (!others.has(path)) removeFolder(path);
    this.#write();
  }

  [Symbol.dispose](): void {
    this.release([...this.#held].flatMap(([path, count]) => Array.from({ length: count }, () => path)));
    rmSync(this.#record, { force: true });
  }

  #write(): void {
    writeFileSync(this.#record, JSON.stringify([...this.#held.keys()]), { mode: 0o600 });
  }

  #heldByOthers(): Set<string> {
    const held = new Set<string>();
    for (const record of this.#records())
      if (record.lives && record.file !== this.#record) for (const path of record.paths) held.add(path);
    return held;
  }

  #sweep(): void {
    const held = this.#heldByOthers();
    for (const record of this.#records()) {
      if (record.lives) continue;
      for (const path of record.paths) if (!held.has(path)) removeFolder(path);
      rmSync(record.file, { force: true });
    }
  }

  #records(): { file: string; lives: boolean; paths: string[] }[] {
    return readdirSync(this.#directory).flatMap(name => {
      const [, pid, started] = /^(\d+)-(\d+)-\d+$/.exec(name) ?? [];
      if (pid === undefined) return [];
      const file = join(this.#directory, name);
      return [{ file, lives: String(startTime(Number(pid)) ?? 'gone') === started, paths: pathsIn(file) }];
    });
  }
}

let serial = 0;

function pathsIn(file: string): string[] {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(value) ? value.filter(each => typeof each === 'string') : [];
  } catch {
    return [];
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: guardMode });
  } catch {
    // There already: another window's, or the user made one this very moment; then the mount lies over that.
  }
}

/** Nobody makes a folder like this by chance, so an empty folder of the user's own is never taken for a guard. */
const guardMode = 0o555;

/** Only ever an empty folder of our making: anything else is somebody's. */
function removeFolder(path: string): void {
  try {
    if ((statSync(path).mode & 0o777) === guardMode) rmdirSync(path);
  } catch {
    // Not empty, or gone.
  }
}
