import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { protectionOf } from '../../../sandbox/protectedPaths.ts';
import { obstacleWords, prepareAcceptance, type Accepted } from '../../overlay/acceptance.ts';
import { applyChanges } from '../../overlay/apply.ts';
import type { ApplyOptions } from '../../overlay/applyRun.ts';
import { identityOf } from '../../overlay/applySteps.ts';
import { Bases } from '../../overlay/bases.ts';
import type { Change, OverlayFolder } from '../../overlay/changeset.ts';
import { Checkpoints } from '../../overlay/checkpoints.ts';
import { describeChange } from '../../overlay/describeChange.ts';
import { discardChanges, discardHunks } from '../../overlay/discard.ts';
import { readUpperEntry, type Entry } from '../../overlay/entry.ts';
import { inUpper } from '../../overlay/inUpper.ts';
import { lookAtChanges, type Look } from '../../overlay/lookAtChanges.ts';
import { newSecret } from '../../overlay/newSecret.ts';
import { mergeContents } from '../../overlay/merge.ts';
import { openOverlayRecord, type OverlayRecord } from '../../overlay/overlayRecord.ts';
import { closeDropping, closeSelection } from '../../overlay/selection.ts';
import { readUpperLayer } from '../../overlay/upperLayer.ts';
import { CordonError } from '../../base/errors.ts';
import type { Choice, FileSides, FolderReview, Obstruction, ReviewedChange } from './changesEngine.ts';
import { fileSides, versionOf } from './fileSides.ts';
import { TakenChanges } from './takenChanges.ts';

/** What accepting some changes of a folder asks for; nothing was done yet. */
export interface Preparation {
  readonly obstructions: readonly Obstruction[];
  /** Applies it. Returns what is in the way on the disk, if anything; then nothing was changed. */
  readonly apply: (options: ApplyOptions) => Promise<Applied>;
}

export type Applied =
  | {
      readonly kind: 'applied';
      /** Of the trash; absent where nothing was overwritten or deleted. */
      readonly batch?: string;
      readonly paths: readonly string[];
      readonly merged: readonly string[];
    }
  | { readonly kind: 'obstructed'; readonly obstructions: readonly Obstruction[] };

/** One workspace folder in a copy-on-write view, with what the conversation changed in it. */
export class OverlayedFolder {
  constructor(
    readonly layers: OverlayFolder,
    /** Where the view of it can be read, as long as it is open. */
    private readonly merged?: string,
  ) {}

  get path(): string {
    return this.layers.lower;
  }

  async review(include: readonly string[]): Promise<FolderReview> {
    using look = await this.look(include);
    const changes: ReviewedChange[] = [];
    for (const change of this.waiting(look)) {
      // Counting lines reads both sides; nobody looks at the counts of thousands.
      const counted = changes.length < mostCounted ? change : { ...change, binary: true };
      const described = await describeChange(this.layers, counted);
      changes.push({
        ...described,
        binary: change.binary,
        folder: this.path,
        version: versionOf(change.before, change.after),
      });
    }
    return { folder: this.path, changes, groups: look.changeset.groups };
  }

  async sides(path: string): Promise<FileSides> {
    using record = this.openRecord();
    const base = new Bases(this.layers, record).content(path) ?? null;
    return { ...(await fileSides(this.layers, path, this.held(path))), base };
  }

