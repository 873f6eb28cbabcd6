import type { DoubleQuotedChild, ParameterExpansionPart, ParsedScript, Word, WordPart } from 'unbash';
import { asking } from '../finding.ts';
import type { Finding, Span } from '../finding.ts';
import { isPlainArithmetic } from './arithmetic.ts';
import { expandBraces } from './braces.ts';
import { mergePieces } from './field.ts';
import type { Feed } from './feed.ts';
import type { Field, Piece } from './field.ts';
import { numberVariables, plainVariables } from './variables.ts';

/** What expansion needs to know, and where it reports. */
export interface ExpansionContext {
  /** Variables that the line itself has set. */
  readonly variables: ReadonlyMap<string, readonly Piece[]>;
  readonly home: string;
  /** The working folder, when it is certain. */
  readonly folder: string | undefined;
  report(finding: Finding): void;
  /** Judges a substitution's commands; returns what it will print, where that is plain to see. */
  substitute(script: ParsedScript, span: Span): { readonly text: string | undefined; readonly output: Feed };
  /** Where a piece of syntax stands in the judged text. */
  span(node: { pos: number; end: number }): Span;
}

/** Stands for what is not known where a guess is needed: certainly not nothing. */
export const unknownText = 'unknown';

/** More words than this from one word are not followed. */
const maxFields = 64;

/** The words that bash makes of one word: braces, tilde, variables, substitutions, splitting; globs are kept. */
export function expandWord(word: Word, context: ExpansionContext): Field[] {
  const span = context.span(word);
  if (word.parts === undefined)
    return [{ pieces: mergePieces(plainWord(word.text, word.value, span, context)), span }];
  let fields: Piece[][] = [[]];
  const finished: Piece[][] = [];
  // An unquoted variable may be nothing, and then the word is nothing; anything written keeps it.
  let written = false;
  const append = (pieces: readonly Piece[]) => fields.forEach(field => field.push(...pieces));
  for (const [index, part] of word.parts.entries()) {
    if (part.type !== 'SimpleExpansion' && part.type !== 'ParameterExpansion') written = true;
    if (part.type === 'BraceExpansion') {
      const words = expandBraces(part.text);
      if (words === undefined || words === 'digits') {
        if (words === undefined)
          context.report(
            asking('parse.braces', 'This brace expansion cannot be told beforehand.', context.span(part), {
              cure: 'person',
            }),
          );
        append([words === 'digits' ? { kind: 'digits' } : { kind: 'open', splits: true, guess: part.text }]);
      } else if (fields.length * words.length > maxFields) {
        context.report(
          asking('parse.braces', 'This brace expansion makes too many words.', context.span(part), {
            cure: 'person',
          }),
        );
        append([{ kind: 'open', splits: true }]);
      } else
        fields = fields.flatMap(field =>
          words.map(text => [...field, { kind: 'text', text } satisfies Piece]),
        );
      continue;
    }
    if (part.type === 'Literal') {
      const last = index === word.parts.length - 1;
      append(
        index === 0
          ? plainWord(part.text, part.value, span, context, last)
          : [{ kind: 'text', text: part.value }],
      );
      continue;
    }
    const [first = [], ...more] = splitPieces(part, partPieces(part, context, false));
    if (more.length > 0 && fields.length > 1) {
      append([{ kind: 'open', splits: true }]);
      continue;
    }
    append(first);
    for (const group of more) {
      finished.push(...fields);
      fields = [[...group]];
    }
  }
  const merged = [...finished, ...fields].map(pieces => ({ pieces: mergePieces(pieces), span }));
  return written ? merged : merged.filter(field => field.pieces.length > 0);
}

/** The value of a word that is not split: an assignment, a here-string, a `case` word, an operand of `[[`. */
export function expandWhole(word: Word, context: ExpansionContext): Field {
  const span = context.span(word);
  if (word.parts === undefined)
    return { pieces: mergePieces(plainWord(word.text, word.value, span, context)), span };
  const pieces = word.parts.flatMap((part, index): readonly Piece[] => {
    if (part.type === 'Literal' && index === 0)
      return plainWord(part.text, part.value, span, context, word.parts?.length === 1);
    if (part.type === 'Glob' || part.type === 'BraceExpansion') return [{ kind: 'text', text: part.text }];
    return partPieces(part, context, true);
  });
  return { pieces: mergePieces(pieces), span };
}

