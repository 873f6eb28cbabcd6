import { expect, test } from 'vitest';
import {
  changeLetter,
  changeWords,
  hunkLines,
  hunkText,
  rowsOf,
  turnsOf,
  type ChangeRow,
} from '../../../../src/host/review/changeRows.ts';
import type { TranscriptItem } from '../../../../src/protocol/transcript.ts';
import type { ReviewedChange } from '../../../../src/session/changes/changesEngine.ts';

test('a folder that came with files in it, and the half of a rename that went, have no line of their own', () => {
  const changes = [
    change({ path: 'docs', kind: 'added', was: null, is: 'directory' }),
    change({ path: 'docs/a.md', kind: 'added', was: null, renamed: 'old.md' }),
    change({ path: 'empty', kind: 'added', was: null, is: 'directory' }),
    change({ path: 'old.md', kind: 'deleted', is: null, renamed: 'docs/a.md' }),
  ];
  expect(named(rowsOf([{ folder: '/w', changes, groups: [] }], [], 'folder'))).toEqual([
    'docs/a.md',
    'empty',
  ]);
});

test('several folders are lines of their own, one is not, and outputs come last', () => {
  const group = { kind: 'ignored', name: 'dist/', paths: ['dist'], files: 3 } as const;
  const one = { folder: '/w', changes: [change({ path: 'a' })], groups: [group] };
  const other = { folder: '/x', changes: [change({ path: 'b', folder: '/x' })], groups: [] };
  expect(named(rowsOf([one], [], 'folder'))).toEqual(['a', 'dist/']);
  expect(named(rowsOf([one, other], [], 'folder'))).toEqual(['/w [a]', '/x [b]', 'dist/']);
});

test('by turn, a file stands under the last turn that wrote it, the newest turn first', () => {
  const changes = ['a', 'b', 'c'].map(path => change({ path }));
  const items: TranscriptItem[] = [
    { kind: 'user', id: 'u1', at: 0, text: 'First\nand more' },
    end('e1', ['/w/a', '/w/b']),
    { kind: 'user', id: 'u2', at: 0, text: 'Second' },
    end('e2', ['/w/b']),
  ];
  expect(named(rowsOf([{ folder: '/w', changes, groups: [] }], items, 'turn'))).toEqual([
    'Second [b]',
    'First [a]',
    'Other changes [c]',
  ]);
  expect(turnsOf(items).map(({ id, paths }) => [id, [...paths]])).toEqual([
    ['u1', ['/w/a', '/w/b']],
    ['u2', ['/w/b']],
  ]);
});

test('a change is said in words, hidden characters shown', () => {
  expect([
    changeWords(change({ added: 3, removed: 1 })),
    changeWords(change({ kind: 'mode', mode: { was: '644', is: '755' } })),
    changeWords(change({ kind: 'added', renamed: 'a\u202Eb', added: 4, removed: 0 })),
    changeWords(change({ mode: { was: '644', is: '755' }, added: 1, removed: 0 })),
    changeWords(change({ kind: 'replaced', was: 'file', is: 'directory' })),
    changeWords(change({ kind: 'added', was: null, is: 'symlink' })),
    changeWords(change({ kind: 'deleted', was: 'directory', is: null })),
    changeWords(change({ binary: true })),
  ]).toEqual([
    'modified, 3 lines added, 1 removed',
    'permissions 644 → 755',
    'renamed from a⟨U+202E⟩b',
    'modified, permissions 644 → 755, 1 line added, 0 removed',
    'file replaced by folder',
    'link, added',
    'folder, deleted',
    'modified, not text',
  ]);
  expect(
    (['added', 'modified', 'deleted', 'mode', 'replaced'] as const).map(kind =>
      changeLetter(change({ kind })),
    ),
  ).toEqual(['A', 'M', 'D', 'M', 'T']);
});

test('a hunk is named by its lines and the first that says something, as UTF-8', () => {
  const bytes = (text: string) => Buffer.from(text).toString('latin1');
  const hunk = { beforeLine: 4, afterLine: 7, removed: ['x\n'], added: ['\n', bytes('  größer\n')] };
  expect([hunkLines(hunk), hunkText(hunk)]).toEqual(['7–8', 'größer']);
  expect(hunkLines({ ...hunk, added: [] })).toBe('4');
});

function change(changes: Partial<ReviewedChange>): ReviewedChange {
  return {
    folder: '/w',
    path: 'a',
    kind: 'modified',
    was: 'file',
    is: 'file',
    binary: false,
    version: '1',
    ...changes,
  };
}

function end(id: string, files: string[]): TranscriptItem {
  return { kind: 'turnEnd', id, at: 0, reason: 'done', changed: { files, count: files.length, others: 0 } };
}

function named(rows: readonly ChangeRow[]): string[] {
  return rows.map(row => {
    switch (row.kind) {
      case 'file':
      case 'hunk':
        return row.change.path;
      case 'outputs':
        return row.group.name;
      case 'folder':
        return `${row.folder} [${named(row.files).join()}]`;
      case 'turn':
        return `${row.label} [${named(row.files).join()}]`;
    }
  });
}