  async prepare(choices: readonly Choice[]): Promise<Preparation> {
    const look = await this.look(choices.map(({ path }) => path));
    try {
      const waiting = this.waiting(look);
      const obstructions = choices.flatMap(choice => this.problemOf(choice, waiting));
      const byPath = new Map(choices.map(choice => [choice.path, choice]));
      const selected = closeSelection(waiting, new Set(byPath.keys()));
      for (const change of selected) {
        const { path, after } = change;
        const choice = byPath.get(path);
        if (choice?.isConfirmed === true) continue;
        // Not for the list of changes, which is read often; a key is warned of when it is about to be taken over.
        const because = protectionOf(path) ?? (await newSecret(this.layers, change));
        // A folder that only goes along with a confirmed file in it does nothing by itself.
        const goesAlong = after?.kind === 'directory' && !choice;
        if (because !== undefined && !goesAlong)
          obstructions.push(this.obstruction(path, 'protected', `it ${because}`));
      }
      const accepted = selected.map((change): Accepted => {
        const hunks = byPath.get(change.path)?.hunks;
        return hunks === undefined ? { change } : { change, hunks: new Set(hunks) };
      });
      const resolved = new Set(choices.filter(each => each.takesTheirs).map(({ path }) => path));
      const { desired, merged, beside, conflicts } = await prepareAcceptance(
        this.layers,
        accepted,
        look.bases,
        resolved,
      );
      for (const { path, kind } of conflicts)
        obstructions.push(this.obstruction(path, 'conflict', obstacleWords(kind)));
      const wholes = accepted.flatMap(({ change, hunks }) => (hunks ? [] : [change]));
      return {
        obstructions,
        apply: async options => {
          const result = await applyChanges(this.path, desired, options);
          if (result.kind === 'blocked')
            return {
              kind: 'obstructed',
              obstructions: result.obstacles.map(({ path, kind }) =>
                this.obstruction(path, 'disk', obstacleWords(kind)),
              ),
            };
          using record = this.openRecord();
          new Bases(this.layers, record).applied(result.paths.filter(path => !beside.includes(path)));
          this.noteTaken(wholes);
          return { kind: 'applied', batch: result.id, paths: result.paths, merged };
        },
      };
    } finally {
      look[Symbol.dispose]();
    }
  }

  /** The user has these by other ways now. */
  async taken(paths: readonly string[]): Promise<void> {
    using look = await this.look(paths);
    this.noteTaken(look.changeset.changes.filter(({ path }) => paths.includes(path)));
  }

  /** The user gave these up again: what the copy holds of them is a change once more, to what the user has now. */
  untaken(paths: readonly string[]): void {
    using record = this.openRecord();
    new Bases(this.layers, record).applied(paths);
    new TakenChanges(record.database).forget(paths);
  }

