import type { Reason } from '../../src/protocol/decision.ts';

/** A piece of text that is drawn as it is, or a character that would not be seen, by its name. */
export type Piece =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'invisible'; readonly name: string };

// Controls, format and bidirectional characters, default-ignorables, tags, private use, unassigned, lone surrogates,
// and every space but the plain one. Line feed and tab keep their effect: they show.
const invisible =
  /(?![\n\t ])[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\p{Zs}]/gu;

/** `text` in order, with nothing left that could hide or reorder what is there. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(invisible)) {
    if (match.index > from) found.push({ kind: 'text', text: text.slice(from, match.index) });
    found.push({ kind: 'invisible', name: characterName(match[0]) });
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ kind: 'text', text: text.slice(from) });
  return found;
}

/** `text` in one line of plain characters, for names and announcements. */
export function spelledOut(text: string): string {
  return pieces(text)
    .map(piece => (piece.kind === 'text' ? piece.text : `⟨${piece.name}⟩`))
    .join('');
}

/** A stretch of a command and the reasons that point at it. */
export interface Segment {
  readonly text: string;
  readonly reasons: readonly Reason[];
}

/**
 * The command cut wherever a reason's span begins or ends; joined, the segments are the command. A reason about all
 * of it marks nothing: underlining everything points at nothing.
 */
export function segments(command: string, reasons: readonly Reason[]): Segment[] {
  const pointing = reasons.filter(
    ({ span: [from, to] }) => from < to && !(from === 0 && to >= command.length),
  );
  const edges = new Set([0, command.length]);
  for (const { span } of pointing) for (const edge of span) if (edge < command.length) edges.add(edge);
  const sorted = [...edges].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((from, index) => ({
    text: command.slice(from, sorted[index + 1]),
    reasons: pointing.filter(({ span }) => span[0] <= from && from < span[1]),
  }));
}

function characterName(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
