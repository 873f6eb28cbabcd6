import type { Hunk } from '../../overlay/hunks.ts';

interface Place {
  /** Whose text the line is in. */
  readonly side: 'agent' | 'user';
  /** Counted from 1. */
  readonly line: number;
}

/** The place of the hunk at this line: the one that covers or touches it, else the next one, else the last. */
export function hunkAt(hunks: readonly Hunk[], { side, line }: Place): number {
  const next = hunks.findIndex(({ afterLine, beforeLine, added, removed }) => {
    const [from, count] = side === 'agent' ? [afterLine, added.length] : [beforeLine, removed.length];
    return line <= from + Math.max(count, 1) - 1;
  });
  return next < 0 ? hunks.length - 1 : next;
}
