import { expect, test } from 'vitest';
import { diffLines } from '../../../webview/transcript/diffLines.ts';
import { terminalRuns } from '../../../webview/transcript/terminalText.ts';
import {
  absolutePath,
  linkedFile,
  mentionedFile,
  shownPath,
} from '../../../webview/markdown/fileReference.ts';
import { duration, tokens, when } from '../../../webview/quantities.ts';

const text = (output: string) =>
  terminalRuns(output)
    .map(run => run.text)
    .join('');

test('colours and weights of output become classes', () => {
  expect(terminalRuns('a\u001B[1;31mb\u001B[0mc')).toEqual([
    { text: 'a', classes: '' },
    { text: 'b', classes: 'ansi-red ansi-bold' },
    { text: 'c', classes: '' },
  ]);
});

test('a line that was rewritten shows what it ended as', () => {
  expect(text('10%\r50%\r100%\r\ndone\r\n')).toBe('100%\ndone\n');
});

test('every other sequence and control character is dropped', () => {
  expect(
    text(
      '\u001B[2J\u001B[1;1H\u001B]0;title\u0007\u001B]8;;http://x\u001B\\link\u001B]8;;\u001B\\\u001B(B\u001B7\b\u202Ex\u001B[?25l',
    ),
  ).toBe('linkx');
});

test('colours that no theme has leave the text plain', () => {
  expect(terminalRuns('\u001B[38;2;1;2;3mx\u001B[38;5;200my')).toEqual([
    { text: 'x', classes: 'ansi-truecolor' },
    { text: 'y', classes: expect.any(String) },
  ]);
});

test('the lines of a diff are numbered by their file', () => {
  expect(diffLines('@@ -3,2 +7,3 @@ f()\n a\n-b\n+c\n+d\n\\ No newline at end of file\n')).toEqual([
    { kind: 'hunk', text: '@@ -3,2 +7,3 @@ f()' },
    { kind: 'context', text: 'a', line: 7 },
    { kind: 'removed', text: 'b', line: 4 },
    { kind: 'added', text: 'c', line: 8 },
    { kind: 'added', text: 'd', line: 9 },
    { kind: 'note', text: '\\ No newline at end of file' },
  ]);
});

test.each([
  ['src/app.ts', { path: 'src/app.ts' }],
  ['src/app.ts:12', { path: 'src/app.ts', line: 12 }],
  ['src/app.ts:12:3', { path: 'src/app.ts', line: 12 }],
  ['app.ts#L7', { path: 'app.ts', line: 7 }],
  ['app.ts#L7-L9', { path: 'app.ts', line: 7 }],
  ['/abs/a b.ts', null],
  ['https://example.com/a.ts', null],
  ['javascript:alert(1)', null],
  ['mailto:1', null],
  ['//evil.example/x', null],
  ['#section', null],
  ['word', null],
])('the link target %s is the file %o', (target, reference) => {
  expect(linkedFile(target)).toEqual(reference);
});

test.each([
  ['src/app.ts', true],
  ['app.ts:3', true],
  ['app.ts', false],
  ['Array.from', false],
  ['a/b', false],
  ['1/2.5', false],
  ['npm run x.ts', false],
])('code that reads %s is a file: %s', (code, file) => {
  expect(mentionedFile(code) !== null).toBe(file);
});

test('paths are shown relative to their folder, and lead back from there', () => {
  const one = ['/home/ada/notes'];
  const two = ['/home/ada/notes', '/home/ada/site'];
  expect(shownPath(one, '/home/ada/notes/src/a.ts')).toBe('src/a.ts');
  expect(shownPath(one, '/home/ada/notes')).toBe('.');
  expect(shownPath(one, '/home/ada/notes2/a')).toBe('/home/ada/notes2/a');
  expect(shownPath(two, '/home/ada/site/a.ts')).toBe('site/a.ts');
  expect(absolutePath(one, './src/a.ts')).toBe('/home/ada/notes/src/a.ts');
  expect(absolutePath(two, 'site/a.ts')).toBe('/home/ada/site/a.ts');
  expect(absolutePath(two, 'src/a.ts')).toBe('/home/ada/notes/src/a.ts');
  expect(absolutePath(one, '/etc/hosts')).toBe('/etc/hosts');
});

test('quantities read as people write them', () => {
  expect([0, 340, 1_240, 59_999, 61_000, 3_723_000].map(duration)).toEqual([
    '0 ms',
    '340 ms',
    '1.2 s',
    '59.9 s',
    '1 min 1 s',
    '1 h 2 min',
  ]);
  expect([0, 999, 1_000, 12_340, 99_960, 999_949, 1_250_000].map(tokens)).toEqual([
    '0',
    '999',
    '1.0k',
    '12.3k',
    '100k',
    '1.0M',
    '1.3M',
  ]);
  const now = new Date(2026, 5, 15, 12).getTime();
  expect([0, 5, 180, 1_500, 4_500].map(minutes => when(now - minutes * 60_000, now))).toEqual([
    'just now',
    '5 min ago',
    '3 h ago',
    'yesterday',
    '3 days ago',
  ]);
});
