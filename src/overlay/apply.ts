import { CordonError } from '../base/errors.ts';
import { randomId, shortId } from '../base/ids.ts';
import { AnchoredFolder } from './anchoredFolder.ts';
import { readFacts } from './applyFacts.ts';
import { withApplyLock } from './applyLock.ts';
import { ApplyRun, type ApplyOptions } from './applyRun.ts';
import { planSteps, type DesiredChange, type Facts, type Obstacle } from './applySteps.ts';
import { Journal, openJournals, readJournal } from './journal.ts';

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
      const obstacle = await new ApplyRun(anchored, id, plan, options).run(changes, facts);
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
      const run = new ApplyRun(anchored, head.id, { ...head, done: [], obstacles: [] }, options);
      run.resume(journal, found.phase.phase, found.staged);
    } catch (cause) {
      throw notRecovered(head.folder, file, cause);
    }
    mended.push(head.folder);
  }
  return mended;
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

function notRecovered(folder: string, journal: string, cause: unknown): CordonError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CordonError(
    'apply.recover',
    `An interrupted apply to ${folder} can neither be finished nor undone (${reason}).`,
    `Mend the cause and try again. If the folder is gone for good, delete ${journal}.`,
    { cause },
  );
}
