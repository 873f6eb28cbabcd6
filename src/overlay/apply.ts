import { CordonError } from '../base/errors.ts';
import { randomId, shortId } from '../base/ids.ts';
import { AnchoredFolder } from './anchoredFolder.ts';
import { ApplyEffects, InTheWay } from './applyEffects.ts';
import { readFacts } from './applyFacts.ts';
import { withApplyLock } from './applyLock.ts';
import {
  identityOf,
  parentOf,
  planSteps,
  type DesiredChange,
  type Facts,
  type Obstacle,
  type Plan,
  type Step,
} from './applySteps.ts';
import type { Discarded, Trash } from './discarded.ts';
import { isCode } from './errorCodes.ts';
import { Journal, openJournals, readJournal, type JournalHead } from './journal.ts';

export interface ApplyOptions {
  /** Folder of the broker's for the journals. One for all workspaces of the machine. */
  readonly journals: string;
  readonly trash: Trash;
  /** Called ahead of every effect on the disk; what it throws ends the apply there. */
  readonly before?: (effect: string) => void;
}

export type ApplyResult =
  | {
      readonly kind: 'applied';
      /** Names the batch in the trash. */
      readonly id: string;
      readonly paths: readonly string[];
      /** Of them, those that were so already. */
      readonly alreadySo: readonly string[];
    }
  /** Nothing was changed, or all of it was undone. */
  | { readonly kind: 'blocked'; readonly obstacles: readonly Obstacle[] };

/**
 * Makes all the changes to the user's folder, or none. What is overwritten or deleted is copied to the trash first.
 * New content is staged and synced beside its place; then a journal commits the whole, and from there a crash is
 * finished, or undone, by `recoverApplies`. Nothing that was saved meanwhile is overwritten: that undoes the whole.
 * Paths are resolved one name at a time and no link is followed. An overlay that is mounted over this folder must be
 * mounted afresh before anything else runs in it. Throws `apply.*` or `overlay.*` when nothing was changed.
 */
export async function applyChanges(
  folder: string,
  changes: readonly DesiredChange[],
  options: ApplyOptions,
): Promise<ApplyResult> {
  return await withApplyLock(options.journals, async () => {
    await recover(options);
    using anchored = new AnchoredFolder(folder);
    const id = randomId();
    await untilQuiet(readFacts(anchored, changes));
    const facts = readFacts(anchored, changes);
    const plan = planSteps(changes, facts, shortId(id));
    if (plan.obstacles.length > 0) return { kind: 'blocked', obstacles: plan.obstacles };
    const paths = changes.map(({ path }) => path);
    if (plan.steps.length + plan.emptied.length + plan.folderModes.length > 0) {
      const obstacle = await new Run(anchored, id, plan, options).run(changes, facts);
      if (obstacle) return { kind: 'blocked', obstacles: [obstacle] };
    }
    return { kind: 'applied', id, paths, alreadySo: plan.done };
  });
}

/**
 * Finishes or undoes what a crash interrupted. To be called when a window or command starts; every apply calls it too.
 * Returns the folders that were mended. Throws `apply.journal` or `apply.recover` when one cannot be.
 */
export async function recoverApplies(options: ApplyOptions): Promise<string[]> {
  if (openJournals(options.journals).length === 0) return [];
  return await withApplyLock(options.journals, () => recover(options));
}

async function recover(options: ApplyOptions): Promise<string[]> {
  const mended: string[] = [];
  for (const file of openJournals(options.journals)) {
    const found = readJournal(file);
    using journal = Journal.reopen(file);
    if (!found) {
      journal.remove();
      continue;
    }
    const { head } = found;
    try {
      using anchored = new AnchoredFolder(head.folder);
      if (anchored.identity !== head.folderIdentity) throw new Error('another folder has taken its place');
      const run = new Run(anchored, head.id, { ...head, done: [], obstacles: [] }, options);
      run.resume(journal, found.phase.phase, found.staged);
    } catch (cause) {
      throw notRecovered(head.folder, file, cause);
    }
    mended.push(head.folder);
  }
  return mended;
}

/** One apply on its way. */
class Run {
  readonly #effects: ApplyEffects;

  constructor(
    private readonly folder: AnchoredFolder,
    private readonly id: string,
    private readonly plan: Plan,
    private readonly options: ApplyOptions,
  ) {
    this.#effects = new ApplyEffects(folder, options.before ?? (() => {}));
  }

