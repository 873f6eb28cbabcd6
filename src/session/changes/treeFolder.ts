import { applyChanges } from '../../overlay/apply.ts';
import type { ApplyOptions } from '../../overlay/applyRun.ts';
import { AnchoredFolder } from '../../overlay/anchoredFolder.ts';
import { obstacleWords } from '../../overlay/acceptance.ts';
import { Bases } from '../../overlay/bases.ts';
import type { DesiredChange, Obstacle } from '../../overlay/applySteps.ts';
import type { Change, Layer, OverlayFolder } from '../../overlay/changeset.ts';
import { Checkpoints, type Held } from '../../overlay/checkpoints.ts';
import { readLower, readUpper, sameContent } from '../../overlay/content.ts';
import type { Entry } from '../../overlay/entry.ts';
import { hunksOf, withHunks } from '../../overlay/hunks.ts';
import { lookAtChanges, type Look } from '../../overlay/lookAtChanges.ts';
import { openRecord, type OverlayRecord } from '../../overlay/overlayRecord.ts';
import { closeSelection } from '../../overlay/selection.ts';
import { lookAt } from '../../overlay/tree/mirror.ts';
import { restoringChanges, revertingChanges } from '../../overlay/tree/restoreTree.ts';
import { stampOf, TreeIndex } from '../../overlay/tree/treeIndex.ts';
import { readTreeLayer, untilSettled } from '../../overlay/tree/treeLayer.ts';
import { foldersAround } from '../../overlay/tree/walkTree.ts';
import { CordonError } from '../../base/errors.ts';
import type { Choice } from './changesEngine.ts';
import { OverlayedFolder } from './overlayedFolder.ts';

/** Lends what an apply needs: where it is journalled, and where what it overwrites goes. */
export type Applying = <T>(work: (options: ApplyOptions) => Promise<T>) => Promise<T>;

/**
 * A workspace folder that is there twice, as two whole folders: `upper`, in which the agent works, and `lower`, with
 * which it is compared and to which it goes back. What was touched is told by an index of both, not by reading them.
 */
export abstract class TreeFolder extends OverlayedFolder implements Disposable {
  protected readonly record: OverlayRecord;
  protected readonly index: TreeIndex;

  constructor(
    layers: OverlayFolder,
    /** Of the broker's: the record lies here, and what else belongs to it. */
    protected readonly directory: string,
    protected readonly applying: Applying,
  ) {
    super(layers);
    this.record = openRecord(directory);
    this.index = new TreeIndex(this.record);
  }

  /** Makes what must be there before anything else is asked. */
  abstract override open(): Promise<void>;

  override async layer(
    enters: (path: string, entry: Entry | 'whiteout') => boolean,
  ): Promise<Map<string, Entry | 'whiteout'>> {
    const found = new Map<string, Entry | 'whiteout'>();
    using root = new AnchoredFolder(this.layers.upper);
    const closed = new Map<string, boolean>();
    for (const [path, entry] of await this.readLayer()) {
      const outer = foldersAround(path).find(each => {
        const entered = closed.get(each) ?? !enters(each, lookAt(root, each) ?? 'whiteout');
        closed.set(each, entered);
        return entered;
      });
      if (outer === undefined) found.set(path, entry);
      else found.set(outer, lookAt(root, outer) ?? 'whiteout');
    }
    return found;
  }

