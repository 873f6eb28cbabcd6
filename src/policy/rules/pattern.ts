/** One place in a pattern: a literal word, `*` for any one word, or `**` for whatever follows, also nothing. */
export type PatternWord =
  { readonly kind: 'word'; readonly text: string } | { readonly kind: 'one' } | { readonly kind: 'rest' };

export type Pattern = readonly PatternWord[];

/** The longest pattern that is read, in UTF-16 code units. */
const maxPattern = 1_000;

/**
 * Reads a pattern as it stands in settings: words separated by blanks. A word in single or double quotes, or after a
 * backslash, means itself, so `'*'` is a literal star. Returns a sentence instead when it cannot be read.
 */
export function parsePattern(text: string): Pattern | string {
  if (text.length > maxPattern) return `The pattern is longer than ${maxPattern} characters.`;
  const words: PatternWord[] = [];
  const scanner = /\s+|((?:[^\s'"\\]|\\[^]|'[^']*'|"(?:[^"\\]|\\[^])*")+)|[^]/gy;
  for (const match of text.matchAll(scanner)) {
    const [whole, source] = match;
    if (/^\s+$/.test(whole)) continue;
    if (source === undefined) return 'A quote is not closed.';
    if (words.at(-1)?.kind === 'rest') return '`**` must be the last word.';
    if (source === '*') words.push({ kind: 'one' });
    else if (source === '**') words.push({ kind: 'rest' });
    else if (/^(?:[^'"\\]|\\[^]|'[^']*'|"(?:[^"\\]|\\[^])*")*$/.test(source) && bareStar(source))
      return `\`${source}\`: a star inside a word is no wildcard; write \`*\` for a whole word, or quote it to mean a star.`;
    else words.push({ kind: 'word', text: unquote(source) });
  }
  const [first] = words;
  if (first === undefined) return 'The pattern is empty.';
  if (first.kind !== 'word')
    return 'The first word must be the name of a command; a wildcard there would match everything.';
  if (/[\0-\x1f\x7f]/.test(text)) return 'The pattern holds control characters.';
  return words;
}

/** Writes words as a pattern that matches exactly them. */
export function patternOf(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

/** Writes one word so that it means itself in a pattern. */
export function quoteWord(word: string): string {
  return /^[^\s'"\\*]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

function bareStar(source: string): boolean {
  return source.replaceAll(/\\[^]|'[^']*'|"(?:[^"\\]|\\[^])*"/g, '').includes('*');
}

function unquote(source: string): string {
  return source.replaceAll(
    /\\([^])|'([^']*)'|"((?:[^"\\]|\\[^])*)"/g,
    (_whole, escaped: string | undefined, single: string | undefined, double: string | undefined) => {
      return escaped ?? single ?? (double ?? '').replaceAll(/\\([^])/g, '$1');
    },
  );
}
