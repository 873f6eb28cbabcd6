import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type Sqlite from 'better-sqlite3';
import { Emitter } from '../base/emitter.ts';
import { CordonError } from '../base/errors.ts';
import { ChangeNotice } from './changeNotice.ts';

/** What the user said for good of one path outside of the workspace. Times in milliseconds since the epoch. */
export interface StoredGrant {
  readonly id: number;
  /** Absolute, without links. */
  readonly path: string;
  readonly access: 'read' | 'write';
  readonly answer: 'always' | 'never';
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  readonly uses: number;
}

/** Answers that outlive a restart, by workspace: what was allowed in one counts for no other. */
export interface GrantStore extends Disposable {
  /** An answer came or went, by this process or another one. Uses are not told. */
  readonly changed: Emitter<void>;
  /** Oldest first. */
  list(workspace: string): StoredGrant[];
  /** Keeps an answer; an earlier one for the same path and access gives way. */
  put(workspace: string, grant: Pick<StoredGrant, 'path' | 'access' | 'answer' | 'createdAt'>): void;
  /** Counts one use. */
  use(id: number, at: number): void;
  delete(id: number): void;
  /** Folders that were allowed here, in whatever way, the last one first. */
  recent(workspace: string): string[];
  remember(workspace: string, folder: string, at: number): void;
}

/**
 * Opens or creates the store: 0600, several processes may have it open. `onProblem` is told when what the others do can
 * not be followed; it is found at the next look then. Throws CordonError `grants.open`.
 */
export function openGrants(file: string, onProblem: (error: unknown) => void = () => {}): GrantStore {
  try {
    return new SqliteGrants(open(file), `${file}.changed`, onProblem);
  } catch (cause) {
    throw new CordonError(
      'grants.open',
      `The grants in ${file} cannot be opened (${cause instanceof Error ? cause.message : String(cause)}).`,
      'Until they can, nothing outside of the workspace is open to the agent without a question. Move the file away to begin anew.',
      { cause },
    );
  }
}

class SqliteGrants implements GrantStore {
  readonly changed = new Emitter<void>();
  readonly #notice: ChangeNotice;

  constructor(
    private readonly database: Sqlite.Database,
    notice: string,
    private readonly onProblem: (error: unknown) => void,
  ) {
    this.#notice = new ChangeNotice(notice, () => this.changed.emit(), onProblem);
  }

  list(workspace: string): StoredGrant[] {
    const rows = this.database
      .prepare(
        `SELECT id, path, access, answer, created_at AS createdAt, last_used_at AS lastUsedAt, uses
         FROM grants WHERE workspace = ? ORDER BY id`,
      )
      .all(workspace) as StoredGrant[];
    return rows.map(row => ({ ...row, path: JSON.parse(row.path) as string }));
  }

  put(workspace: string, grant: Pick<StoredGrant, 'path' | 'access' | 'answer' | 'createdAt'>): void {
    this.database
      .prepare(
        `INSERT INTO grants (workspace, path, access, answer, created_at) VALUES (@workspace, @path, @access, @answer, @createdAt)
         ON CONFLICT (workspace, path, access) DO UPDATE
         SET answer = excluded.answer, created_at = excluded.created_at, last_used_at = NULL, uses = 0`,
      )
      .run({ ...grant, workspace, path: JSON.stringify(grant.path) });
    this.#tell();
  }

  use(id: number, at: number): void {
    this.database.prepare('UPDATE grants SET uses = uses + 1, last_used_at = ? WHERE id = ?').run(at, id);
  }

  delete(id: number): void {
    this.database.prepare('DELETE FROM grants WHERE id = ?').run(id);
    this.#tell();
  }

  recent(workspace: string): string[] {
    const rows = this.database
      .prepare('SELECT path FROM recent WHERE workspace = ? ORDER BY at DESC LIMIT ?')
      .pluck()
      .all(workspace, mostRecent) as string[];
    return rows.map(row => JSON.parse(row) as string);
  }

  remember(workspace: string, folder: string, at: number): void {
    this.database
      .transaction(() => {
        this.database
          .prepare('INSERT OR REPLACE INTO recent (workspace, path, at) VALUES (?, ?, ?)')
          .run(workspace, JSON.stringify(folder), at);
        this.database
          .prepare(
            `DELETE FROM recent WHERE workspace = @workspace AND path NOT IN
             (SELECT path FROM recent WHERE workspace = @workspace ORDER BY at DESC LIMIT @most)`,
          )
          .run({ workspace, most: mostRecent });
      })
      .immediate();
  }

  [Symbol.dispose](): void {
    this.#notice[Symbol.dispose]();
    this.database.close();
  }

  /** What is stored counts, whether or not the others hear of it at once. */
  #tell(): void {
    try {
      this.#notice.tell();
    } catch (error) {
      this.onProblem(error);
    }
  }
}

/** Recent folders that are kept of one workspace. */
const mostRecent = 8;

function open(file: string): Sqlite.Database {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  // Created by us first, so that it never exists with a wider mode.
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  const Database = createRequire(import.meta.url)('better-sqlite3') as typeof Sqlite;
  const database = new Database(file, { timeout: 5_000 });
  try {
    database.pragma('journal_mode = WAL');
    // A grant that was taken back must not come again with the power.
    database.pragma('synchronous = FULL');
    const version = database.pragma('user_version', { simple: true });
    if (version !== 0 && version !== 1) throw new Error('it was written by a newer version of Cordon');
    database.exec(schema);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

// Paths are kept as JSON: names that are not UTF-8 hold what SQLite's text would lose.
const schema = `
CREATE TABLE IF NOT EXISTS grants (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  workspace TEXT NOT NULL,
  path TEXT NOT NULL,
  access TEXT NOT NULL CHECK (access IN ('read', 'write')),
  answer TEXT NOT NULL CHECK (answer IN ('always', 'never')),
  created_at INTEGER NOT NULL,
  last_used_at INTEGER,
  uses INTEGER NOT NULL DEFAULT 0,
  UNIQUE (workspace, path, access)
) STRICT;
CREATE TABLE IF NOT EXISTS recent (
  workspace TEXT NOT NULL,
  path TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (workspace, path)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
`;