  override async discard(choices: readonly Choice[]): Promise<string[]> {
    using look = await this.look(choices.map(({ path }) => path));
    const changes = this.waiting(look);
    const wholes = choices.filter(({ hunks }) => hunks === undefined).map(({ path }) => path);
    // Dropping is a change as well, the other way round: what goes with it is found in the same way.
    const dropped = closeSelection(changes.map(inverted), new Set(wholes)).map(({ path }) => path);
    const desired = [...revertingChanges(this.layers.upper, this.layers.lower, dropped)];
    const partly: string[] = [];
    for (const { path, hunks } of choices) {
      const change = changes.find(each => each.path === path);
      if (hunks === undefined || !change) continue;
      desired.push(await this.#withoutHunks(change, new Set(hunks)));
      partly.push(path);
    }
    await this.restore(await this.reconciled(desired, choices), dropped);
    return [...dropped, ...partly];
  }

  /** Makes the folder in which the agent works so; `same` are those of the paths that are as in the other one then. */
  protected async restore(changes: readonly DesiredChange[], same: readonly string[]): Promise<void> {
    if (changes.length === 0) return;
    const result = await this.applying(options => applyChanges(this.layers.upper, changes, options));
    if (result.kind === 'blocked') throw inTheWay(this.path, result.obstacles);
    await this.noteSame(same);
  }

  /** What dropping asks for where somebody else wrote to the same files; nobody does unless a subclass says so. */
  protected async reconciled(
    changes: readonly DesiredChange[],
    _choices: readonly Choice[],
  ): Promise<readonly DesiredChange[]> {
    return changes;
  }

  /** Notes that these are the same on both sides, where they are. */
  protected async noteSame(paths: readonly string[]): Promise<void> {
    // Whatever is written from now on carries another time.
    await untilSettled();
    const { upper, lower } = this.layers;
    using worked = new AnchoredFolder(upper);
    using origin = new AnchoredFolder(lower);
    for (const path of paths) {
      const [here, there] = [lookAt(worked, path), lookAt(origin, path)];
      if (!here && !there) this.index.delete(path);
      else if (here && there && (await this.#isSame(path, here, there)))
        this.index.set(path, { worked: stampOf(here), origin: stampOf(there) });
      else if (there) this.noteDiffering(path, there);
    }
    this.index.save();
  }

  /** The path is on the other side, and not as it is here. Without this it would not be missed when it goes. */
  protected noteDiffering(path: string, there: Entry): void {
    if (!this.index.find(path)) this.index.set(path, { worked: 'differs', origin: stampOf(there) });
  }

  protected readLayer(): Promise<Map<string, Entry | 'whiteout'>> {
    return readTreeLayer(this.layers.upper, this.index);
  }

  protected override openRecord(): OverlayRecord {
    const { database, contents } = this.record;
    return { database, contents, [Symbol.dispose]: () => undefined };
  }

  protected override async look(include: readonly string[]): Promise<Look> {
    const wasGiven = (path: string, now: Entry) => this.index.find(path)?.origin === stampOf(now);
    const bases = new Bases(this.layers, this.record, wasGiven);
    const options = { include, layer: await this.readLayer() };
    return await lookAtChanges(this.layers, options, this.openRecord(), bases);
  }

  protected override held(path: string): Entry | 'whiteout' | undefined {
    using root = new AnchoredFolder(this.layers.upper);
    const [entry, known] = [lookAt(root, path), this.index.find(path)];
    if (!entry) return known && 'whiteout';
    return known?.worked === stampOf(entry) ? undefined : entry;
  }

  protected override async drop(paths: readonly string[]): Promise<void> {
    const { upper, lower } = this.layers;
    await this.restore(revertingChanges(upper, lower, paths), paths);
  }

  protected override checkpointsIn(record: OverlayRecord): Checkpoints {
    return new Checkpoints(this.layers, record, {
      read: async () => withoutSpecial(await this.readLayer()),
      restore: (now, target) => this.goTo(now, target),
    });
  }

  [Symbol.dispose](): void {
    this.record[Symbol.dispose]();
  }

  protected async goTo(now: ReadonlyMap<string, Held>, target: ReadonlyMap<string, Held>): Promise<void> {
    const { upper, lower } = this.layers;
    const contentPath = (hash: string) => this.record.contents.path(hash);
    const changes = restoringChanges({ worked: upper, origin: lower, contentPath }, now, target);
    this.refuseOver(changes);
    await this.restore(
      changes,
      changes.map(({ path }) => path).filter(path => !target.has(path)),
    );
  }

  /** Throws where going back would undo what somebody else wrote; nobody does unless a subclass says so. */
  protected refuseOver(_changes: readonly DesiredChange[]): void {}

  protected fact(name: string): string | undefined {
    const statement = this.record.database.prepare('SELECT value FROM facts WHERE name = ?').pluck();
    return statement.get(name) as string | undefined;
  }

  protected setFact(name: string, value: string | undefined): void {
    const { database } = this.record;
    if (value === undefined) database.prepare('DELETE FROM facts WHERE name = ?').run(name);
    else database.prepare('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)').run(name, value);
  }

  async #withoutHunks(change: Change, hunks: ReadonlySet<number>): Promise<DesiredChange> {
    const { path, before, after } = change;
    if (before?.kind !== 'file' || after?.kind !== 'file')
      throw new TypeError(`Only changes of a file have hunks: ${path}`);
    const old = await readLower(this.layers, path);
    const all = hunksOf(old, await readUpper(this.layers, path));
    if (!all) throw new TypeError(`No hunks were found in time: ${path}`);
    const kept = new Set([...all.keys()].filter(index => !hunks.has(index)));
    const content = withHunks(old, all, kept);
    return { path, expected: after, desired: { kind: 'file', mode: after.mode, content } };
  }

  async #isSame(path: string, here: Entry, there: Entry): Promise<boolean> {
    if (here.kind !== there.kind) return false;
    if (here.kind !== 'file' || there.kind !== 'file') return stampOf(here) === stampOf(there);
    if (here.size !== there.size || here.mode !== there.mode) return false;
    using root = new AnchoredFolder(this.layers.upper);
    // The comparison opens both before it first waits.
    return await root
      .at(path, place => sameContent(`${this.layers.lower}/${path}`, place))
      .catch(() => false);
  }
}

/** Pipes and the like are nobody's work. */
function withoutSpecial(layer: Layer): Layer {
  return new Map([...layer].filter(([, entry]) => entry === 'whiteout' || entry.kind !== 'special'));
}

function inverted(change: Change): Change {
  const kind = ({ added: 'deleted', deleted: 'added' } as const)[change.kind as 'added'] ?? change.kind;
  return { ...change, kind, before: change.after, after: change.before };
}

function inTheWay(folder: string, obstacles: readonly Obstacle[]): CordonError {
  const named = obstacles.slice(0, 5).map(({ path, kind }) => `${path}: ${obstacleWords(kind)}`);
  return new CordonError(
    'changes.inTheWay',
    `Something in ${folder} is in the way, so nothing was done (${named.join('; ')}).`,
    'Look at the changes again.',
  );
}
