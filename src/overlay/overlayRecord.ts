import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type Sqlite from 'better-sqlite3';
import { ObjectStore } from '../base/objectStore.ts';

/** What is kept beside an overlay's layers: what the agent worked from, and its checkpoints. */
export interface OverlayRecord extends Disposable {
  readonly database: Sqlite.Database;
  readonly contents: ObjectStore;
}

/** Opens or creates it in the folder that holds the layers. Files are 0600. */
export function openOverlayRecord(upper: string): OverlayRecord {
  return openRecord(path.dirname(upper));
}

/** Opens or creates it in this folder of the broker's. */
export function openRecord(directory: string): OverlayRecord {
  const file = path.join(directory, 'record.db');
  // Created by us first, so that it never exists with a wider mode.
  closeSync(openSync(file, 'a', 0o600));
  const Database = createRequire(import.meta.url)('better-sqlite3') as typeof Sqlite;
  const database = new Database(file, { timeout: 5_000 });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  database.exec(schema);
  return {
    database,
    // The layers themselves are not synced either.
    contents: new ObjectStore(path.join(directory, 'contents'), { durable: false }),
    [Symbol.dispose]: () => void database.close(),
  };
}

// Paths are JSON: names that are not UTF-8 hold what SQLite's text would lose.
const schema = `
CREATE TABLE IF NOT EXISTS bases (
  path TEXT PRIMARY KEY,
  -- An identity as applySteps knows it; 'unknown' when the user changed it while the agent worked.
  identity TEXT NOT NULL,
  -- SHA-256 of the content, when it was kept.
  content TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS looks (
  -- Milliseconds since the epoch: every difference there was then has a base.
  at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS checkpoints (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  label TEXT NOT NULL
) STRICT;
-- What the upper layer held at a path from one checkpoint (included) to another (not included; null: still).
CREATE TABLE IF NOT EXISTS held (
  path TEXT NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER,
  entry TEXT NOT NULL,
  PRIMARY KEY (path, since)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS held_now ON held (until);
-- What the user took over, and the identity it had in the upper layer then: it need not lie there any more.
CREATE TABLE IF NOT EXISTS taken (
  path TEXT PRIMARY KEY,
  identity TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- Of a copy that is a whole folder: both sides of each path as they were when they were the same.
CREATE TABLE IF NOT EXISTS tree (
  path TEXT PRIMARY KEY,
  worked TEXT NOT NULL,
  origin TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- Paths that were not copied, and why. What becomes of them is not told.
CREATE TABLE IF NOT EXISTS left_out (
  path TEXT PRIMARY KEY,
  why TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- Of work in the user's own files: how the agent left what it changed.
CREATE TABLE IF NOT EXISTS theirs (
  path TEXT PRIMARY KEY,
  stamp TEXT NOT NULL,
  content TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;
