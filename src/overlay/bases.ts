import { lstatSync, readFileSync } from 'node:fs';
import { encodePath } from '../base/fileName.ts';
import { identityOf } from './applySteps.ts';
import { AnchoredFolder } from './anchoredFolder.ts';
import type { Changeset, OverlayFolder } from './changeset.ts';
import { hashFile } from './content.ts';
import { readEntry, type Entry } from './entry.ts';
import type { OverlayRecord } from './overlayRecord.ts';

/**
 * What the agent worked from, path by path: how the user's folder was when the path was first seen to differ. It is
 * noted at every look at the changes, so that what the user does to the same file afterwards is known for what it is.
 */
export class Bases {
  constructor(
    private readonly folder: OverlayFolder,
    private readonly record: OverlayRecord,
    /** Whether the agent was given the path as it is now, where that is known; else the times of files tell. */
    private readonly wasGiven?: (path: string, now: Entry) => boolean,
  ) {}

  /**
   * Notes the base of every change that has none. `lookedAt` is when the reading of the changeset began, in
   * milliseconds. A file that the user wrote to since the look before has no sure base: the agent may have read it
   * before that or after.
   */
  async note(changeset: Changeset, lookedAt: number): Promise<void> {
    const since = this.#lastLook();
    const found: { path: string; identity: string; content: string | null }[] = [];
    for (const { path, before, after, kind, binary } of changeset.changes) {
      if (this.find(path)) continue;
      if (before && (this.wasGiven ? !this.wasGiven(path, before) : before.stamp.changedAt >= since)) {
        found.push({ path, identity: unknown, content: null });
        continue;
      }
      const mergeable =
        kind === 'modified' && !binary && before?.kind === 'file' && after && before.size <= largest;
      const content = mergeable ? this.#keep(path, before) : null;
      found.push({ path, identity: identityOf(before ?? undefined), content });
    }
    const { database } = this.record;
    const insert = database.prepare(
      'INSERT OR REPLACE INTO bases (path, identity, content) VALUES (?, ?, ?)',
    );
    const differing = new Set(changeset.changes.map(({ path }) => JSON.stringify(path)));
    const paths = database.prepare('SELECT path FROM bases').pluck().all() as string[];
    database
      .transaction(() => {
        for (const { path, identity, content } of found) insert.run(JSON.stringify(path), identity, content);
        // What is the same on both sides now will be worked from anew.
        const forget = database.prepare('DELETE FROM bases WHERE path = ?');
        for (const path of paths) if (!differing.has(path)) forget.run(path);
        database.exec('DELETE FROM looks');
        database.prepare('INSERT INTO looks (at) VALUES (?)').run(lookedAt);
      })
      .immediate();
  }

  find(path: string): { readonly identity: string; readonly content: string | null } | undefined {
    return this.record.database
      .prepare('SELECT identity, content FROM bases WHERE path = ?')
      .get(JSON.stringify(path)) as { identity: string; content: string | null } | undefined;
  }

  /** Whether the user's file is still what the agent worked from; false when that is not known. */
  async isSame(path: string, now: Entry | null): Promise<boolean> {
    const base = this.find(path);
    if (!base) return true;
    if (base.identity === identityOf(now ?? undefined)) return true;
    if (now?.kind !== 'file' || base.content === null) return false;
    // Written again with the same content: saved, checked out, or copied.
    return base.content === (await hashFile(`${this.folder.lower}/${path}`).catch(() => undefined));
  }

  /** The content that the agent worked from, if it was kept. */
  content(path: string): Buffer | undefined {
    const hash = this.find(path)?.content;
    const { contents } = this.record;
    return typeof hash === 'string' && contents.isSound(hash) ? readFileSync(contents.path(hash)) : undefined;
  }

  /** The agent worked from this text, which lies on no disk. */
  from(path: string, text: string): void {
    const { database, contents } = this.record;
    const { hash } = contents.putText(text);
    database
      .prepare('INSERT OR REPLACE INTO bases (path, identity, content) VALUES (?, ?, ?)')
      .run(JSON.stringify(path), 'text', hash);
  }

  /** After these were applied, in whole or in part: the agent's next change starts from what the user has now. */
  applied(paths: readonly string[]): void {
    const { database } = this.record;
    const insert = database.prepare(
      'INSERT OR REPLACE INTO bases (path, identity, content) VALUES (?, ?, ?)',
    );
    database
      .transaction(() => {
        for (const path of paths) {
          const entry = readEntry(`${this.folder.lower}/${path}`);
          const keep = entry?.kind === 'file' && entry.size <= largest;
          insert.run(JSON.stringify(path), identityOf(entry), keep ? this.#keep(path, entry) : null);
        }
      })
      .immediate();
  }

  #keep(path: string, before: Entry): string | null {
    try {
      using anchored = new AnchoredFolder(this.folder.lower);
      const { hash } = anchored.at(path, place => this.record.contents.put(place));
      // It is the base only if it did not change while it was copied.
      return identityOf(readEntry(`${this.folder.lower}/${path}`)) === identityOf(before) ? hash : null;
    } catch {
      // It cannot be read, or there is no room: a later conflict will be shown without a merge.
      return null;
    }
  }

  /** Nanoseconds: whatever the user's folder held then was there before any change that is not noted. */
  #lastLook(): bigint {
    const at = this.record.database.prepare('SELECT at FROM looks').pluck().get() as number | undefined;
    // The kernel stamps files with its last tick, at most 10 ms back.
    if (at !== undefined) return BigInt(at - 10) * 1_000_000n;
    // The upper layer was made when the overlay was; where the file system does not say when, the link beside it tells.
    const made = (path: string) => lstatSync(encodePath(path), { bigint: true, throwIfNoEntry: false });
    const { upper } = this.folder;
    return made(upper)?.birthtimeNs || (made(`${upper}/../lower`)?.ctimeNs ?? 0n);
  }
}

const unknown = 'unknown';

/** Bytes of a file whose content is kept for a merge. */
const largest = 4 * 1024 * 1024;
