import { randomBytes } from 'node:crypto';
import { cutMiddle } from './cutMiddle.ts';
import { visibleText } from './visibleText.ts';

/**
 * Text from outside, labelled as data with its source. The random id in the closing mark cannot be guessed by whoever
 * wrote the text, so the text cannot end its own quotation. Invisible characters are shown, the middle is cut.
 */
export function asData(source: string, text: string, max?: number): string {
  const id = randomBytes(4).toString('hex');
  const label = visibleText(source).replace(/["\n]/g, "'");
  const body = cutMiddle(visibleText(text), max);
  return `<data id="${id}" source="${label}">\n${body}${body.endsWith('\n') ? '' : '\n'}</data id="${id}">`;
}
