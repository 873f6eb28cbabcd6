import type { Choice } from '../../session/changes/changesEngine.ts';
import { filesOf, type ChangeRow } from './changeRows.ts';
import { samePath } from './samePath.ts';
import type { Wanted } from './takeOver.ts';

/** Hunks of one file are one wish; a line for the whole file takes them in. */
export function wantedOf(rows: readonly ChangeRow[]): Wanted[] {
  const files = rows.flatMap(filesOf).map(({ change }): Wanted => ({ change }));
  const wanted = files.filter((one, at) => files.findIndex(each => samePath(each.change, one.change)) === at);
  for (const row of rows) {
    if (row.kind !== 'hunk') continue;
    const at = wanted.findIndex(each => samePath(each.change, row.change));
    const own = wanted[at];
    if (own && own.hunks === undefined) continue;
    const hunks = [...(own?.hunks ?? []), row.index];
    const merged = { change: row.change, hunks, version: row.change.version };
    if (own) wanted[at] = merged;
    else wanted.push(merged);
  }
  return wanted;
}

export function choiceOf({ change, hunks, version = change.version }: Wanted): Choice {
  const { folder, path } = change;
  return { folder, path, version, ...(hunks ? { hunks } : {}) };
}
