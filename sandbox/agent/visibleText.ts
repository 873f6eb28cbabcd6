import { stripVTControlCharacters } from 'node:util';

/**
 * Text from outside as the model may read it: terminal escape sequences are taken out; every other control, invisible,
 * bidirectional, tag or private-use character is written as `⟦U+XXXX⟧`. Tabs, newlines and whole emoji stay.
 */
export function visibleText(text: string): string {
  const plain = text.includes('\u001b') || text.includes('\u009b') ? stripVTControlCharacters(text) : text;
  return plain.replace(/\r\n/g, '\n').replace(hidden, found => (isHidden.test(found) ? mark(found) : found));
}

/**
 * Text that the model copied from what `visibleText` wrote, with the marks turned back into the characters they stand
 * for, so that lines holding such characters can still be edited.
 */
export function fromVisibleText(text: string): string {
  return text.replace(/⟦U\+([0-9A-F]{4,6})⟧/g, (whole, digits: string) => {
    const point = Number.parseInt(digits, 16);
    return point <= 0x10_ff_ff ? String.fromCodePoint(point) : whole;
  });
}

// Emoji first: inside a well-formed one, joiners and variation selectors are what they should be. Only sequences that
// Unicode lists are recognised, so tag characters cannot carry a message behind a flag.
const hidden = /\p{RGI_Emoji}|[[\p{Cc}\p{Cf}\p{Co}\p{Default_Ignorable_Code_Point}\u2028\u2029]--[\t\n]]/gv;
const isHidden = /^[[\p{Cc}\p{Cf}\p{Co}\p{Default_Ignorable_Code_Point}\u2028\u2029]--[\t\n]]$/v;

function mark(character: string): string {
  return `⟦U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟧`;
}