  /** Returns what was in the way; then all is as it was. */
  async run(changes: readonly DesiredChange[], facts: Facts): Promise<Obstacle | undefined> {
    const { steps, loosened, emptied, folderModes } = this.plan;
    const head: JournalHead = {
      version: 1,
      id: this.id,
      folder: this.folder.path,
      folderIdentity: this.folder.identity,
      // The schema's types are mutable; nothing here is.
      ...(structuredClone({ steps, loosened, emptied, folderModes }) as Pick<
        JournalHead,
        'steps' | 'loosened' | 'emptied' | 'folderModes'
      >),
    };
    this.#before('journal');
    using journal = Journal.create(this.options.journals, head);
    let staged: Record<string, string>;
    try {
      await this.#keepInTrash(facts);
      staged = await this.#stage(changes);
      this.#before('commit');
    } catch (error) {
      this.#cleanUp(undefined);
      this.#end(journal, false);
      if (error instanceof InTheWay) return error.obstacle;
      throw notPrepared(this.folder.path, error);
    }
    journal.enter({ phase: 'committed', staged });
    return this.#perform(journal, staged);
  }

  resume(journal: Journal, phase: string, staged: Readonly<Record<string, string>>): void {
    switch (phase) {
      case 'committed':
        this.#perform(journal, staged);
        return;
      case 'undoing':
        return this.#undo(journal, staged);
      case 'applied':
        return this.#finish(journal);
      default:
        this.#cleanUp(undefined);
        this.#end(journal, false);
    }
  }

  #perform(journal: Journal, staged: Readonly<Record<string, string>>): Obstacle | undefined {
    try {
      for (const step of this.plan.steps) this.#effects.do(step, staged);
      for (const path of this.#touchedFolders()) this.#effects.sync(path);
      for (const step of this.plan.steps)
        if (step.do === 'putAway') this.#effects.checkAway(step.temporary, step.path, step.identities);
    } catch (error) {
      this.#before('undo');
      journal.enter({ phase: 'undoing' });
      this.#undo(journal, staged);
      if (error instanceof InTheWay) return error.obstacle;
      throw notPrepared(this.folder.path, error);
    }
    this.#before('applied');
    journal.enter({ phase: 'applied' });
    this.#finish(journal);
    return undefined;
  }

