import type { Span } from '../finding.ts';

/**
 * A part of a word after expansion, as far as it is known before the command runs.
 * - `text`: exactly these characters.
 * - `glob`: an unquoted pattern such as `*` or `[a-z]`; `resplit` when it came out of an unquoted variable, so that
 *   the names found are split at blanks again.
 * - `listed`: a path below `roots` that a listing command printed, written beginning with `lead`.
 * - `stream`: the output of a process substitution, which the command gets as the name of a file; `text` is what it
 *   holds, where that is plain to see.
 * - `digits`: a number.
 * - `open`: anything at all; `splits` when it may become several words or none, `guess` is what it most likely is.
 */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'glob'; readonly text: string; readonly resplit: boolean }
  | { readonly kind: 'listed'; readonly listing: Listing }
  | { readonly kind: 'stream'; readonly text: string | undefined }
  | { readonly kind: 'digits' }
  | { readonly kind: 'open'; readonly splits: boolean; readonly guess?: string };

/** What a command such as `find src -name '*.ts'` prints. */
export interface Listing {
  /** How every printed path begins, as written; empty when it may begin with anything. */
  readonly leads: readonly string[];
  /** Name patterns of which one must match; empty: every name may come. */
  readonly names: readonly string[];
  /** Only plain files are printed, so no symbolic link. */
  readonly filesOnly: boolean;
  /** Hidden files and folders are left out. */
  readonly skipsHidden: boolean;
  /** False when paths with blanks in them would be split again. */
  readonly separated: boolean;
}

/** One word as the command will get it. */
export interface Field {
  readonly pieces: readonly Piece[];
  readonly span: Span;
}

/** The exact text of a field, or undefined when any of it is not known. */
export function literal(field: Field): string | undefined {
  const [only, ...more] = field.pieces;
  if (only === undefined) return '';
  if (more.length === 0) return only.kind === 'text' ? only.text : undefined;
  return undefined;
}

/** The exact text of the word at this place; undefined when there is none, or it is not known. */
export function textAt(words: readonly Field[], index: number): string | undefined {
  const field = words[index];
  return field && literal(field);
}

/** How the field begins for sure. */
export function knownStart(field: Field): string {
  const first = field.pieces[0];
  if (first === undefined) return '';
  if (first.kind === 'text') return first.text;
  if (first.kind === 'listed') return commonStart(first.listing.leads);
  return '';
}

/** True when the command could take this field for an option. */
export function mayBeOption(field: Field): boolean {
  const first = field.pieces[0];
  if (first === undefined || first.kind === 'digits' || first.kind === 'stream') return false;
  if (first.kind === 'glob') return true;
  const start = knownStart(field);
  if (start === '') return first.kind !== 'text';
  return start.startsWith('-');
}

/** A best guess at the words, for recognising what must be denied; never for allowing. */
export function guessWords(fields: readonly Field[]): string[] {
  return fields.flatMap(field => {
    const text = field.pieces.map(guessPiece).join('');
    const splits = field.pieces.some(piece => piece.kind === 'open' && piece.splits);
    return splits ? text.split(/[ \t\n]+/).filter(word => word !== '') : [text];
  });
}

function guessPiece(piece: Piece): string {
  switch (piece.kind) {
    case 'text':
    case 'glob':
      return piece.text;
    case 'stream':
      return '/dev/fd/63';
    case 'digits':
      return '0';
    case 'listed':
      return piece.listing.leads[0] || '.';
    case 'open':
      return piece.guess ?? '';
  }
}

/** A field of exactly this text. */
export function textField(text: string, span: Span): Field {
  return { pieces: text === '' ? [] : [{ kind: 'text', text }], span };
}

/** Joins neighbouring text pieces, so that `literal` sees them as one. */
export function mergePieces(pieces: readonly Piece[]): Piece[] {
  const merged: Piece[] = [];
  for (const piece of pieces) {
    const last = merged.at(-1);
    if (piece.kind === 'text') {
      if (piece.text === '') continue;
      if (last?.kind === 'text') {
        merged[merged.length - 1] = { kind: 'text', text: last.text + piece.text };
        continue;
      }
    }
    merged.push(piece);
  }
  return merged;
}

function commonStart(texts: readonly string[]): string {
  const [first = '', ...rest] = texts;
  let length = first.length;
  for (const text of rest) while (!text.startsWith(first.slice(0, length))) length -= 1;
  return first.slice(0, length);
}
