import { chmodSync, constants, copyFileSync, lutimesSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { CordonError } from '../base/errors.ts';
import { randomId } from '../base/ids.ts';
import { setModeAt } from './anchoredFolder.ts';
import type { OverlayFolder } from './changeset.ts';
import { readUpperEntry, type Entry } from './entry.ts';
import { isCode } from './errorCodes.ts';
import { inUpper } from './inUpper.ts';
import type { OverlayRecord } from './overlayRecord.ts';
import { readUpperLayer, UpperLayer } from './upperLayer.ts';

export interface Checkpoint {
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly label: string;
}

/** What a checkpoint knows of one path. Contents lie in the record's store. */
const Held = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('whiteout') }),
  z.object({ kind: z.literal('directory'), mode: z.number() }),
  z.object({ kind: z.literal('symlink'), target: z.string() }),
  z.object({
    kind: z.literal('file'),
    mode: z.number(),
    /** Milliseconds: build tools go by it. */
    modifiedAt: z.number(),
    content: z.string(),
    /** Tells, without reading, that the file in the layer still holds this content. */
    identity: z.string(),
  }),
]);
export type Held = z.infer<typeof Held>;

/** A whole folder in the place of an overlay's layer: what it holds of its own, and the way back. */
export interface HeldTree {
  read(): Promise<ReadonlyMap<string, Entry | 'whiteout'>>;
  /** Makes it hold `target` instead of `now`, both by path; all of it or, when it throws, nothing. */
  restore(now: ReadonlyMap<string, Held>, target: ReadonlyMap<string, Held>): Promise<void>;
}

/**
 * Checkpoints of one overlay. Taking one reads and copies only files that were written since the last, and looks at
 * what the overlay holds; going back makes the overlay what it was, exactly. The user's folder and its repository are
 * neither read nor touched.
 */
export class Checkpoints {
  constructor(
    private readonly folder: OverlayFolder,
    private readonly record: OverlayRecord,
    private readonly tree?: HeldTree,
  ) {}

  /** Oldest first. */
  list(): Checkpoint[] {
    return this.record.database
      .prepare('SELECT id, at, label FROM checkpoints ORDER BY id')
      .all() as Checkpoint[];
  }

  /**
   * `merged`: where the merged folder can be read already, when it is mounted. A file that is being written meanwhile
   * is kept as it was at some moment of it.
   */
  async take(label: string, merged?: string): Promise<Checkpoint> {
    const layer = new Map(await (this.tree?.read() ?? readUpperLayer(this.folder, merged)));
    const known = this.#held('until IS NULL', []);
    const changed = new Map<string, Held>();
    for (const [inner, entry] of layer) {
      const old = known.get(inner);
      const held = this.#hold(inner, entry, old);
      if (held && JSON.stringify(held) !== JSON.stringify(old)) changed.set(inner, held);
      if (!held) layer.delete(inner);
    }
    const { database } = this.record;
    return database
      .transaction(() => {
        const at = Date.now();
        const { lastInsertRowid } = database
          .prepare('INSERT INTO checkpoints (at, label) VALUES (?, ?)')
          .run(at, label);
        const id = Number(lastInsertRowid);
        const end = database.prepare('UPDATE held SET until = ? WHERE path = ? AND until IS NULL');
        const begin = database.prepare('INSERT INTO held (path, since, until, entry) VALUES (?, ?, NULL, ?)');
        for (const inner of known.keys())
          if (!layer.has(inner) || changed.has(inner)) end.run(id, JSON.stringify(inner));
        for (const [inner, held] of changed) begin.run(JSON.stringify(inner), id, JSON.stringify(held));
        return { id, at, label };
      })
      .immediate();
  }

  /** The paths that came, went or were written to between two checkpoints: what a command or a turn changed. */
  changedBetween(from: number, to: number): string[] {
    const rows = this.record.database
      .prepare(
        `SELECT DISTINCT path FROM held
         WHERE (since > @from AND since <= @to) OR (until > @from AND until <= @to)`,
      )
      .pluck()
      .all({ from, to }) as string[];
    return rows.map(each => JSON.parse(each) as string).sort();
  }

  /**
   * Makes the overlay what it was at a checkpoint. It must not be mounted. What it is now becomes a checkpoint first, so
   * that going back can be undone; returns that one. Throws `checkpoint.unknown`, or `checkpoint.damaged` before anything
   * is changed.
   */
  async goBack(id: number): Promise<Checkpoint> {
    const wanted = this.list().find(each => each.id === id);
    if (!wanted) throw unknownCheckpoint(id);
    const left = await this.take(`Before going back to "${wanted.label}"`);
    const target = this.#held('since <= ? AND (until IS NULL OR until > ?)', [id, id]);
    const now = this.#held('until IS NULL', []);
    for (const [inner, held] of target)
      if (
        held.kind === 'file' &&
        !sameHeld(now.get(inner), held) &&
        !this.record.contents.isSound(held.content)
      )
        throw damaged(inner);
    if (this.tree) await this.tree.restore(now, target);
    else this.#restore(now, target);
    await this.take(`Back at "${wanted.label}"`);
    return left;
  }

