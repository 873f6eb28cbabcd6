import { Bases } from './bases.ts';
import { readChangeset, type Changeset, type OverlayFolder, type ReadOptions } from './changeset.ts';
import { hashUpper } from './content.ts';
import { openOverlayRecord, type OverlayRecord } from './overlayRecord.ts';

/** The changes of an overlay as they are to be judged, and what the agent worked from. Disposing closes the record. */
export interface Look extends Disposable {
  readonly changeset: Changeset;
  readonly bases: Bases;
  readonly record: OverlayRecord;
}

/**
 * Reads the changes and notes their bases. Call it when a command or a turn ends, too: the sooner a change is seen, the
 * surer it is what the agent worked from. Files that were applied and not touched by the agent since are no changes,
 * whatever the user made of them.
 */
export async function lookAtChanges(
  folder: OverlayFolder,
  options: ReadOptions = {},
  record: OverlayRecord = openOverlayRecord(folder.upper),
  bases = new Bases(folder, record),
): Promise<Look> {
  try {
    const lookedAt = Date.now();
    const read = await readChangeset(folder, options);
    const changes = [];
    for (const change of read.changes) {
      const base = change.kind === 'modified' ? bases.find(change.path)?.content : undefined;
      const untouched = typeof base === 'string' && base === (await hashUpper(folder, change.path));
      if (!untouched) changes.push(change);
    }
    await bases.note(read, lookedAt);
    return {
      changeset: { ...read, changes },
      bases,
      record,
      [Symbol.dispose]: () => record[Symbol.dispose](),
    };
  } catch (error) {
    record[Symbol.dispose]();
    throw error;
  }
}
