import { expect, test } from 'vitest';
import type { ChangeRow, HunkRow } from '../../../../src/host/review/changeRows.ts';
import { wantedOf } from '../../../../src/host/review/wanted.ts';
import type { ReviewedChange } from '../../../../src/session/changes/changesEngine.ts';

test('hunks of one file are one wish, with the version that was shown; the whole file takes them in', () => {
  const [a, b] = [change('a'), change('b')];
  expect(said([hunk(a, 2), hunk(b, 0), hunk(a, 0)])).toEqual([
    ['a', [2, 0], 'seen'],
    ['b', [0], 'seen'],
  ]);
  expect(said([hunk(a, 2), { kind: 'file', change: a }])).toEqual([['a', undefined, undefined]]);
});

test('a folder or turn stands for its files, each once', () => {
  const files = [change('a'), change('b')].map(each => ({ kind: 'file', change: each }) as const);
  const rows: ChangeRow[] = [
    { kind: 'folder', folder: '/w', files },
    { kind: 'turn', id: 't', label: 'T', files },
  ];
  expect(said(rows).map(([path]) => path)).toEqual(['a', 'b']);
});

function said(rows: readonly ChangeRow[]) {
  return wantedOf(rows).map(({ change, hunks, version }) => [change.path, hunks, version]);
}

function change(path: string): ReviewedChange {
  return {
    folder: '/w',
    path,
    kind: 'modified',
    was: 'file',
    is: 'file',
    binary: false,
    version: 'listed',
  };
}

function hunk(of: ReviewedChange, index: number): HunkRow {
  const hunk = { beforeLine: 1, afterLine: 1, removed: [], added: [] };
  return { kind: 'hunk', change: { ...of, version: 'seen' }, index, hunk };
}
