import { readFileSync } from 'node:fs';
import type { Layer, OverlayFolder } from '../../overlay/changeset.ts';
import type { Entry } from '../../overlay/entry.ts';
import { inUpper } from '../../overlay/inUpper.ts';
import type { OverlayRecord } from '../../overlay/overlayRecord.ts';
import { identityOf } from '../../overlay/applySteps.ts';

/**
 * How the agent left each path that it changed in the user's own folder, so that what the user does to the same path
 * afterwards is known for what it is.
 */
export class Traces {
  constructor(
    private readonly layers: OverlayFolder,
    private readonly record: OverlayRecord,
  ) {}

  has(path: string): boolean {
    return this.#find(path) !== undefined;
  }

  /** Whether the path is not as the agent left it. False when it left no trace there. */
  isOtherwise(path: string, now: Entry | undefined): boolean {
    const trace = this.#find(path);
    return trace !== undefined && trace.stamp !== stateOf(now);
  }

  /** What the agent wrote there, if it was kept. */
  content(path: string): Buffer | undefined {
    const hash = this.#find(path)?.content;
    const { contents } = this.record;
    return typeof hash === 'string' && contents.isSound(hash) ? readFileSync(contents.path(hash)) : undefined;
  }

  /** These are as the agent left them, now. */
  note(layer: Layer): void {
    const insert = this.record.database.prepare(
      'INSERT OR REPLACE INTO theirs (path, stamp, content) VALUES (?, ?, ?)',
    );
    const rows: [string, string, string | null][] = [];
    for (const [path, held] of layer) {
      const entry = held === 'whiteout' ? undefined : held;
      const stamp = stateOf(entry);
      if (this.#find(path)?.stamp !== stamp)
        rows.push([JSON.stringify(path), stamp, this.#keep(path, entry)]);
    }
    this.record.database.transaction(() => rows.forEach(row => insert.run(...row))).immediate();
  }

  forget(paths: Iterable<string>): void {
    const drop = this.record.database.prepare('DELETE FROM theirs WHERE path = ?');
    this.record.database
      .transaction(() => {
        for (const path of paths) drop.run(JSON.stringify(path));
      })
      .immediate();
  }

  /** Forgets what is no change any more. */
  keepOnly(layer: Layer): void {
    const paths = this.record.database.prepare('SELECT path FROM theirs').pluck().all() as string[];
    this.forget(paths.map(each => JSON.parse(each) as string).filter(each => !layer.has(each)));
  }

  #find(path: string): { readonly stamp: string; readonly content: string | null } | undefined {
    return this.record.database
      .prepare('SELECT stamp, content FROM theirs WHERE path = ?')
      .get(JSON.stringify(path)) as { stamp: string; content: string | null } | undefined;
  }

  #keep(path: string, entry: Entry | undefined): string | null {
    if (entry?.kind !== 'file' || entry.size > largest) return null;
    try {
      return inUpper(this.layers, path, place => this.record.contents.put(place).hash);
    } catch {
      // It is gone, or there is no room: a later conflict will not be joined.
      return null;
    }
  }
}

/**
 * Without the time of the inode's last change: a link to the file that comes or goes is nobody's edit of it, and users
 * have no reason to set times back.
 */
function stateOf(entry: Entry | undefined): string {
  return `${identityOf(entry)} ${entry && 'mode' in entry ? entry.mode.toString(8) : ''}`;
}

/** Bytes of a file that is kept for a merge. */
const largest = 4 * 1024 * 1024;
