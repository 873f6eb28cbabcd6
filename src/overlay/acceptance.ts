import type { Desired, DesiredChange, Obstacle } from './applySteps.ts';
import type { Bases } from './bases.ts';
import type { Change, OverlayFolder } from './changeset.ts';
import { readLower, readUpper } from './content.ts';
import { desiredFor } from './desired.ts';
import { hunksOf, withHunks } from './hunks.ts';
import { mergeContents } from './merge.ts';

/** A change to accept: whole, or only these hunks of it (their places in `hunksOf`). */
export interface Accepted {
  readonly change: Change;
  readonly hunks?: ReadonlySet<number>;
}

/** The user's file is not what the agent worked from, and the two cannot be joined. */
export interface Conflict {
  readonly path: string;
  /**
   * `changed`: the user changed it too. `exists`: the user made one of that name. `vanished`: the user deleted it.
   * `unsure`: the user wrote to it while the agent worked, and which came first is not known.
   */
  readonly kind: 'changed' | 'exists' | 'vanished' | 'unsure';
}

export interface Acceptance {
  readonly desired: readonly DesiredChange[];
  /** Paths whose two sides were joined. */
  readonly merged: readonly string[];
  /** Paths of which hunks are taken beside what the user changed: the agent did not work from what comes of it. */
  readonly beside: readonly string[];
  readonly conflicts: readonly Conflict[];
}

/**
 * Works out what accepting asks of the user's folder. Where the user changed a file as well, both changes are joined;
 * where that cannot be done, the change is a conflict and is not among `desired`: nobody's work is overwritten.
 * `resolved` names paths for which the user chose the agent's version over theirs.
 */
export async function prepareAcceptance(
  folder: OverlayFolder,
  accepted: readonly Accepted[],
  bases: Bases,
  resolved: ReadonlySet<string> = new Set(),
): Promise<Acceptance> {
  const desired: DesiredChange[] = [];
  const merged: string[] = [];
  const beside: string[] = [];
  const conflicts: Conflict[] = [];
  for (const { change, hunks } of accepted) {
    const { path } = change;
    const wanted = hunks ? await desiredHunks(folder, change, hunks) : desiredFor(folder, change);
    // Folders hold nothing of their own, and permissions do not touch content.
    const isSafe = change.kind === 'mode' || (change.after?.kind === 'directory' && !change.before);
    if (isSafe || change.before?.kind === 'directory' || resolved.has(path)) desired.push(wanted);
    else if (await bases.isSame(path, change.before)) desired.push(wanted);
    else if (hunks && (await areUntouched(folder, change, hunks, bases))) {
      desired.push(wanted);
      beside.push(path);
    } else {
      const joined = hunks ? undefined : await merge(folder, change, wanted.desired, bases);
      if (joined) {
        desired.push({ ...wanted, desired: joined });
        merged.push(path);
      } else conflicts.push({ path, kind: conflictOf(change, bases) });
    }
  }
  return { desired, merged, beside, conflicts };
}

async function merge(
  folder: OverlayFolder,
  { path, before, after }: Change,
  wanted: Desired,
  bases: Bases,
): Promise<Desired | undefined> {
  if (wanted.kind !== 'file' || before?.kind !== 'file' || after?.kind !== 'file') return undefined;
  const base = bases.content(path);
  if (!base) return undefined;
  const content = mergeContents(base, await readLower(folder, path), await readUpper(folder, path));
  return content && { ...wanted, content };
}

async function desiredHunks(
  folder: OverlayFolder,
  change: Change,
  chosen: ReadonlySet<number>,
): Promise<DesiredChange> {
  const { path, before, after } = change;
  if (before?.kind !== 'file' || after?.kind !== 'file')
    throw new TypeError(`Only changes of a file have hunks: ${path}`);
  const old = await readLower(folder, path);
  const hunks = hunksOf(old, await readUpper(folder, path));
  if (!hunks) return desiredFor(folder, change);
  const content = withHunks(old, hunks, chosen);
  return { path, expected: before, desired: { kind: 'file', mode: before.mode, content } };
}

/** Whether the user changed the file in other places than those of these hunks, with a line between. */
async function areUntouched(
  folder: OverlayFolder,
  { path, before, after }: Change,
  chosen: ReadonlySet<number>,
  bases: Bases,
): Promise<boolean> {
  const base = bases.content(path);
  if (!base || before?.kind !== 'file' || after?.kind !== 'file') return false;
  const now = await readLower(folder, path);
  const theirs = hunksOf(now, await readUpper(folder, path));
  const ours = hunksOf(base, now);
  if (!theirs || !ours) return false;
  return theirs.every(
    ({ beforeLine, removed }, index) =>
      !chosen.has(index) ||
      ours.every(
        ({ afterLine, added }) =>
          beforeLine + removed.length < afterLine || afterLine + added.length < beforeLine,
      ),
  );
}

function conflictOf({ path, before }: Change, bases: Bases): Conflict['kind'] {
  const base = bases.find(path)?.identity;
  if (base === 'unknown') return 'unsure';
  if (!before) return 'vanished';
  return base === 'nothing' ? 'exists' : 'changed';
}

/** In words for the user, as the end of a line that names the path. */
export function obstacleWords(kind: Obstacle['kind'] | Conflict['kind']): string {
  switch (kind) {
    case 'changed':
      return 'you changed it too, in the same lines';
    case 'exists':
      return 'something of that name is there already';
    case 'vanished':
      return 'you deleted it';
    case 'unsure':
      return 'you changed it while the agent worked';
    case 'noFolder':
      return 'the folder around it is not there';
    case 'occupied':
      return 'the folder holds more than is to be deleted';
    case 'sameName':
      return 'this disk cannot tell its name from another one by case';
  }
}