function plainWord(
  text: string,
  value: string,
  span: Span,
  context: ExpansionContext,
  whole = true,
): Piece[] {
  if (
    text.replaceAll(/\\([^])/g, '$1') !== value &&
    text.replaceAll(/\\\n/g, '').replaceAll(/\\([^])/g, '$1') !== value
  ) {
    context.report(asking('parse.doubt', 'This word cannot be read for certain.', span, { cure: 'person' }));
    return [{ kind: 'open', splits: true, guess: value }];
  }
  if (text.startsWith('~')) {
    if (whole ? /^~(?:$|\/)/.test(text) : text.startsWith('~/'))
      return [{ kind: 'text', text: context.home + value.slice(1) }];
    context.report(
      asking('path.tilde', 'This names a home folder in a way that cannot be told beforehand.', span, {
        stays: false,
      }),
    );
    return [{ kind: 'open', splits: false, guess: value }];
  }
  if (/^\w+\+?=.*~/.test(text)) {
    context.report(
      asking('path.tilde', 'A home folder inside a word cannot be told for certain.', span, { stays: false }),
    );
    return [{ kind: 'open', splits: false, guess: value }];
  }
  return [{ kind: 'text', text: value }];
}

function partPieces(part: WordPart, context: ExpansionContext, quoted: boolean): readonly Piece[] {
  switch (part.type) {
    case 'Literal':
    case 'SingleQuoted':
      return [{ kind: 'text', text: part.value }];
    case 'AnsiCQuoted':
      return [{ kind: 'text', text: part.value }];
    case 'DoubleQuoted':
      return part.parts.flatMap((child: DoubleQuotedChild) => partPieces(child, context, true));
    case 'Glob':
      if (part.parts?.some(child => child.type !== 'Literal')) return doubt(part, context);
      return [{ kind: 'glob', text: part.text, resplit: false }];
    case 'SimpleExpansion':
      return variablePieces(part.text.slice(1), part, context, quoted);
    case 'ParameterExpansion':
      return parameterPieces(part, context, quoted);
    case 'CommandExpansion': {
      if (part.script === undefined) return doubt(part, context);
      const { text, output } = context.substitute(part.script, context.span(part));
      // Unquoted, its lines become words, and blanks in them more words.
      if (output.kind === 'listing' && !quoted)
        return [{ kind: 'listed', listing: { ...output.listing, separated: false } }];
      return [{ kind: 'open', splits: !quoted, guess: text ?? unknownText }];
    }
    case 'ArithmeticExpansion':
      return isPlainArithmetic(part.text, context.variables) ? [{ kind: 'digits' }] : doubt(part, context);
    case 'ProcessSubstitution':
      if (part.script === undefined) return doubt(part, context);
      const stream = context.substitute(part.script, context.span(part)).text;
      if (part.operator === '>')
        context.report(
          asking('redirect.process', 'This sends output into another command.', context.span(part), {
            cure: 'person',
          }),
        );
      return [{ kind: 'stream', text: stream }];
    case 'LocaleString':
    case 'ExtendedGlob':
    case 'BraceExpansion':
      return doubt(part, context);
  }
}

function doubt(part: WordPart, context: ExpansionContext): Piece[] {
  context.report(
    asking('parse.dynamic', 'What this stands for can only be told when it runs.', context.span(part), {
      risk: 40,
      cure: 'person',
    }),
  );
  return [{ kind: 'open', splits: true, ...(part.type === 'BraceExpansion' ? { guess: part.text } : {}) }];
}

