import { join } from 'node:path';
import { prepareAcceptance, type Conflict } from '../overlay/acceptance.ts';
import { applyChanges, type ApplyResult } from '../overlay/apply.ts';
import { Bases } from '../overlay/bases.ts';
import type { Change, OverlayFolder } from '../overlay/changeset.ts';
import { discardChanges } from '../overlay/discard.ts';
import { lookAtChanges, type Look } from '../overlay/lookAtChanges.ts';
import { newSecret } from '../overlay/newSecret.ts';
import { openOverlayRecord } from '../overlay/overlayRecord.ts';
import { closeSelection, isNamed } from '../overlay/selection.ts';
import { openTrash } from '../store/trash.ts';
import { protectionOf } from '../../sandbox/protectedPaths.ts';
import { whileClosed, type KeptSession } from './keptSession.ts';
import { stateDirectory } from './stateDirectory.ts';

/** A path that is protected, or holds a key, and was not named by itself; and what it could do. */
export interface HeldBack {
  readonly path: string;
  readonly because: string;
}

/** What taking over the changes of one folder comes to. Nothing was done yet. */
export interface PreparedApply {
  readonly chosen: readonly Change[];
  readonly heldBack: readonly HeldBack[];
  /** Names at which nothing was changed. */
  readonly unknown: readonly string[];
  readonly merged: readonly string[];
  readonly conflicts: readonly Conflict[];
  /** Takes them over, all or none; what is overwritten or deleted goes to the trash. */
  apply(): Promise<ApplyResult>;
}

/**
 * Looks at what a session would change in one of its folders. `names`: paths in the folder; none means all. Protected
 * paths and new keys, and what goes with them, stay out unless they were named by themselves.
 */
export async function prepareApply(
  session: KeptSession,
  folder: OverlayFolder,
  names: readonly string[],
): Promise<PreparedApply> {
  using look = await lookAtChanges(folder, { include: names });
  const { chosen, heldBack, unknown } = await choose(folder, look, names);
  const { desired, merged, conflicts } = await prepareAcceptance(
    folder,
    chosen.map(change => ({ change })),
    look.bases,
  );
  const apply = async () => {
    const state = stateDirectory();
    using trash = openTrash(join(state, 'trash'));
    const result = await applyChanges(folder.lower, desired, { journals: join(state, 'applies'), trash });
    if (result.kind === 'blocked') return result;
    using record = openOverlayRecord(folder.upper);
    new Bases(folder, record).applied(result.paths);
    // What is the user's own now need not lie in the overlay; where the session is open it stays until the next time.
    await whileClosed(session, () => discardChanges(folder, result.paths));
    return result;
  };
  return { chosen, heldBack, unknown, merged, conflicts, apply };
}

async function choose(
  folder: OverlayFolder,
  { changeset }: Look,
  names: readonly string[],
): Promise<{ chosen: Change[]; heldBack: HeldBack[]; unknown: string[] }> {
  const { changes } = changeset;
  const meant = changes.filter(({ path }) => names.length === 0 || isNamed(path, names));
  const selected = closeSelection(changes, new Set(meant.map(({ path }) => path)));
  const heldBack: HeldBack[] = [];
  for (const change of selected) {
    const { path } = change;
    if (names.includes(path)) continue;
    const because = protectionOf(path) ?? (await newSecret(folder, change));
    if (because !== undefined) heldBack.push({ path, because });
  }
  const held = new Set(heldBack.map(({ path }) => path));
  // A folder that goes cannot go without what is protected in it.
  const around = (path: string) => [...held].some(inner => inner.startsWith(`${path}/`));
  const chosen = selected.filter(
    ({ path, after }) => !held.has(path) && !(around(path) && after?.kind !== 'directory'),
  );
  const unknown = names.filter(name => name !== '' && !changes.some(({ path }) => isNamed(path, [name])));
  return { chosen, heldBack, unknown };
}
