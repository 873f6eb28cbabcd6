import { expect, test } from 'vitest';
import { visibleText } from '../../../src/base/visibleText.ts';

test.each([
  ['a right-to-left override', 'rm \u202Etxt', 'rm ⟨U+202E⟩txt'],
  ['a zero-width space', 'a\u200Bb', 'a⟨U+200B⟩b'],
  ['a tag character beyond the first plane', 'x\u{E0041}', 'x⟨U+E0041⟩'],
  ['an escape sequence', '\u001b[2J', '⟨U+001B⟩[2J'],
  ['a carriage return that would overwrite the line', 'safe\rrm -rf', 'safe⟨U+000D⟩rm -rf'],
  ['a line separator', 'a\u2028b', 'a⟨U+2028⟩b'],
  ['a Hangul filler that looks like a space', 'a\u3164b', 'a⟨U+3164⟩b'],
])('shows %s', (_, text, shown) => {
  expect(visibleText(text)).toBe(shown);
});

test('leaves ordinary text of any script, newlines and tabs alone', () => {
  const text = 'Grüße, 世界 😀\n\tend';
  expect(visibleText(text)).toBe(text);
});
