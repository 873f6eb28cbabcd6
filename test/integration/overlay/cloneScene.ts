import { mkdirSync, mkdtempSync } from 'node:fs';
import path from 'node:path';
import { removeTree } from '../../../src/base/removeTree.ts';
import { ClonedFolder, cloneIn } from '../../../src/session/changes/clonedFolder.ts';
import { openTrash, type Trash } from '../../../src/store/trash.ts';

/** A workspace and a clone of it. */
export class CloneScene implements AsyncDisposable {
  readonly root: string;
  readonly real: string;
  readonly directory: string;
  readonly clone: string;
  readonly options: { journals: string; trash: Trash };
  folder!: ClonedFolder;

  /** `disk`: a folder on a file system that can clone. */
  constructor(disk: string, fill: (real: string) => void) {
    this.root = mkdtempSync(path.join(disk, 's-'));
    this.real = path.join(this.root, 'real');
    this.directory = path.join(this.root, 'session');
    this.clone = cloneIn(this.directory);
    mkdirSync(this.real);
    mkdirSync(this.directory);
    fill(this.real);
    this.options = {
      journals: path.join(this.root, 'applies'),
      trash: openTrash(path.join(this.root, 'trash')),
    };
  }

  async open(): Promise<this> {
    if (this.folder as unknown) this.folder[Symbol.dispose]();
    this.folder = new ClonedFolder(this.real, this.directory, this.options.journals);
    await this.folder.open();
    return this;
  }

  async listed(): Promise<string[]> {
    return (await this.folder.review([])).changes.map(({ kind, path }) => `${kind} ${path}`);
  }

  async acceptAll(): Promise<void> {
    const { changes } = await this.folder.review([]);
    const choices = changes.map(({ folder, path }) => ({ folder, path, isConfirmed: true }));
    const { obstructions, apply } = await this.folder.prepare(choices);
    if (obstructions.length > 0) throw new Error(JSON.stringify(obstructions));
    const { kind } = await apply(this.options);
    if (kind !== 'applied') throw new Error(kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.folder[Symbol.dispose]();
    this.options.trash[Symbol.dispose]();
    removeTree(this.root);
  }
}