  #restore(now: ReadonlyMap<string, Held>, target: ReadonlyMap<string, Held>): void {
    const upper = new UpperLayer(this.folder);
    const folders = [...now].filter(
      ([inner, held]) => held.kind === 'directory' && isFolder(target.get(inner)),
    );
    // From the inside out, so that a folder is moved with what it holds already right. What was a replaced folder's
    // hiding is whiteouts by name now; with its mark gone, they alone count.
    const gone = [...now.keys()].filter(inner => {
      const wanted = target.get(inner);
      return !wanted || !sameHeld(now.get(inner), wanted);
    });
    for (const [inner] of folders) this.#open(upper, inner);
    for (const inner of gone.toReversed()) {
      if (isFolder(now.get(inner)) && isFolder(target.get(inner))) continue;
      upper.remove(inner);
    }
    for (const [inner] of folders.toReversed()) upper.makePlain(inner);
    for (const [inner, held] of [...target].sort(outerFirst)) {
      if (readUpperEntry(`${this.folder.upper}/${inner}`) && sameHeld(now.get(inner), held)) continue;
      this.#put(upper, inner, held);
    }
    const inside = [...target].sort(outerFirst).toReversed();
    for (const [inner, held] of inside) if (held.kind === 'directory') upper.setMode(inner, held.mode);
  }

  /** The owner may enter and write while the restoring goes on; modes are set at its end. */
  #open(upper: UpperLayer, inner: string): void {
    const entry = readUpperEntry(`${this.folder.upper}/${inner}`);
    if (entry && entry !== 'whiteout' && entry.kind === 'directory') upper.setMode(inner, entry.mode | 0o700);
  }

  #put(upper: UpperLayer, inner: string, held: Held): void {
    const place = `${this.folder.upper}/${inner}`;
    switch (held.kind) {
      case 'whiteout':
        return readUpperEntry(place) ? undefined : upper.hide(inner);
      case 'directory':
        return readUpperEntry(place) ? undefined : upper.makeFolder(inner, held.mode | 0o700);
      case 'symlink':
        return upper.makeLink(inner, held.target);
      case 'file': {
        const temporary = path.join(path.dirname(this.folder.upper), `${randomId()}.tmp`);
        copyFileSync(this.record.contents.path(held.content), temporary, constants.COPYFILE_FICLONE);
        upper.give(temporary, inner);
        chmodSync(temporary, held.mode);
        lutimesSync(temporary, held.modifiedAt / 1_000, held.modifiedAt / 1_000);
        return upper.move(temporary, inner);
      }
    }
  }

  /** Undefined when it vanished meanwhile. */
  #hold(inner: string, entry: Entry | 'whiteout', old: Held | undefined): Held | undefined {
    if (entry === 'whiteout') return { kind: 'whiteout' };
    if (entry.kind === 'symlink') return { kind: 'symlink', target: entry.target };
    if (entry.kind === 'directory') return { kind: 'directory', mode: entry.mode };
    if (entry.kind !== 'file') return undefined;
    const { identity, modifiedAt } = entry.stamp;
    const common = {
      kind: 'file' as const,
      mode: entry.mode,
      modifiedAt: Number(modifiedAt / 1_000n) / 1_000,
    };
    // A file written within the clock's last tick could be written again without a trace: it is read again next time.
    const settled = BigInt(Date.now()) * 1_000_000n - modifiedAt > 20_000_000n;
    const known = settled ? identity : `${identity} fresh`;
    if (old?.kind === 'file' && old.identity === identity)
      return { ...common, content: old.content, identity };
    try {
      return {
        ...common,
        content: inUpper(this.folder, inner, place => this.#keep(place, entry.mode)),
        identity: known,
      };
    } catch (error) {
      if (isCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENOTSUP', 'overlay.moved')) return undefined;
      throw error;
    }
  }

  #keep(place: string, mode: number): string {
    const closed = (mode & 0o400) === 0;
    if (closed) setModeAt(place, mode | 0o400);
    try {
      return this.record.contents.put(place).hash;
    } finally {
      if (closed) setModeAt(place, mode);
    }
  }

  #held(where: string, values: readonly number[]): Map<string, Held> {
    const rows = this.record.database
      .prepare(`SELECT path, entry FROM held WHERE ${where}`)
      .all(...values) as { path: string; entry: string }[];
    return new Map(
      rows
        .map(({ path, entry }): [string, Held] => [JSON.parse(path) as string, Held.parse(JSON.parse(entry))])
        .sort(outerFirst),
    );
  }
}

export function sameHeld(one: Held | undefined, other: Held): boolean {
  if (one?.kind === 'file' && other.kind === 'file')
    return one.content === other.content && one.mode === other.mode && one.modifiedAt === other.modifiedAt;
  return JSON.stringify(one) === JSON.stringify(other);
}

function isFolder(held: Held | undefined): boolean {
  return held?.kind === 'directory';
}

function outerFirst([one]: [string, Held], [other]: [string, Held]): number {
  const [a, b] = [one.replaceAll('/', '\0'), other.replaceAll('/', '\0')];
  return a < b ? -1 : a > b ? 1 : 0;
}

function damaged(inner: string): CordonError {
  return new CordonError(
    'checkpoint.damaged',
    `What was kept of "${inner}" is damaged, perhaps by a power cut.`,
    'Choose another checkpoint.',
  );
}

function unknownCheckpoint(id: number): CordonError {
  return new CordonError(
    'checkpoint.unknown',
    `There is no checkpoint ${id}.`,
    'Choose one of those that are listed.',
  );
}