function variablePieces(
  name: string,
  part: WordPart,
  context: ExpansionContext,
  quoted: boolean,
): readonly Piece[] {
  const known = context.variables.get(name);
  if (known)
    return quoted
      ? known
      : known.map(piece =>
          piece.kind === 'open'
            ? { ...piece, splits: true }
            : piece.kind === 'glob'
              ? { ...piece, resplit: true }
              : piece.kind === 'listed'
                ? { kind: 'listed', listing: { ...piece.listing, separated: false } }
                : piece,
        );
  if (name === 'HOME') return [{ kind: 'text', text: context.home }];
  if (name === 'PWD' && context.folder !== undefined) return [{ kind: 'text', text: context.folder }];
  if (numberVariables.has(name)) return [{ kind: 'digits' }];
  const splits = !quoted || name === '@' || name === '*';
  if (name === 'IFS') {
    context.report(
      asking('parse.separator', 'The field separator is used to hide where words end.', context.span(part), {
        risk: 60,
        cure: 'person',
      }),
    );
    return [{ kind: 'open', splits: true, guess: ' ' }];
  }
  if (
    !plainVariables.has(name) &&
    !/^(?:\d+|@|\*)$/.test(name) &&
    (!/^[a-z][a-z0-9_]*$/.test(name) || /pass|pwd|secret|token|key|auth|cred/.test(name))
  )
    context.report(
      asking(
        'variable.unknown',
        `The value of \`${name}\` is not known beforehand, and it may be a secret.`,
        context.span(part),
        { risk: 35, cure: 'person', stays: true },
      ),
    );
  // A variable that is not set is nothing; the well-known ones are something.
  return [{ kind: 'open', splits, guess: plainVariables.has(name) ? unknownText : '' }];
}

function parameterPieces(
  part: ParameterExpansionPart,
  context: ExpansionContext,
  quoted: boolean,
): readonly Piece[] {
  const { parameter, operation } = part;
  if (part.index !== undefined || part.prefix === '!') return doubt(part, context);
  const value = variablePieces(parameter, part, context, quoted);
  if (part.prefix === '#') return operation === undefined ? [{ kind: 'digits' }] : doubt(part, context);
  if (operation === undefined) return value;
  switch (operation.type) {
    case 'Remove':
    case 'Replace':
    case 'CaseModification': {
      for (const operand of operation.type === 'Replace'
        ? [operation.pattern, operation.replacement]
        : [operation.operand]) {
        if (operand !== undefined) expandWhole(operand, context);
      }
      return [
        {
          kind: 'open',
          splits: !quoted,
          guess: value.map(piece => (piece.kind === 'text' ? piece.text : '')).join(''),
        },
      ];
    }
    case 'Slice':
      if (
        ![operation.offset, operation.length].every(
          word => word === undefined || /^\s?-?\d+$/.test(word.text),
        )
      )
        return doubt(part, context);
      return [{ kind: 'open', splits: !quoted }];
    case 'Default': {
      const fallback = expandWhole(operation.operand, context);
      if (operation.operator.endsWith('=')) return doubt(part, context);
      const guess = value.every(piece => piece.kind === 'text')
        ? value.map(piece => (piece.kind === 'text' ? piece.text : '')).join('')
        : undefined;
      const instead = fallback.pieces.map(piece => (piece.kind === 'text' ? piece.text : '')).join('');
      return [
        {
          kind: 'open',
          splits: !quoted,
          guess: operation.operator.endsWith('?') ? (guess ?? '') : (guess ?? instead),
        },
      ];
    }
    case 'Transform':
    case 'Names':
    case 'Unknown':
      return doubt(part, context);
  }
}

/** Splits what an unquoted variable holds at blanks, and sees the patterns in it. */
function splitPieces(part: WordPart, pieces: readonly Piece[]): (readonly Piece[])[] {
  if (part.type !== 'SimpleExpansion' && part.type !== 'ParameterExpansion') return [pieces];
  const groups: Piece[][] = [[]];
  for (const piece of pieces) {
    if (piece.kind !== 'text') {
      groups.at(-1)?.push(piece);
      continue;
    }
    // A blank at either end separates from the neighbours too; what then is a word of its own is not followed.
    if (/^[ \t\n]|[ \t\n]$/.test(piece.text) || /\\/.test(piece.text))
      return [[{ kind: 'open', splits: true, guess: piece.text }]];
    piece.text.split(/[ \t\n]+/).forEach((text, index) => {
      if (index > 0) groups.push([]);
      const pattern = /[*?[]/.test(text);
      if (text !== '')
        groups.at(-1)?.push(pattern ? { kind: 'glob', text, resplit: true } : { kind: 'text', text });
    });
  }
  return groups;
}
