import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { hunksOf, withHunks, type Hunk } from '../../../src/overlay/hunks.ts';
import { mergeContents } from '../../../src/overlay/merge.ts';

const line = fc.constantFrom('a\n', 'b\n', 'c\n', '\n', 'a\r\n', '\u2028\n', '@@ -1 +1 @@\n', '\xff\n');
const content = fc
  .tuple(fc.array(line, { maxLength: 30, size: 'max' }), fc.constantFrom('', 'end'))
  .map(([lines, end]) => Buffer.from(lines.join('') + end, 'latin1'));

function found(before: Buffer, after: Buffer): Hunk[] {
  const hunks = hunksOf(before, after);
  if (!hunks) throw new Error('took too long');
  return hunks;
}

test('all hunks make the second content, none leaves the first', () => {
  fc.assert(
    fc.property(content, content, (before, after) => {
      const hunks = found(before, after);
      expect(withHunks(before, hunks, new Set(hunks.keys()))).toEqual(after);
      expect(withHunks(before, hunks, new Set())).toEqual(before);
    }),
    { seed: 5, numRuns: 500 },
  );
});

test('choosing some hunks keeps every line outside of them, and the order', () => {
  const before = Buffer.from('1\n2\n3\n4\n5\n6\n7\n');
  const after = Buffer.from('0\n1\n2\nthree\n4\n5\n7\n8\n');
  const hunks = found(before, after);
  expect(hunks).toEqual([
    { beforeLine: 1, afterLine: 1, removed: [], added: ['0\n'] },
    { beforeLine: 3, afterLine: 4, removed: ['3\n'], added: ['three\n'] },
    { beforeLine: 6, afterLine: 7, removed: ['6\n'], added: [] },
    { beforeLine: 8, afterLine: 8, removed: [], added: ['8\n'] },
  ]);
  expect(withHunks(before, hunks, new Set([1, 3])).toString()).toBe('1\n2\nthree\n4\n5\n6\n7\n8\n');
});

test('a merge with a side that did nothing is the other side', () => {
  const ended = content.filter(each => each.length === 0 || each.at(-1) === 10);
  fc.assert(
    fc.property(ended, ended, (base, side) => {
      expect(mergeContents(base, base, side)).toEqual(side);
      expect(mergeContents(base, side, base)).toEqual(side);
      expect(mergeContents(base, side, side)).toEqual(side);
    }),
    { seed: 6, numRuns: 500 },
  );
});

test('both sides are in a merge, or there is none', () => {
  const base = Buffer.from('1\n2\n3\n4\n5\n');
  const merged = (ours: string, theirs: string) =>
    mergeContents(base, Buffer.from(ours), Buffer.from(theirs))?.toString();
  expect({
    apart: merged('one\n2\n3\n4\n5\n', '1\n2\n3\n4\nfive\n'),
    sameLine: merged('1\n2\nours\n4\n5\n', '1\n2\ntheirs\n4\n5\n'),
    deletedAndEdited: merged('1\n2\n4\n5\n', '1\n2\nthree\n4\n5\n'),
    binary: merged('1\n2\n3\n4\n\0\n', '1\n2\n3\n4\n5\n6\n'),
    lastLineWithoutEnd: merged('1\n2\n3\n4\n5', '1\n2\n3\n4\n5\n6\n'),
  }).toEqual({
    apart: 'one\n2\n3\n4\nfive\n',
    sameLine: undefined,
    deletedAndEdited: undefined,
    binary: undefined,
    lastLineWithoutEnd: undefined,
  });
});
