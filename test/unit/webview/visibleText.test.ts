import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { pieces, segments, spelledOut } from '../../../webview/approval/visibleText.ts';

test.each([
  ['right-to-left override', 'a\u202Eb', 'a⟨U+202E⟩b'],
  ['zero-width space', 'a\u200Bb', 'a⟨U+200B⟩b'],
  ['no-break space', 'a\u00A0b', 'a⟨U+00A0⟩b'],
  ['tag character', 'a\u{E0041}b', 'a⟨U+E0041⟩b'],
  ['variation selector', 'a\uFE0Fb', 'a⟨U+FE0F⟩b'],
  ['hangul filler', 'a\u3164b', 'a⟨U+3164⟩b'],
  ['escape', 'a\u001B[8mb', 'a⟨U+001B⟩[8mb'],
  ['carriage return', 'a\rb', 'a⟨U+000D⟩b'],
  ['null', 'a\0b', 'a⟨U+0000⟩b'],
  ['private use', 'a\uE000b', 'a⟨U+E000⟩b'],
  ['lone surrogate', 'a\uD800b', 'a⟨U+D800⟩b'],
  ['line separator', 'a\u2028b', 'a⟨U+2028⟩b'],
])('a %s is shown by its name', (_name, text, shown) => {
  expect(spelledOut(text)).toBe(shown);
});

test('plain text, line feeds, tabs and letters of any script stay as they are', () => {
  const text = 'echo "héllo" \\\n\t日本語 → 🙂';
  expect(pieces(text)).toEqual([{ kind: 'text', text }]);
});

test('nothing of a text is lost: what is not named is there', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const rebuilt = pieces(text)
        .map(piece =>
          piece.kind === 'text' ? piece.text : String.fromCodePoint(Number.parseInt(piece.name.slice(2), 16)),
        )
        .join('');
      expect(rebuilt).toBe(text);
    }),
  );
});

const reason = (from: number, to: number) => ({
  code: 'x',
  message: `${from}-${to}`,
  span: [from, to] as [number, number],
});

test('a command is cut where reasons begin and end', () => {
  expect(segments('rm -rf a | sh', [reason(0, 6), reason(3, 6), reason(9, 13)])).toEqual([
    { text: 'rm ', reasons: [reason(0, 6)] },
    { text: '-rf', reasons: [reason(0, 6), reason(3, 6)] },
    { text: ' a ', reasons: [] },
    { text: '| sh', reasons: [reason(9, 13)] },
  ]);
});

test('a reason about everything or nothing, or beyond the end, marks no part of it', () => {
  expect(segments('ls', [reason(0, 2), reason(0, 99), reason(1, 1), reason(7, 9)])).toEqual([
    { text: 'ls', reasons: [] },
  ]);
});

test('the segments are the command, whatever the spans', () => {
  const spans = fc.array(fc.tuple(fc.nat(40), fc.nat(40)));
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), spans, (command, drawn) => {
      const cut = segments(
        command,
        drawn.map(([from, to]) => reason(from, to)),
      );
      expect(cut.map(segment => segment.text).join('')).toBe(command);
    }),
  );
});
