import { stripVTControlCharacters } from 'node:util';
import { visibleText } from '../../src/base/visibleText.ts';

/**
 * Text from outside as the model may read it: terminal escape sequences are taken out; every other control, invisible,
 * bidirectional, tag or private-use character is written as `⟨U+202E⟩`. Tabs, newlines and whole emoji stay.
 */
export function legibleText(text: string): string {
  const plain = hasEscapes.test(text) ? stripVTControlCharacters(text) : text;
  return plain
    .replaceAll('\r\n', '\n')
    .replace(emojiOrHidden, found => (emoji.test(found) ? found : visibleText(found)));
}

/**
 * Text that the model copied from what `legibleText` wrote, with the marks turned back into the characters they stand
 * for, so that lines holding such characters can still be edited.
 */
export function fromLegibleText(text: string): string {
  return text.replace(/⟨U\+([0-9A-F]{4,6})⟩/g, (whole, digits: string) => {
    const point = Number.parseInt(digits, 16);
    return point <= 0x10_ff_ff ? String.fromCodePoint(point) : whole;
  });
}

const hasEscapes = /[\u001b\u009b]/;

// Emoji first: inside a well-formed one, joiners and variation selectors are what they should be. Only sequences that
// Unicode lists are recognised, so tag characters cannot carry a message behind a flag.
const emojiOrHidden = /\p{RGI_Emoji}|[\p{Cc}\p{Cf}\p{Co}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gv;
const emoji = /^\p{RGI_Emoji}$/v;
