import { chmodSync, closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type Sqlite from 'better-sqlite3';
import { CordonError } from '../base/errors.ts';
import { migrate } from './schema.ts';

/** An open database, and the place to which a damaged one was moved first, if that had to be. */
export interface OpenDatabase {
  readonly database: Sqlite.Database;
  readonly movedTo: string | undefined;
}

/**
 * Opens or creates the database: mode 0600, WAL, newest schema. A damaged file is moved aside under a new name and an
 * empty one takes its place. Throws CordonError `history.newer` or `history.open`.
 */
export function openDatabase(file: string): OpenDatabase {
  const before = identity(file);
  try {
    return { database: open(file), movedTo: undefined };
  } catch (error) {
    if (!isDamage(error)) throw openFailed(file, error);
    // Another window may have met the same damage and replaced the file already: only what we saw is moved.
    const movedTo = identity(file) === before ? moveAside(file) : undefined;
    try {
      return { database: open(file), movedTo };
    } catch (again) {
      throw openFailed(file, again);
    }
  }
}

/** Whether SQLite says that the file is not a sound database. */
export function isDamage(error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' && /^SQLITE_(CORRUPT|NOTADB)/.test(code);
}

function open(file: string): Sqlite.Database {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  // Created by us first, so that it never exists with a wider mode; SQLite gives -wal and -shm the same mode.
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  const database = new (sqlite())(file, { timeout: busyTimeout });
  try {
    database.pragma('journal_mode = WAL');
    // In WAL a killed process loses nothing that was committed; NORMAL only spares a sync for power cuts.
    database.pragma('synchronous = NORMAL');
    database.pragma('foreign_keys = ON');
    migrate(database);
    checkPages(database, file);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Reads the structure of every page once, so that damage is met here and not in the middle of a conversation. Skipped
 * for files so large that the window would be felt to hang; there, damage is met when it is read.
 */
function checkPages(database: Sqlite.Database, file: string): void {
  if (statSync(file).size > 64 * 1024 * 1024) return;
  const found: unknown = database.pragma('quick_check(1)', { simple: true });
  if (found !== 'ok') throw Object.assign(new Error(String(found)), { code: 'SQLITE_CORRUPT' });
}

/** Milliseconds that a write waits for another window's. */
const busyTimeout = 5_000;

/** The native module is loaded when the first history is opened, not when the extension starts. */
function sqlite(): typeof Sqlite {
  return createRequire(import.meta.url)('better-sqlite3') as typeof Sqlite;
}

function moveAside(file: string): string {
  const target = `${file}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
  renameSync(file, target);
  // The log belongs to the damaged file; replayed over the new one it would damage that as well.
  for (const suffix of ['-wal', '-shm'])
    if (identity(file + suffix)) renameSync(file + suffix, target + suffix);
  return target;
}

function identity(file: string): string | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats && `${stats.dev}:${stats.ino}`;
}

function openFailed(file: string, cause: unknown): CordonError {
  if (cause instanceof CordonError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CordonError(
    'history.open',
    `The conversation history in ${file} cannot be opened (${reason}).`,
    'Check that the folder can be written and has space, then try again.',
    { cause },
  );
}