  /** Drops from the copy what was taken over and not touched since, so that the user's own file shows there again. */
  async settle(): Promise<void> {
    using record = this.openRecord();
    const taken = new TakenChanges(record.database);
    const all = [...taken.all()];
    if (all.length === 0) return;
    await this.drop(
      all.filter(([path, identity]) => this.#heldIdentity(path) === identity).map(([path]) => path),
    );
    taken.clear();
  }

  /** Notes what the agent works from: the user's files as they are now, where it has not changed them. */
  async note(): Promise<void> {
    using _ = await this.look([]);
  }

  workedFrom(path: string, text: string): void {
    using record = openOverlayRecord(this.layers.upper);
    new Bases(this.layers, record).from(path, text);
  }

  async mergeInto(path: string, editorText: string): Promise<string | null> {
    const { before, after, base } = await this.sides(path);
    if (after === null) return null;
    const from = base ?? before ?? Buffer.alloc(0);
    const joined = mergeContents(Buffer.from(from), Buffer.from(editorText), Buffer.from(after));
    return joined ? joined.toString('utf8') : null;
  }

  /** What stands in the way of dropping these. */
  async problemsOf(choices: readonly Choice[]): Promise<Obstruction[]> {
    using look = await this.look(choices.map(({ path }) => path));
    const waiting = this.waiting(look);
    return choices.flatMap(choice => this.problemOf(choice, waiting));
  }

  async discard(choices: readonly Choice[]): Promise<string[]> {
    using look = await this.look(choices.map(({ path }) => path));
    const changes = this.waiting(look);
    const wholes = choices.filter(({ hunks }) => hunks === undefined).map(({ path }) => path);
    for (const { path, hunks } of choices) {
      const change = changes.find(each => each.path === path);
      if (hunks !== undefined && change) await discardHunks(this.layers, change, new Set(hunks));
    }
    const dropped = closeDropping(changes, new Set(wholes)).map(({ path }) => path);
    await discardChanges(this.layers, dropped);
    return [...dropped, ...choices.flatMap(({ path, hunks }) => (hunks === undefined ? [] : [path]))];
  }

  async checkpoint(name: string): Promise<void> {
    using record = this.openRecord();
    await this.checkpointsIn(record).take(name, this.merged);
  }

  checkpoints(): { id: number; name: string; at: number }[] {
    using record = this.openRecord();
    return this.checkpointsIn(record)
      .list()
      .map(({ id, label, at }) => ({ id, name: label, at }));
  }

  changedBetween(from: number, to: number): string[] {
    using record = this.openRecord();
    return this.checkpointsIn(record).changedBetween(from, to);
  }

  /** Returns the name of the checkpoint of what was there before. */
  async goBack(id: number): Promise<string> {
    using record = this.openRecord();
    return (await this.checkpointsIn(record).goBack(id)).label;
  }

  /** Everything the copy holds; below folders for which `enters` is false, nothing. */
  layer(
    enters: (path: string, entry: Entry | 'whiteout') => boolean,
  ): Promise<Map<string, Entry | 'whiteout'>> {
    return readUpperLayer(this.layers, this.merged, enters);
  }

  /**
   * Copies the state into the (new) directory of another conversation, as it was at this checkpoint.
   */
  async fork(id: number, directory: string): Promise<void> {
    const from = path.dirname(this.layers.upper);
    const to = path.join(directory, 'layers', path.basename(from));
    mkdirSync(path.dirname(to), { recursive: true, mode: 0o700 });
    using record = this.openRecord();
    // What the copy is to have must be in the file itself, not in the journal beside it.
    record.database.pragma('wal_checkpoint(TRUNCATE)');
    await promisify(execFile)('cp', ['--archive', '--reflink=auto', '--', from, to]);
    await new OverlayedFolder({ ...this.layers, upper: path.join(to, 'upper') }).goBack(id);
  }

  /** Makes what must be there before anything else is asked of it. */
  async open(): Promise<void> {}

  /** Something is about to change the folder itself: what it holds is kept before that. */
  async beginChange(): Promise<void> {}

  /** It is over. */
  async endChange(): Promise<void> {}

  protected openRecord(): OverlayRecord {
    return openOverlayRecord(this.layers.upper);
  }

  protected checkpointsIn(record: OverlayRecord): Checkpoints {
    return new Checkpoints(this.layers, record);
  }

  protected async drop(paths: readonly string[]): Promise<void> {
    await discardChanges(this.layers, paths);
  }

  protected async look(include: readonly string[]): Promise<Look> {
    const { merged } = this;
    return await lookAtChanges(this.layers, { include, ...(merged === undefined ? {} : { merged }) });
  }

  /** Without what the user took over already. */
  protected waiting({ changeset, record }: Look): Change[] {
    const taken = new TakenChanges(record.database).all();
    return changeset.changes.filter(({ path, after }) => taken.get(path) !== identityOf(after ?? undefined));
  }

  protected noteTaken(changes: readonly Change[]): void {
    using record = this.openRecord();
    new TakenChanges(record.database).add(changes);
  }

  protected problemOf({ path, version }: Choice, changes: readonly Change[]): Obstruction[] {
    const change = changes.find(each => each.path === path);
    if (!change) return [this.obstruction(path, 'gone', 'there is no change any more')];
    if (version === undefined || version === versionOf(change.before, change.after)) return [];
    return [this.obstruction(path, 'changed', 'it has changed since you looked at it')];
  }

  protected obstruction(path: string, kind: Obstruction['kind'], words: string): Obstruction {
    return { folder: this.path, path, kind, words };
  }

  protected held(path: string): Entry | 'whiteout' | undefined {
    try {
      return inUpper(this.layers, path, readUpperEntry);
    } catch (error) {
      if (error instanceof CordonError) return undefined;
      throw error;
    }
  }

  #heldIdentity(path: string): string {
    const held = this.held(path);
    return identityOf(held === 'whiteout' ? undefined : held);
  }
}

const mostCounted = 500;
