import { fromLegibleText } from './legibleText.ts';

export interface Replacement {
  readonly old_text: string;
  readonly new_text: string;
  readonly replace_all?: boolean | undefined;
}

export type Replaced =
  | { readonly kind: 'replaced'; readonly text: string; readonly count: number }
  /**
   * `message` is for the model: which replacement failed, and how to do better. Nothing was replaced. `excerpt` is the
   * text of the file that was probably meant.
   */
  | { readonly kind: 'failed'; readonly message: string; readonly excerpt?: string };

/**
 * Applies exact replacements one after the other, all or none. Each `old_text` must occur exactly once, unless
 * `replace_all`. A line end in `old_text` matches `\n` and `\r\n`; new text takes the line ends of what it replaces,
 * so a file keeps the ones it has.
 */
export function replaceText(text: string, replacements: readonly Replacement[]): Replaced {
  let current = text;
  let count = 0;
  for (const [index, replacement] of replacements.entries()) {
    const which = replacements.length === 1 ? '' : `Edit ${index + 1} of ${replacements.length}: `;
    const found = find(current, replacement);
    if ('message' in found) return { kind: 'failed', ...found, message: `${which}${found.message}` };
    current = substitute(current, found.matches, found.newText);
    count += found.matches.length;
  }
  return { kind: 'replaced', text: current, count };
}

interface Match {
  readonly from: number;
  readonly to: number;
}

interface NotFound {
  readonly message: string;
  readonly excerpt?: string;
}

function find(text: string, wanted: Replacement): { matches: Match[]; newText: string } | NotFound {
  if (wanted.old_text === '') return { message: 'old_text is empty. Give the exact text to replace.' };
  if (wanted.old_text === wanted.new_text)
    return { message: 'old_text and new_text are the same, so there is nothing to change.' };
  let matches = occurrences(text, wanted.old_text);
  let newText = wanted.new_text;
  const decoded = fromLegibleText(wanted.old_text);
  if (matches.length === 0 && decoded !== wanted.old_text) {
    // The model copied characters that it was shown as marks.
    matches = occurrences(text, decoded);
    newText = fromLegibleText(newText);
  }
  if (matches.length === 0) return nearest(text, wanted.old_text);
  if (matches.length > 1 && wanted.replace_all !== true) {
    const lines = matches.slice(0, 5).map(match => lineOf(text, match.from));
    return {
      message:
        `old_text occurs ${matches.length} times (lines ${lines.join(', ')}${matches.length > 5 ? ', …' : ''}). ` +
        'Add surrounding lines so that it occurs once, or set replace_all.',
    };
  }
  return { matches, newText };
}

/** Without overlaps, from the start. */
function occurrences(text: string, wanted: string): Match[] {
  const pattern = new RegExp(wanted.split(/\r?\n/).map(escaped).join('\\r?\\n'), 'g');
  return [...text.matchAll(pattern)].map(match => ({ from: match.index, to: match.index + match[0].length }));
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function substitute(text: string, matches: readonly Match[], newText: string): string {
  const usual = /\r?\n/.exec(text)?.[0] ?? '\n';
  let result = '';
  let last = 0;
  for (const { from, to } of matches) {
    const lineEnd = /\r?\n/.exec(text.slice(from, to))?.[0] ?? usual;
    result += text.slice(last, from) + newText.replace(/\r?\n/g, () => lineEnd);
    last = to;
  }
  return result + text.slice(last);
}

/** What the model probably meant: the place that differs in white space only. */
function nearest(text: string, wanted: string): NotFound {
  const lines = text.split(/\r?\n/);
  const target = wanted.split(/\r?\n/).map(squeezed);
  while (target.length > 1 && target[0] === '') target.shift();
  while (target.length > 1 && target.at(-1) === '') target.pop();
  const squeezedLines = lines.map(squeezed);
  const at = squeezedLines.findIndex((_, start) =>
    target.every((line, offset) => squeezedLines[start + offset] === line),
  );
  if (at < 0 || target.every(line => line === ''))
    return {
      message:
        'old_text was not found. Read the file again and copy the text exactly, without the line numbers.',
    };
  return {
    message: `old_text was not found. Lines ${at + 1}-${at + target.length} differ from it in white space only.`,
    excerpt: lines.slice(at, at + Math.min(target.length, 40)).join('\n'),
  };
}

function squeezed(line: string): string {
  return line.replace(/\s+/g, ' ').trim();
}

function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