  #undo(journal: Journal, staged: Readonly<Record<string, string>>): void {
    let whole = true;
    for (const step of this.plan.steps.toReversed()) whole = this.#effects.undo(step, staged) && whole;
    this.#cleanUp(staged);
    this.#end(journal, !whole);
  }

  #finish(journal: Journal): void {
    for (const step of this.plan.steps) {
      if (step.do !== 'putAway') continue;
      this.#keepLate(step);
      this.#effects.removeWhole(step.temporary);
    }
    for (const path of this.plan.emptied) this.#effects.removeIfEmpty(path);
    for (const { path, mode } of this.plan.folderModes) this.#effects.setMode(path, mode);
    this.#end(journal, true);
  }

  /** A save that reached a file after it was put away, through a program that had it open, goes to the trash too. */
  #keepLate(step: Extract<Step, { do: 'putAway' }>): void {
    try {
      this.#effects.checkAway(step.temporary, step.path, step.identities);
    } catch (error) {
      if (!(error instanceof InTheWay)) throw error;
      const items = [...this.#effects.filesBelow(step.temporary)].map(({ path, mode }): Discarded => {
        this.#before(`keep ${path}`);
        const stored = this.folder.at(path, place => this.options.trash.store(place));
        const inner = step.path + path.slice(step.temporary.length);
        return { folder: this.folder.path, path: inner, why: 'overwritten', kind: 'file', mode, ...stored };
      });
      this.options.trash.note(this.id, items);
    }
  }

  /** Removes what was staged, and what was put away and could not be put back: that is in the trash. */
  #cleanUp(staged: Readonly<Record<string, string>> | undefined): void {
    for (const step of this.plan.steps) {
      if (!('temporary' in step)) continue;
      const entry = this.#effects.entry(step.temporary);
      // A save of the user's that was caught under a temporary name stays under it, rather than be lost.
      if (step.do === 'place' && staged && entry && identityOf(entry) !== staged[step.temporary]) continue;
      this.#effects.removeWhole(step.temporary);
    }
    for (const { path, mode } of this.plan.loosened.toReversed()) this.#effects.setMode(path, mode);
  }

  #end(journal: Journal, keepTrash: boolean): void {
    this.#before('end');
    if (keepTrash) this.options.trash.keep(this.id);
    else this.options.trash.forget(this.id);
    journal.remove();
  }

  async #stage(changes: readonly DesiredChange[]): Promise<Record<string, string>> {
    for (const { path, mode } of this.plan.loosened) this.#effects.setMode(path, mode | 0o300);
    const desired = new Map(changes.map(change => [change.path, change.desired]));
    const staged: Record<string, string> = {};
    for (const step of this.plan.steps) {
      const wanted = desired.get(step.path);
      if (step.do !== 'place' || (wanted?.kind !== 'file' && wanted?.kind !== 'symlink')) continue;
      staged[step.temporary] = this.#effects.stage(step.temporary, step.path, wanted);
      await breathe();
    }
    return staged;
  }

  async #keepInTrash(facts: Facts): Promise<void> {
    const items: Discarded[] = [];
    const add = async (path: string, why: Discarded['why']) => {
      const entry = facts.entries.get(path);
      if (!entry || entry.kind === 'special') return;
      const common = { folder: this.folder.path, path, why, kind: entry.kind };
      if (entry.kind === 'symlink') items.push({ ...common, mode: 0o777, size: 0, content: entry.target });
      else if (entry.kind === 'directory') items.push({ ...common, mode: entry.mode, size: 0, content: '' });
      else {
        this.#before(`keep ${path}`);
        const stored = this.folder.at(path, place => this.options.trash.store(place));
        items.push({ ...common, mode: entry.mode, ...stored });
        await breathe();
      }
    };
    for (const step of this.plan.steps)
      if (step.do === 'putAway')
        for (const inner of Object.keys(step.identities))
          await add(
            inner === '' ? step.path : `${step.path}/${inner}`,
            step.replaced ? 'overwritten' : 'deleted',
          );
    for (const path of this.plan.emptied) await add(path, 'deleted');
    // What was made or only changed its permissions has no content to keep, but a place in the undoing of it all.
    for (const step of this.plan.steps) {
      const [common, before] = [{ folder: this.folder.path, path: step.path }, facts.entries.get(step.path)];
      if (step.do === 'setMode' && before && before.kind !== 'special')
        items.push({ ...common, why: 'mode', kind: before.kind, mode: step.from, size: 0, content: '' });
      if (before || (step.do !== 'place' && step.do !== 'makeFolder')) continue;
      const kind = step.do === 'place' ? step.desired : 'directory';
      items.push({ ...common, why: 'made', kind, mode: 0, size: 0, content: '' });
    }
    this.#before('note');
    if (items.length > 0) this.options.trash.note(this.id, items);
  }

  #touchedFolders(): Set<string> {
    return new Set(this.plan.steps.flatMap(step => (step.do === 'setMode' ? [] : [parentOf(step.path)])));
  }

  #before(effect: string): void {
    this.options.before?.(effect);
  }
}

/** Lets the host's other work through: copying and syncing many files takes its time. */
function breathe(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}

/**
 * Waits until what was saved last is old enough that a later save must carry another time: until then, two saves of the
 * same length could not be told apart.
 */
async function untilQuiet({ entries }: Facts): Promise<void> {
  const newest = [...entries.values()].reduce(
    (latest, { kind, stamp }) => (kind === 'file' && stamp.modifiedAt > latest ? stamp.modifiedAt : latest),
    0n,
  );
  const age = Date.now() - Number(newest / 1_000_000n);
  if (age >= 0 && age < 20) await new Promise(resolve => setTimeout(resolve, 20));
}

function notPrepared(folder: string, cause: unknown): CordonError {
  if (cause instanceof CordonError) return cause;
  const [code, message, remedy] = isCode(cause, 'ENOSPC', 'EDQUOT')
    ? [
        'apply.diskFull',
        `There is no room on the disk to change ${folder}.`,
        'Free some space and apply again.',
      ]
    : isCode(cause, 'EACCES', 'EPERM', 'EROFS')
      ? ['apply.denied', `A path in ${folder} may not be changed.`, 'Check its permissions and apply again.']
      : ['apply.failed', `The changes to ${folder} could not be made.`, 'Look at the cause and apply again.'];
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CordonError(code, `${message} Nothing was changed (${reason}).`, remedy, { cause });
}

function notRecovered(folder: string, journal: string, cause: unknown): CordonError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CordonError(
    'apply.recover',
    `An interrupted apply to ${folder} can neither be finished nor undone (${reason}).`,
    `Mend the cause and try again. If the folder is gone for good, delete ${journal}.`,
    { cause },
  );
}
