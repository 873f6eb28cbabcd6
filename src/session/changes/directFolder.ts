import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { AnchoredFolder } from '../../overlay/anchoredFolder.ts';
import type { DesiredChange } from '../../overlay/applySteps.ts';
import { Bases } from '../../overlay/bases.ts';
import { readChangeset, type Change } from '../../overlay/changeset.ts';
import { readContent, readUpper } from '../../overlay/content.ts';
import type { Entry } from '../../overlay/entry.ts';
import { IgnoredOutputs } from '../../overlay/ignoredOutputs.ts';
import type { Look } from '../../overlay/lookAtChanges.ts';
import { mergeContents } from '../../overlay/merge.ts';
import { removeTree } from '../../base/removeTree.ts';
import { closeSelection, isNamed } from '../../overlay/selection.ts';
import { lookAt } from '../../overlay/tree/mirror.ts';
import { readTreeLayer } from '../../overlay/tree/treeLayer.ts';
import { CordonError } from '../../base/errors.ts';
import type { Choice, FolderReview, Obstruction } from './changesEngine.ts';
import { countedOutputs } from './countedOutputs.ts';
import { Keeping, notKept } from './keeping.ts';
import type { Preparation } from './overlayedFolder.ts';
import { TreeFolder, type Applying } from './treeFolder.ts';
import { Traces } from './traces.ts';

/**
 * A workspace folder in which the agent works itself. Before it changes anything, what the folder holds is kept: every
 * file but ignored outputs, secrets, what is in `.git`, and what is too large to copy. Accepting forgets what was kept;
 * dropping and going back bring it to the user's folder again, by way of the trash, and never over what the user wrote
 * since.
 */
export class DirectFolder extends TreeFolder {
  readonly #traces: Traces;
  readonly #keeping: Keeping;
  /** Changes of the agent's that are under way. */
  #active = 0;

  constructor(folder: string, directory: string, applying: Applying) {
    const kept = path.join(directory, 'kept');
    mkdirSync(kept, { recursive: true, mode: 0o700 });
    super({ lower: kept, upper: folder }, directory, applying);
    this.#traces = new Traces(this.layers, this.record);
    this.#keeping = new Keeping(this.layers, directory, this.index, this.record);
  }

  override get path(): string {
    return this.layers.upper;
  }

  override async open(): Promise<void> {
    if (this.fact('active') === undefined) return;
    // The last time ended in the middle of a change: what differs now is the agent's.
    await this.#noteTraces();
    this.setFact('active', undefined);
  }

