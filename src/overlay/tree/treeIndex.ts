import type { Entry } from '../entry.ts';
import type { OverlayRecord } from '../overlayRecord.ts';

/** Both sides of a path as they were when they were the same: `worked` where the agent writes, `origin` the other. */
export interface Known {
  readonly worked: string;
  readonly origin: string;
}

/**
 * What is known of a folder and its copy, path by path, so that whatever was touched since is found without reading a
 * single file. Kept in the record, and in memory as long as it is used.
 */
export class TreeIndex {
  readonly #known = new Map<string, Known>();
  readonly #unsaved = new Set<string>();

  constructor(private readonly record: OverlayRecord) {
    const rows = record.database.prepare('SELECT path, worked, origin FROM tree').all() as ({
      path: string;
    } & Known)[];
    for (const { path, worked, origin } of rows)
      this.#known.set(JSON.parse(path) as string, { worked, origin });
  }

  get paths(): IterableIterator<string> {
    return this.#known.keys();
  }

  find(path: string): Known | undefined {
    return this.#known.get(path);
  }

  set(path: string, known: Known): void {
    this.#known.set(path, known);
    this.#unsaved.add(path);
  }

  delete(path: string): void {
    if (this.#known.delete(path)) this.#unsaved.add(path);
  }

  clear(): void {
    this.#known.clear();
    this.#unsaved.clear();
    this.record.database.exec('DELETE FROM tree');
  }

  /** Writes what was set and deleted. */
  save(): void {
    if (this.#unsaved.size === 0) return;
    const { database } = this.record;
    const put = database.prepare('INSERT OR REPLACE INTO tree (path, worked, origin) VALUES (?, ?, ?)');
    const drop = database.prepare('DELETE FROM tree WHERE path = ?');
    database
      .transaction(() => {
        for (const path of this.#unsaved) {
          const known = this.#known.get(path);
          if (known) put.run(JSON.stringify(path), known.worked, known.origin);
          else drop.run(JSON.stringify(path));
        }
      })
      .immediate();
    this.#unsaved.clear();
  }
}

/**
 * Tells this state of a path from every other one without reading it. The time of the last change of the inode is part
 * of it: nobody can set that one, so content cannot be swapped behind its back.
 */
export function stampOf(entry: Entry | undefined): string {
  if (!entry) return 'nothing';
  if (entry.kind === 'symlink') return `symlink ${JSON.stringify(entry.target)}`;
  if (entry.kind === 'special') return 'special';
  if (entry.kind === 'directory') return `directory ${entry.mode.toString(8)}`;
  const { identity, changedAt } = entry.stamp;
  // Without the device: some file systems number themselves anew at each mount.
  const inode = identity.slice(identity.indexOf(':') + 1);
  return `file ${entry.mode.toString(8)} ${inode} ${changedAt}`;
}
