import { closeSync, mkdirSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type Sqlite from 'better-sqlite3';
import { ObjectStore } from '../base/objectStore.ts';

/** What was overwritten or deleted at one path. What was made there is noted as well, so that it can be undone. */
export interface TrashItem {
  readonly id: number;
  /** What was thrown away together. */
  readonly batch: string;
  /** Absolute workspace folder, and the path in it with `/`. */
  readonly folder: string;
  readonly path: string;
  /** `made`: nothing was there; `mode`: only the permissions changed, and these are the old ones. */
  readonly why: 'overwritten' | 'deleted' | 'made' | 'mode';
  readonly kind: 'file' | 'symlink' | 'directory';
  readonly mode: number;
  /** Bytes; 0 for what is not a file. */
  readonly size: number;
  /** SHA-256 of a file's content in hexadecimal digits; the target of a link. */
  readonly content: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface TrashBounds {
  /** Bytes kept at most; the oldest go first. The newest batch is kept whole, however large. */
  readonly maxBytes: number;
  /** Milliseconds an item is kept at most. */
  readonly maxAge: number;
}

export const defaultTrashBounds: TrashBounds = { maxBytes: 2 * 1024 ** 3, maxAge: 30 * 24 * 60 * 60 * 1_000 };

/**
 * What was overwritten and deleted: contents by their hash in `objects`, an SQLite index beside; all of it 0600. A batch
 * is noted first and counts when it is kept, so that what was never done is not listed.
 */
export interface Trash extends Disposable {
  /**
   * Copies a file's content into the store and syncs it. Returns the hash. The place is read without following a link.
   * Throws what the file system says (ENOSPC among it).
   */
  store(place: string): { content: string; size: number };
  /** Writes down a batch that is about to be thrown away. */
  note(batch: string, items: readonly Omit<TrashItem, 'id' | 'batch' | 'at'>[]): void;
  /** It was thrown away. Then the bounds are kept. */
  keep(batch: string): void;
  /** It was not. */
  forget(batch: string): void;
  /** What was overwritten and deleted, newest first. */
  list(folder?: string): TrashItem[];
  /** All that is noted of a batch, named by its id or at least 8 digits of its beginning. */
  batch(id: string): TrashItem[];
  /** Host path of the content of a file of the trash. */
  contentPath(item: TrashItem): string;
  /** Drops what the bounds do not allow, and contents that nothing names. Returns the number of items dropped. */
  prune(now?: number): number;
}

/** Opens or creates the trash in a folder of the broker's. Several processes may have it open. */
export function openTrash(directory: string, bounds: TrashBounds = defaultTrashBounds): Trash {
  return new StoredTrash(directory, bounds);
}

class StoredTrash implements Trash {
  readonly #database: Sqlite.Database;
  readonly #objects: ObjectStore;

  constructor(
    directory: string,
    private readonly bounds: TrashBounds,
  ) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#objects = new ObjectStore(path.join(directory, 'objects'));
    const file = path.join(directory, 'index.db');
    // Created by us first, so that it never exists with a wider mode.
    closeSync(openSync(file, 'a', 0o600));
    const Database = createRequire(import.meta.url)('better-sqlite3') as typeof Sqlite;
    this.#database = new Database(file, { timeout: 5_000 });
    this.#database.pragma('journal_mode = WAL');
    // What is noted here must outlive a power cut: the file it tells of is deleted next.
    this.#database.pragma('synchronous = FULL');
    this.#database.exec(schema);
  }

  store(place: string): { content: string; size: number } {
    const { hash, size } = this.#objects.put(place);
    return { content: hash, size };
  }

  note(batch: string, items: readonly Omit<TrashItem, 'id' | 'batch' | 'at'>[]): void {
    const insert = this.#database.prepare(
      `INSERT INTO items (batch, folder, path, why, kind, mode, size, content, at, kept)
       VALUES (@batch, @folder, @path, @why, @kind, @mode, @size, @content, @at, 0)`,
    );
    const at = Date.now();
    this.#database
      .transaction(() => {
        // Paths are kept as JSON: names that are not UTF-8 hold what SQLite's text would lose.
        for (const item of items)
          insert.run({
            ...item,
            folder: JSON.stringify(item.folder),
            path: JSON.stringify(item.path),
            content: JSON.stringify(item.content),
            batch,
            at,
          });
      })
      .immediate();
  }

  keep(batch: string): void {
    this.#database.prepare('UPDATE items SET kept = 1 WHERE batch = ?').run(batch);
    this.prune();
  }

  forget(batch: string): void {
    this.#database.prepare('DELETE FROM items WHERE batch = ? AND kept = 0').run(batch);
  }

  list(folder?: string): TrashItem[] {
    const rows = this.#database
      .prepare(
        `SELECT id, batch, folder, path, why, kind, mode, size, content, at FROM items
         WHERE kept = 1 AND why IN ('overwritten', 'deleted') AND (@folder IS NULL OR folder = @folder) ORDER BY id DESC`,
      )
      .all({ folder: folder === undefined ? null : JSON.stringify(folder) }) as TrashItem[];
    return rows.map(decoded);
  }

  batch(id: string): TrashItem[] {
    if (!/^[0-9a-f]{8,64}$/.test(id)) return [];
    const rows = this.#database
      .prepare(
        `SELECT id, batch, folder, path, why, kind, mode, size, content, at FROM items
         WHERE kept = 1 AND batch GLOB ? ORDER BY id DESC`,
      )
      .all(`${id}*`) as TrashItem[];
    return rows.map(decoded);
  }

  contentPath(item: TrashItem): string {
    return this.#objects.path(item.content);
  }

  prune(now = Date.now()): number {
    return this.#database
      .transaction(() => {
        const newest = this.#database.prepare(
          'SELECT max(batch) FROM items WHERE id = (SELECT max(id) FROM items)',
        );
        const { changes } = this.#database
          .prepare(
            `WITH sized AS (SELECT id, batch, at, kept, sum(size) OVER (ORDER BY id DESC) AS total FROM items)
             DELETE FROM items WHERE id IN (
               SELECT id FROM sized WHERE (at < @oldest) OR (kept = 1 AND total > @maxBytes AND batch <> @newest))`,
          )
          .run({
            oldest: now - this.bounds.maxAge,
            maxBytes: this.bounds.maxBytes,
            newest: newest.pluck().get() ?? '',
          });
        if (changes > 0) this.#sweep(now);
        return changes;
      })
      .immediate();
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  /** Within a transaction, so that no other process notes what is being dropped. */
  #sweep(now: number): void {
    const contents = this.#database.prepare(`SELECT DISTINCT content FROM items WHERE kind = 'file'`);
    this.#objects.sweep(
      new Set((contents.pluck().all() as string[]).map(content => JSON.parse(content) as string)),
      now,
    );
  }
}

function decoded(row: TrashItem): TrashItem {
  return {
    ...row,
    folder: JSON.parse(row.folder) as string,
    path: JSON.parse(row.path) as string,
    content: JSON.parse(row.content) as string,
  };
}

const schema = `
CREATE TABLE IF NOT EXISTS items (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  batch TEXT NOT NULL,
  folder TEXT NOT NULL,
  path TEXT NOT NULL,
  why TEXT NOT NULL,
  kind TEXT NOT NULL,
  mode INTEGER NOT NULL,
  size INTEGER NOT NULL,
  content TEXT NOT NULL,
  at INTEGER NOT NULL,
  kept INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS items_by_batch ON items (batch);
`;