  /** Keeps what the folder holds, the first time; later what the user did meanwhile. Throws `direct.notKept`. */
  override async beginChange(): Promise<void> {
    try {
      if (this.#isKept) await this.#takeIn();
      else await this.#keepAll();
    } catch (error) {
      throw error instanceof CordonError ? error : notKept(this.path, '', error);
    }
    this.#active += 1;
    this.setFact('active', 'yes');
  }

  override async endChange(): Promise<void> {
    await this.#noteTraces();
    this.#active -= 1;
    if (this.#active === 0) this.setFact('active', undefined);
  }

  override async review(include: readonly string[]): Promise<FolderReview> {
    if (!this.#isKept) return { folder: this.path, changes: [], groups: [] };
    await this.#takeIn();
    return await super.review(include);
  }

  /** Accepting forgets what was kept: the files are as they should be. */
  override async prepare(choices: readonly Choice[]): Promise<Preparation> {
    using look = await this.look(choices.map(({ path }) => path));
    const waiting = this.waiting(look);
    const obstructions = choices.flatMap(choice => this.problemOf(choice, waiting));
    return {
      obstructions,
      apply: async () => ({ kind: 'applied', paths: await this.#accept(choices, waiting), merged: [] }),
    };
  }

  override async taken(paths: readonly string[]): Promise<void> {
    using look = await this.look(paths);
    const choices = paths.map((each): Choice => ({ folder: this.path, path: each }));
    await this.#accept(choices, this.waiting(look));
  }

  override untaken(): void {}

  override async settle(): Promise<void> {
    if (this.#isKept) await this.#takeIn();
  }

  override async note(): Promise<void> {}

  override async checkpoint(name: string): Promise<void> {
    await this.settle();
    await super.checkpoint(name);
  }

  override async problemsOf(choices: readonly Choice[]): Promise<Obstruction[]> {
    const problems = await super.problemsOf(choices);
    if (problems.length > 0) return problems;
    const found: Obstruction[] = [];
    for (const choice of choices) {
      const { path, takesTheirs, hunks } = choice;
      const now = this.#now(path);
      if (takesTheirs === true || !this.#traces.isOtherwise(path, now)) continue;
      if (hunks === undefined && (await this.#joined(path, now))) continue;
      found.push(this.obstruction(path, 'conflict', 'you changed it after the agent did'));
    }
    return found;
  }

  override async fork(): Promise<void> {
    throw new CordonError(
      'changes.noFork',
      'This conversation works in your own files, of which there is one state only.',
      'Go back to the checkpoint instead, or fork without the files.',
    );
  }

  /** Where the user wrote to a file after the agent, both are kept if they can be: the agent's change alone goes. */
  protected override async reconciled(
    changes: readonly DesiredChange[],
    choices: readonly Choice[],
  ): Promise<readonly DesiredChange[]> {
    const forced = new Set(choices.filter(each => each.takesTheirs).map(({ path }) => path));
    const results: DesiredChange[] = [];
    const conflicts: string[] = [];
    for (const change of changes) {
      const { path, expected, desired } = change;
      const isTheirs = !this.#traces.isOtherwise(path, expected ?? undefined);
      if (isTheirs || forced.has(path) || desired.kind === 'directory') {
        results.push(change);
        continue;
      }
      const joined = await this.#joined(path, expected ?? undefined);
      if (joined && expected?.kind === 'file')
        results.push({ path, expected, desired: { kind: 'file', mode: expected.mode, content: joined } });
      else conflicts.push(path);
    }
    if (conflicts.length > 0) throw userWasThere(this.path, conflicts);
    return results;
  }

  protected override async restore(
    changes: readonly DesiredChange[],
    same: readonly string[],
  ): Promise<void> {
    await super.restore(changes, same);
    this.#traces.forget(same);
    const others = changes.map(each => each.path).filter(each => !same.includes(each));
    this.#traces.note(new Map(others.map(each => [each, this.#now(each) ?? 'whiteout'])));
  }

  protected override refuseOver(changes: readonly DesiredChange[]): void {
    const conflicts = changes.filter(
      ({ path, expected, desired }) =>
        desired.kind !== 'directory' && this.#traces.isOtherwise(path, expected ?? undefined),
    );
    if (conflicts.length > 0)
      throw userWasThere(
        this.path,
        conflicts.map(each => each.path),
      );
  }

  protected override async look(include: readonly string[]): Promise<Look> {
    const record = this.openRecord();
    const outputs: string[] = [];
    const layer = this.#isKept ? await this.#readLayer(include, outputs) : new Map<string, Entry>();
    const changeset = await readChangeset(this.layers, { include, layer });
    const groups = [
      ...changeset.groups,
      ...(await countedOutputs(this.layers.upper, outputs)),
      ...this.#keeping.unrecorded(),
    ];
    return {
      changeset: { changes: changeset.changes, groups },
      bases: new Bases(this.layers, record),
      record,
      [Symbol.dispose]: () => undefined,
    };
  }

  protected override async readLayer(): Promise<Map<string, Entry | 'whiteout'>> {
    return this.#isKept ? await this.#readLayer([], []) : new Map();
  }

  async #keepAll(): Promise<void> {
    // What an interrupted attempt left.
    removeTree(this.layers.lower);
    mkdirSync(this.layers.lower, { recursive: true, mode: 0o700 });
    this.index.clear();
    await this.#keeping.everything();
    this.setFact('made', 'whole');
  }

  get #isKept(): boolean {
    return this.fact('made') !== undefined;
  }

  /** Returns the paths that are no changes any more, or less of one. */
  async #accept(choices: readonly Choice[], changes: readonly Change[]): Promise<string[]> {
    const partly: string[] = [];
    for (const { path: inner, hunks } of choices) {
      const change = changes.find(each => each.path === inner);
      if (hunks === undefined || !change) continue;
      await this.#keeping.takeHunks(change, new Set(hunks));
      partly.push(inner);
    }
    const wholes = choices.filter(({ hunks }) => hunks === undefined).map(each => each.path);
    const selected = closeSelection(changes, new Set(wholes)).map(each => each.path);
    await this.#keeping.renew(selected);
    this.#traces.forget(selected);
    return [...selected, ...partly];
  }

  /** `outputs` is filled with what is new and ignored: it counts for nothing but its number. */
  async #readLayer(include: readonly string[], outputs: string[]): Promise<Map<string, Entry | 'whiteout'>> {
    const ignored = new IgnoredOutputs(this.layers);
    return await readTreeLayer(this.layers.upper, this.index, (inner, entry) => {
      if (this.#keeping.leavesOut(inner, entry)) return true;
      const isIncluded = isNamed(inner, include) || include.some(each => each.startsWith(`${inner}/`));
      if (isIncluded || !ignored.find(inner, entry.kind === 'directory', true)) return false;
      outputs.push(inner);
      return true;
    });
  }

  /** What the user did since the agent's last change becomes what is kept. */
  async #takeIn(): Promise<void> {
    if (this.#active > 0) return;
    const layer = await this.readLayer();
    const own = [...layer].filter(([inner]) => !this.#traces.has(inner));
    await this.#keeping.update(own);
  }

  async #noteTraces(): Promise<void> {
    const layer = await this.readLayer();
    this.#traces.note(layer);
    this.#traces.keepOnly(layer);
  }

  #now(inner: string): Entry | undefined {
    using root = new AnchoredFolder(this.layers.upper);
    return lookAt(root, inner);
  }

  /** The file as the user has it without what the agent did to it; undefined when that cannot be told apart. */
  async #joined(inner: string, now: Entry | undefined): Promise<Buffer | undefined> {
    const theirs = this.#traces.content(inner);
    using kept = new AnchoredFolder(this.layers.lower);
    if (!theirs || now?.kind !== 'file' || lookAt(kept, inner)?.kind !== 'file') return undefined;
    const before = await readContent(`${this.layers.lower}/${inner}`);
    return mergeContents(theirs, await readUpper(this.layers, inner), before);
  }
}

function userWasThere(folder: string, paths: readonly string[]): CordonError {
  const others = paths.length > 5 ? ` and ${paths.length - 5} more` : '';
  return new CordonError(
    'direct.userWasThere',
    `You changed ${paths.slice(0, 5).join(', ')}${others} in ${folder} after the agent did, so nothing was done.`,
    'Accept these changes, or put them aside, and try again.',
  );
}
