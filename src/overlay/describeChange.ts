import { protectionOf } from '../../sandbox/protectedPaths.ts';
import type { Change, OverlayFolder } from './changeset.ts';
import { readLower, readUpper } from './content.ts';
import type { Entry } from './entry.ts';
import { hunksOf } from './hunks.ts';

/** One change in plain data, for programs and people. */
export interface DescribedChange {
  /** Relative to the folder, as in `Change`. */
  readonly path: string;
  readonly kind: Change['kind'];
  /** What lies there in the user's folder and in the overlay. Null: nothing. */
  readonly was: Entry['kind'] | null;
  readonly is: Entry['kind'] | null;
  /** Set when the permissions differ, in octal digits. */
  readonly mode?: { readonly was: string; readonly is: string };
  readonly binary: boolean;
  /** The other half of a rename, as in `Change`. */
  readonly renamed?: string;
  /** Lines; absent for what is not text on both sides, or is too long to compare. */
  readonly added?: number;
  readonly removed?: number;
  /** Set for a path that can run code or change policy later: what it could do, as the end of "it …". */
  readonly protectedBecause?: string;
}

export async function describeChange(folder: OverlayFolder, change: Change): Promise<DescribedChange> {
  const { path, kind, before, after, binary, renamed } = change;
  const because = protectionOf(path);
  const differ = before && after && 'mode' in before && 'mode' in after && before.mode !== after.mode;
  return {
    path,
    kind,
    was: before?.kind ?? null,
    is: after?.kind ?? null,
    ...(differ ? { mode: { was: before.mode.toString(8), is: after.mode.toString(8) } } : {}),
    binary,
    ...(renamed === undefined ? {} : { renamed }),
    ...(await countLines(folder, change)),
    ...(because === undefined ? {} : { protectedBecause: because }),
  };
}

/** Both sides of a change as they can be compared by lines; what is not there is empty. Undefined for anything else. */
export async function textSides(
  folder: OverlayFolder,
  { path, before, after, binary }: Change,
): Promise<[Buffer, Buffer] | undefined> {
  const sides = [before, after].filter(side => side !== null);
  if (binary || sides.some(side => side.kind !== 'file' || side.size > longest)) return undefined;
  const nothing = Promise.resolve(Buffer.alloc(0));
  return await Promise.all([
    before ? readLower(folder, path) : nothing,
    after ? readUpper(folder, path) : nothing,
  ]);
}

/** Bytes of a text that is compared. */
const longest = 2 * 1024 * 1024;

async function countLines(
  folder: OverlayFolder,
  change: Change,
): Promise<{ added: number; removed: number } | undefined> {
  const sides = await textSides(folder, change);
  const hunks = sides && hunksOf(...sides);
  return (
    hunks?.reduce(
      (sum, { added, removed }) => ({
        added: sum.added + added.length,
        removed: sum.removed + removed.length,
      }),
      { added: 0, removed: 0 },
    ) ?? undefined
  );
}
