import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ApplyOptions } from '../../../src/overlay/applyRun.ts';
import { removeTree } from '../../../src/base/removeTree.ts';
import type { Choice } from '../../../src/session/changes/changesEngine.ts';
import { DirectFolder } from '../../../src/session/changes/directFolder.ts';
import { openTrash, type Trash } from '../../../src/store/trash.ts';
import { scratch } from './scratch.ts';

/** A workspace in which the agent works itself. */
export class DirectScene implements AsyncDisposable {
  readonly root = scratch('direct');
  readonly real = path.join(this.root, 'real');
  readonly trash: Trash;
  readonly options: ApplyOptions;
  before: ((effect: string) => void) | undefined;
  folder!: DirectFolder;

  constructor(fill: (real: string) => void) {
    mkdirSync(this.real);
    fill(this.real);
    mkdirSync(path.join(this.root, 'session'));
    this.trash = openTrash(path.join(this.root, 'trash'));
    this.options = {
      journals: path.join(this.root, 'applies'),
      trash: this.trash,
      before: effect => this.before?.(effect),
    };
  }

  async open(): Promise<this> {
    if (this.folder as unknown) this.folder[Symbol.dispose]();
    this.folder = new DirectFolder(this.real, path.join(this.root, 'session'), work => work(this.options));
    await this.folder.open();
    return this;
  }

  /** What the agent does. */
  async agent(work: () => void): Promise<void> {
    await this.folder.beginChange();
    work();
    await this.folder.endChange();
  }

  /** What the user does: in another tick of the clock than what came before. */
  async user(work: () => void): Promise<void> {
    await new Promise(resolve => setTimeout(resolve, 25));
    work();
    await new Promise(resolve => setTimeout(resolve, 25));
  }

  at(name: string): string {
    return path.join(this.real, name);
  }

  read(name: string): string {
    return readFileSync(this.at(name), 'utf8');
  }

  async listed(): Promise<string[]> {
    return (await this.folder.review([])).changes.map(({ kind, path }) => `${kind} ${path}`);
  }

  async accept(...choices: Omit<Choice, 'folder'>[]): Promise<void> {
    const all = choices.map(each => ({ folder: this.real, ...each }));
    const { obstructions, apply } = await this.folder.prepare(all);
    if (obstructions.length > 0) throw new Error(JSON.stringify(obstructions));
    const { kind } = await apply(this.options);
    if (kind !== 'applied') throw new Error(kind);
  }

  /** As the engine does it. Returns what stood in the way. */
  async discard(...choices: Omit<Choice, 'folder'>[]): Promise<string[]> {
    const all = choices.map(each => ({ folder: this.real, ...each }));
    const problems = await this.folder.problemsOf(all);
    if (problems.length === 0) await this.folder.discard(all);
    return problems.map(({ path, words }) => `${path}: ${words}`);
  }

  async all(): Promise<{ path: string }[]> {
    return (await this.folder.review([])).changes.map(({ path }) => ({ path }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.folder[Symbol.dispose]();
    this.trash[Symbol.dispose]();
    removeTree(this.root);
  }
}
