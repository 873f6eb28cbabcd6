import { hunksOf } from '../../overlay/hunks.ts';

/** Whole lines to replace: `from` inclusive, `to` exclusive, both counted from 0. */
interface LineEdit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * What makes one text of another, so that an editor keeps the cursor and folds wherever nothing changes. Undefined when
 * it takes too long to find.
 */
export function lineEdits(before: string, after: string): LineEdit[] | undefined {
  return hunksOf(Buffer.from(before), Buffer.from(after))?.map(({ beforeLine, removed, added }) => ({
    from: beforeLine - 1,
    to: beforeLine - 1 + removed.length,
    text: Buffer.from(added.join(''), 'latin1').toString('utf8'),
  }));
}
