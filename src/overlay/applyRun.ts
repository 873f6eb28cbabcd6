import { setImmediate as breathe } from 'node:timers/promises';
import { CordonError } from '../base/errors.ts';
import type { AnchoredFolder } from './anchoredFolder.ts';
import { ApplyEffects, InTheWay } from './applyEffects.ts';
import {
  identityOf,
  parentOf,
  type DesiredChange,
  type Facts,
  type Obstacle,
  type Plan,
} from './applySteps.ts';
import type { Trash } from './discarded.ts';
import { isCode } from './errorCodes.ts';
import { Journal, type JournalHead } from './journal.ts';
import { TrashBatch } from './trashBatch.ts';

export interface ApplyOptions {
  /** Folder of the broker's for the journals. One for all workspaces of the machine. */
  readonly journals: string;
  readonly trash: Trash;
  /** Called ahead of every effect on the disk; what it throws ends the apply there. */
  readonly before?: (effect: string) => void;
}

/**
 * One apply on its way: what is new is staged and what goes is kept, then a journal commits the whole, and from there it
 * is carried out or undone, by this process or by one that comes after a crash.
 */
export class ApplyRun {
  readonly #effects: ApplyEffects;
  readonly #batch: TrashBatch;

  constructor(
    private readonly folder: AnchoredFolder,
    private readonly id: string,
    private readonly plan: Plan,
    private readonly options: ApplyOptions,
  ) {
    const before = options.before ?? (() => {});
    this.#effects = new ApplyEffects(folder, before);
    this.#batch = new TrashBatch(id, folder, options.trash, before);
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
      await this.#batch.keep(this.plan, facts);
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
      this.#batch.keepLate(step, this.#effects);
      this.#effects.removeWhole(step.temporary);
    }
    for (const path of this.plan.emptied) this.#effects.removeIfEmpty(path);
    for (const { path, mode } of this.plan.folderModes) this.#effects.setMode(path, mode);
    this.#end(journal, true);
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
    this.#batch.close(keepTrash);
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
      // Copying and syncing many files takes its time: the host's other work goes on meanwhile.
      await breathe();
    }
    return staged;
  }

  #touchedFolders(): Set<string> {
    return new Set(this.plan.steps.flatMap(step => (step.do === 'setMode' ? [] : [parentOf(step.path)])));
  }

  #before(effect: string): void {
    this.options.before?.(effect);
  }
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
