import { asking } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { plainArithmetic } from './arithmetic.ts';

/** The longest line that is analysed, in UTF-16 code units. What is longer is asked, with a look at its beginning. */
export const maxLine = 16_384;

/**
 * What no parser reads as bash does, or what a person cannot see. A line with any of it is asked, whatever the parser
 * says. Where it comes from: differential tests against bash (arithmetic that bash takes for a nested command when it
 * does not parse; a line continuation inside `$'…'`), and characters that show as something else.
 */
export function prefilter(text: string): Finding[] {
  const findings: Finding[] = [];
  // The joiners inside a picture such as ⚠️ are part of it.
  const judged = /^[\x20-\x7e\t\n]*$/.test(text)
    ? ''
    : text.replaceAll(
        /(?<=\p{Extended_Pictographic}\ufe0f?)(?:\ufe0f|\u200d(?=\p{Extended_Pictographic}))/gu,
        'x',
      );
  for (const { code, pattern, message } of suspicious) {
    const match = pattern.exec(judged);
    if (match)
      findings.push(
        asking(code, message, [match.index, match.index + match[0].length], {
          risk: 60,
          cure: 'person',
          stays: false,
        }),
      );
  }
  if (text.includes('((') || text.includes('$[')) {
    const at = blankQuotes(text).search(/\(\(|\$\[/);
    if (at >= 0)
      findings.push(
        asking(
          'parse.arithmetic',
          'Arithmetic can run commands in ways that cannot be told beforehand.',
          [at, at + 2],
          { risk: 40, cure: 'person' },
        ),
      );
  }
  if (text.includes('\\\n') && (text.includes("$'") || text.includes('<<'))) {
    const at = text.indexOf('\\\n');
    findings.push(
      asking(
        'parse.continuation',
        'A continued line together with this kind of quoting is read differently by different shells.',
        [at, at + 2],
        { risk: 40, cure: 'person' },
      ),
    );
  }
  return findings;
}

const suspicious: readonly { code: string; pattern: RegExp; message: string }[] = [
  {
    code: 'parse.control',
    pattern: /[\x00-\x08\x0b-\x1f\x7f-\x9f]/,
    message: 'The line holds a control character.',
  },
  {
    code: 'parse.invisible',
    // Everything that Unicode says is ignored when shown, a format or private character, or a blank but the plain one.
    pattern: /\p{Default_Ignorable_Code_Point}|\p{Cf}|\p{Co}|\p{Cn}|\p{Zl}|\p{Zp}|(?! )\p{Zs}/u,
    message: 'The line holds a character that does not show, or looks like a blank and is none.',
  },
  {
    code: 'parse.malformed',
    pattern: /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/,
    message: 'The line is not well-formed text.',
  },
];

/**
 * The same text with what is inside single quotes, or is plain arithmetic, blanked. Where quoting is not
 * simple (`$'`, here-documents, comments) nothing is blanked.
 */
function blankQuotes(text: string): string {
  if (text.includes("$'") || text.includes('<<') || text.includes('#')) return text;
  const plain = text.replaceAll(plainArithmetic, match => ' '.repeat(match.length));
  let blanked = '';
  let quote: '' | '"' | "'" = '';
  for (let at = 0; at < plain.length; at++) {
    const character = plain[at] ?? '';
    if (quote === "'") {
      if (character === "'") quote = '';
      blanked += ' ';
      continue;
    }
    // Inside double quotes a substitution starts quoting afresh; that is too deep for this scanner.
    if (quote === '"' && (character === '`' || (character === '$' && plain[at + 1] === '('))) return text;
    blanked += character;
    if (character === '\\') {
      at += 1;
      blanked += plain[at] === undefined ? '' : ' ';
    } else if (character === '"') quote = quote === '"' ? '' : '"';
    else if (character === "'" && quote === '') quote = "'";
  }
  return blanked;
}
