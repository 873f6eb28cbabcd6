import { literal, mayBeOption } from '../shell/field.ts';
import type { Field } from '../shell/field.ts';
import type { Pattern } from './pattern.ts';

/**
 * Matches a pattern on parsed words. Returns the indices of the words that the pattern names literally (what only
 * matched a wildcard is not among them), or undefined when it does not match.
 *
 * A wildcard takes a word whose text is not wholly known only when it cannot turn into an option or into a path that
 * nobody saw: a glob with a literal beginning, nothing more open than that.
 */
export function matchPattern(pattern: Pattern, words: readonly Field[]): ReadonlySet<number> | undefined {
  const named = new Set<number>();
  for (const [index, part] of pattern.entries()) {
    if (part.kind === 'rest') return words.slice(index).every(isGrantable) ? named : undefined;
    const word = words[index];
    if (word === undefined) return undefined;
    if (part.kind === 'one') {
      if (!isGrantable(word)) return undefined;
    } else {
      if (literal(word) !== part.text) return undefined;
      named.add(index);
    }
  }
  return words.length === pattern.length ? named : undefined;
}

/**
 * The same for rules that forbid or ask, generously: the name counts without its folder, and what is not known may be
 * anything, so that the answer can be `maybe`.
 */
export function mayMatchPattern(pattern: Pattern, words: readonly Field[]): 'yes' | 'maybe' | 'no' {
  let sure = true;
  for (const [index, part] of pattern.entries()) {
    const word = words[index];
    if (part.kind === 'rest') return sure ? 'yes' : 'maybe';
    // An unquoted variable may be several words, and all after it moves.
    if (words.slice(0, index + 1).some(splits)) return 'maybe';
    if (word === undefined) return 'no';
    if (part.kind === 'one') continue;
    const text = literal(word);
    if (text === undefined) sure = false;
    else if (text !== part.text && !(index === 0 && text.slice(text.lastIndexOf('/') + 1) === part.text))
      return 'no';
  }
  if (words.length !== pattern.length) return words.some(splits) ? 'maybe' : 'no';
  return sure ? 'yes' : 'maybe';
}

function splits(word: Field): boolean {
  return word.pieces.some(
    piece => piece.kind === 'glob' || piece.kind === 'listed' || (piece.kind === 'open' && piece.splits),
  );
}

function isGrantable(word: Field): boolean {
  return (
    word.pieces.every(
      piece => piece.kind === 'text' || piece.kind === 'digits' || (piece.kind === 'glob' && !piece.resplit),
    ) && !(mayBeOption(word) && literal(word) === undefined)
  );
}
