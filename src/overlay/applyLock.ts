import { closeSync, mkdirSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type Sqlite from 'better-sqlite3';
import { CordonError } from '../base/errors.ts';

/**
 * Runs `work` while no other window or command of this machine applies anything. The lock is SQLite's, which the kernel
 * lets go of when its holder dies. Waits for 30 s, then throws `apply.busy`.
 */
export async function withApplyLock<T>(directory: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = path.join(directory, 'lock.db');
  closeSync(openSync(file, 'a', 0o600));
  const Database = createRequire(import.meta.url)('better-sqlite3') as typeof Sqlite;
  // No waiting inside SQLite: it would hold up this whole process, whose own other apply may be the one to wait for.
  const database = new Database(file, { timeout: 0 });
  try {
    await begin(database);
    return await work();
  } finally {
    database.close();
  }
}

async function begin(database: Sqlite.Database): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      database.exec('BEGIN EXCLUSIVE');
      return;
    } catch (cause) {
      const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined;
      if (code !== 'SQLITE_BUSY') throw cause;
      if (Date.now() > deadline) throw busy(cause);
      await new Promise(resolve => setTimeout(resolve, 25));
    }
  }
}

function busy(cause: unknown): CordonError {
  return new CordonError(
    'apply.busy',
    'Another window or command has been applying changes for 30 seconds.',
    'Wait for it to end, then try again. Nothing was changed.',
    { cause },
  );
}
