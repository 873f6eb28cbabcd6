import type { Piece } from './field.ts';
import { numberVariables } from './variables.ts';

/** Numbers alone, with whatever may stand between them. */
const numbers = /^\$\(\([\d\s+*/%<>=-]*\)\)$/;
/** Names and numbers with one operator between any two: nothing is assigned, indexed or called. */
const terms = /^\$\(\(\s*(?:\$?[A-Za-z_]\w*|\d+)(?:\s*[-+*/%]\s*(?:\$?[A-Za-z_]\w*|\d+))*\s*\)\)$/;

/** The same for a text in which such arithmetic may stand anywhere. */
export const plainArithmetic =
  /\$\(\([\d\s+*/%<>=-]*\)\)|\$\(\(\s*(?:\$?[A-Za-z_]\w*|\d+)(?:\s*[-+*/%]\s*(?:\$?[A-Za-z_]\w*|\d+))*\s*\)\)/g;

/**
 * True for `$((…))` that does nothing but count. A variable in it counts by what it holds, and that may be arithmetic in
 * turn, with commands in it: so each must be known for a number, or not be set by anything that the line shows. In lower
 * case, the environment does not set it either.
 */
export function isPlainArithmetic(text: string, variables: ReadonlyMap<string, readonly Piece[]>): boolean {
  if (numbers.test(text)) return true;
  if (!terms.test(text)) return false;
  return (text.match(/[A-Za-z_]\w*/g) ?? []).every(name => {
    const known = variables.get(name);
    if (known === undefined) return numberVariables.has(name) || /^[a-z][a-z0-9_]*$/.test(name);
    return isNumber(known);
  });
}

/** Whether this is known for a number. */
export function isNumber(value: readonly Piece[] | undefined): boolean {
  return (
    value !== undefined &&
    value.length > 0 &&
    value.every(piece => piece.kind === 'digits' || (piece.kind === 'text' && /^\d+$/.test(piece.text)))
  );
}

/** Whether a value that is written like this is a number, given that the names in it are. */
export function looksNumeric(text: string): boolean {
  return /^\d+$/.test(text) || terms.test(text) || numbers.test(text);
}
