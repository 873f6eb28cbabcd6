import { setImmediate as breathe } from 'node:timers/promises';
import type { AnchoredFolder } from './anchoredFolder.ts';
import { InTheWay, type ApplyEffects } from './applyEffects.ts';
import type { Facts, Plan, Step } from './applySteps.ts';
import type { Discarded, Trash } from './discarded.ts';

/** What one apply throws away, as the trash keeps it: one batch, which counts once the apply is done. */
export class TrashBatch {
  constructor(
    private readonly id: string,
    private readonly folder: AnchoredFolder,
    private readonly trash: Trash,
    /** Called ahead of every effect on the disk. */
    private readonly before: (effect: string) => void,
  ) {}

  /** What the plan overwrites and deletes, copied, and what it makes or only changes the permissions of. */
  async keep(plan: Plan, facts: Facts): Promise<void> {
    const items: Discarded[] = [];
    const add = async (path: string, why: Discarded['why']) => {
      const entry = facts.entries.get(path);
      if (!entry || entry.kind === 'special') return;
      const common = { folder: this.folder.path, path, why, kind: entry.kind };
      if (entry.kind === 'symlink') items.push({ ...common, mode: 0o777, size: 0, content: entry.target });
      else if (entry.kind === 'directory') items.push({ ...common, mode: entry.mode, size: 0, content: '' });
      else {
        this.before(`keep ${path}`);
        const stored = this.folder.at(path, place => this.trash.store(place));
        items.push({ ...common, mode: entry.mode, ...stored });
        // Copying and syncing many files takes its time: the host's other work goes on meanwhile.
        await breathe();
      }
    };
    for (const step of plan.steps)
      if (step.do === 'putAway')
        for (const inner of Object.keys(step.identities))
          await add(
            inner === '' ? step.path : `${step.path}/${inner}`,
            step.replaced ? 'overwritten' : 'deleted',
          );
    for (const path of plan.emptied) await add(path, 'deleted');
    // What was made or only changed its permissions has no content to keep, but a place in the undoing of it all.
    for (const step of plan.steps) {
      const [common, before] = [{ folder: this.folder.path, path: step.path }, facts.entries.get(step.path)];
      if (step.do === 'setMode' && before && before.kind !== 'special')
        items.push({ ...common, why: 'mode', kind: before.kind, mode: step.from, size: 0, content: '' });
      if (before || (step.do !== 'place' && step.do !== 'makeFolder')) continue;
      const kind = step.do === 'place' ? step.desired : 'directory';
      items.push({ ...common, why: 'made', kind, mode: 0, size: 0, content: '' });
    }
    this.before('note');
    if (items.length > 0) this.trash.note(this.id, items);
  }

  /** A save that reached a file after it was put away, through a program that had it open, goes to the trash too. */
  keepLate(step: Extract<Step, { do: 'putAway' }>, effects: ApplyEffects): void {
    try {
      effects.checkAway(step.temporary, step.path, step.identities);
    } catch (error) {
      if (!(error instanceof InTheWay)) throw error;
      const items = [...effects.filesBelow(step.temporary)].map(({ path, mode }): Discarded => {
        this.before(`keep ${path}`);
        const stored = this.folder.at(path, place => this.trash.store(place));
        const inner = step.path + path.slice(step.temporary.length);
        return { folder: this.folder.path, path: inner, why: 'overwritten', kind: 'file', mode, ...stored };
      });
      this.trash.note(this.id, items);
    }
  }

  /** The apply is over, and threw it away or did not. */
  close(isThrownAway: boolean): void {
    if (isThrownAway) this.trash.keep(this.id);
    else this.trash.forget(this.id);
  }
}
