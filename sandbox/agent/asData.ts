import { randomBytes } from 'node:crypto';
import { cutMiddle } from './cutMiddle.ts';
import { legibleText } from './legibleText.ts';

/**
 * Text from outside, labelled as data with its source. The random id in the closing mark cannot be guessed by whoever
 * wrote the text, so the text cannot end its own quotation. Invisible characters are shown, the middle is cut.
 */
export function asData(source: string, text: string, max?: number): string {
  const id = randomBytes(4).toString('hex');
  const label = legibleText(source).replace(/["\n]/g, "'");
  const body = cutMiddle(legibleText(text), max);
  return `<data id="${id}" source="${label}">\n${body}${body.endsWith('\n') ? '' : '\n'}</data id="${id}">`;
}
