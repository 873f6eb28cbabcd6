import { identityOf } from '../../overlay/applySteps.ts';
import type { Change } from '../../overlay/changeset.ts';
import type { OverlayRecord } from '../../overlay/overlayRecord.ts';

/**
 * The changes that the user took over while the copy still holds them, by what the copy held then: written to since,
 * they are changes again.
 */
export class TakenChanges {
  constructor(private readonly database: OverlayRecord['database']) {}

  /** By path, the identity of what was taken over. */
  all(): ReadonlyMap<string, string> {
    const rows = this.database.prepare('SELECT path, identity FROM taken').all() as {
      path: string;
      identity: string;
    }[];
    return new Map(rows.map(({ path, identity }) => [JSON.parse(path) as string, identity]));
  }

  add(changes: readonly Change[]): void {
    const insert = this.database.prepare('INSERT OR REPLACE INTO taken (path, identity) VALUES (?, ?)');
    this.database
      .transaction(() => {
        for (const { path, after } of changes)
          insert.run(JSON.stringify(path), identityOf(after ?? undefined));
      })
      .immediate();
  }

  forget(paths: readonly string[]): void {
    const forget = this.database.prepare('DELETE FROM taken WHERE path = ?');
    for (const path of paths) forget.run(JSON.stringify(path));
  }

  clear(): void {
    this.database.exec('DELETE FROM taken');
  }
}
