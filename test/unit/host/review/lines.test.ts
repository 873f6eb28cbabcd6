import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commentPrompt } from '../../../../src/host/review/commentPrompt.ts';
import { hunkAt } from '../../../../src/host/review/hunkAt.ts';
import { lineEdits } from '../../../../src/host/review/lineEdits.ts';

test('the edits of lines make the one text of the other, whatever both are', () => {
  const text = fc.array(fc.constantFrom('a\n', 'ü\n', '\n', 'b\r\n', 'c'), { maxLength: 8 });
  fc.assert(
    fc.property(text, text, (one, other) => {
      const [before, after] = [one.join(''), other.join('')];
      const lines = before.match(/[^\n]*\n|[^\n]+$/g) ?? [];
      for (const { from, to, text } of (lineEdits(before, after) ?? []).toReversed())
        lines.splice(from, to - from, text);
      expect(lines.join('')).toBe(after);
    }),
  );
});

test('the hunk at a line is the one around it, else the next, else the last', () => {
  const hunks = [
    { beforeLine: 2, afterLine: 2, removed: ['x\n'], added: ['a\n', 'b\n', 'c\n'] },
    { beforeLine: 9, afterLine: 11, removed: ['y\n', 'z\n'], added: [] },
  ];
  const at = (side: 'agent' | 'user') => (line: number) => hunkAt(hunks, { side, line });
  expect([1, 2, 4, 5, 11, 30].map(at('agent'))).toEqual([0, 0, 0, 1, 1, 1]);
  expect([1, 2, 3, 10, 30].map(at('user'))).toEqual([0, 0, 1, 1, 1]);
});

test('comments become one prompt in the order of their places, each with its lines', () => {
  const prompt = commentPrompt([
    { path: 'b.js', from: 3, to: 3, quote: ['  return x;'], texts: ['Why?', 'And test it.'] },
    { path: 'a.js', from: 1, to: 2, quote: ['// a', '// b'], texts: ['Shorter.'] },
  ]);
  expect(prompt).toBe(`I read your changes. Please see to these comments:

a.js:1-2
> // a
> // b

Shorter.

b.js:3
>   return x;

Why?
And test it.`);
});
