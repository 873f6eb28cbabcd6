import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { replaceText } from '../../../sandbox/agent/replaceText.ts';

const one = (text: string, old_text: string, new_text: string, replace_all = false) =>
  replaceText(text, [{ old_text, new_text, replace_all }]);

test('a text that occurs once is replaced, and nothing else changes', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.string({ minLength: 1 }),
      fc.string(),
      fc.string(),
      (before, old, after, fresh) => {
        // Private-use characters around it make it unique.
        const wanted = `\ue000${old}\ue001`;
        fc.pre(!/[\ue000\ue001\r\n]/.test(before + old + after + fresh) && wanted !== fresh);
        expect(one(before + wanted + after, wanted, fresh)).toEqual({
          kind: 'replaced',
          text: before + fresh + after,
          count: 1,
        });
      },
    ),
  );
});

test('replacing everything leaves no occurrence that was there', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('x', 'y', '\n', '.'), { maxLength: 30 }), letters => {
      const text = `x${letters.join('')}`;
      expect(one(text, 'x', 'z', true)).toEqual({
        kind: 'replaced',
        text: text.replaceAll('x', 'z'),
        count: text.split('x').length - 1,
      });
    }),
  );
});

test('a file with \\r\\n keeps only such line ends, however the model writes them', () => {
  const line = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '$', '\\'), minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(
      fc.array(line, { minLength: 2, maxLength: 6 }),
      fc.array(line, { maxLength: 4 }),
      (lines, fresh) => {
        const marked = [...lines, 'UNIQUE', 'END'];
        const text = `${marked.join('\r\n')}\r\n`;
        const result = one(text, 'UNIQUE\nEND', fresh.join('\n'));
        expect(result).toEqual({
          kind: 'replaced',
          count: 1,
          text: `${[...lines, fresh.join('\r\n')].join('\r\n')}\r\n`,
        });
      },
    ),
  );
});

test('new text is taken literally: no pattern, no reference', () => {
  expect(one('price: X', 'X', '$& $1 \\n')).toEqual({ kind: 'replaced', text: 'price: $& $1 \\n', count: 1 });
  expect(one('a.c abc', 'a.c', 'x')).toEqual({ kind: 'replaced', text: 'x abc', count: 1 });
});

describe('what cannot be done is explained, and nothing is changed', () => {
  test.each([
    [
      'a\nb\na\n',
      'a',
      'x',
      'old_text occurs 2 times (lines 1, 3). Add surrounding lines so that it occurs once, or set replace_all.',
    ],
    ['a', '', 'x', 'old_text is empty. Give the exact text to replace.'],
    ['a', 'a', 'a', 'old_text and new_text are the same, so there is nothing to change.'],
    [
      'a',
      'b',
      'x',
      'old_text was not found. Read the file again and copy the text exactly, without the line numbers.',
    ],
  ])('in %j, %j', (text, old_text, new_text, message) => {
    expect(one(text, old_text, new_text)).toEqual({ kind: 'failed', message });
  });

  test('a place that differs in white space only is shown', () => {
    expect(one('if (x) {\n\treturn  1;\n}\n', '  return 1;\n}', 'x')).toEqual({
      kind: 'failed',
      message: 'old_text was not found. Lines 2-3 differ from it in white space only.',
      excerpt: '\treturn  1;\n}',
    });
  });

  test('the second of two', () => {
    expect(
      replaceText('a b', [
        { old_text: 'a', new_text: 'x' },
        { old_text: 'a', new_text: 'y' },
      ]),
    ).toMatchObject({
      kind: 'failed',
      message: expect.stringMatching(/^Edit 2 of 2: old_text was not found/) as unknown,
    });
  });
});

test('later replacements see what earlier ones wrote', () => {
  expect(
    replaceText('a', [
      { old_text: 'a', new_text: 'b' },
      { old_text: 'b', new_text: 'c' },
    ]),
  ).toEqual({ kind: 'replaced', text: 'c', count: 2 });
});

test('characters that were shown as marks can be matched by their marks', () => {
  expect(one('a\u200bb', 'a⟨U+200B⟩b', 'a⟨U+200B⟩c')).toEqual({
    kind: 'replaced',
    text: 'a\u200bc',
    count: 1,
  });
});
