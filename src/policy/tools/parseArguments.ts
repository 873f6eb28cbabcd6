import { asking } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { knownStart, literal, mayBeOption, mergePieces, textField } from '../shell/field.ts';
import type { Field } from '../shell/field.ts';
import { optionsOf } from './table.ts';
import type { OptionKind, ToolTable } from './table.ts';

/** One option as the tool would see it; `word` is its place among the command's words. */
export interface ParsedOption {
  readonly name: string;
  readonly value: Field | undefined;
  readonly kind: OptionKind['kind'];
  readonly word: number;
}

export interface ParsedOperand {
  readonly field: Field;
  readonly word: number;
}

export interface ParsedArguments {
  readonly options: readonly ParsedOption[];
  readonly operands: readonly ParsedOperand[];
  /** What was not understood or is dangerous. */
  readonly findings: readonly Finding[];
}

/** Reads a command's words from index `from` as GNU tools do: clusters, joined values, `--`, options after operands. */
export function parseArguments(table: ToolTable, words: readonly Field[], from: number): ParsedArguments {
  const { kinds } = optionsOf(table);
  const options: ParsedOption[] = [];
  const operands: ParsedOperand[] = [];
  const findings: Finding[] = [];
  const unknown = (name: string, field: Field, word: number) =>
    findings.push(
      asking(
        'tool.unknownOption',
        `\`${table.name}\` with \`${name}\` is not known to be harmless.`,
        field.span,
        { word },
      ),
    );
  const use = (name: string, value: Field | undefined, kind: OptionKind, field: Field, word: number) => {
    options.push({ name, value, kind: kind.kind, word });
    if (kind.kind === 'danger')
      findings.push(
        asking('tool.dangerousOption', `\`${name}\` ${kind.does}.`, field.span, {
          word,
          risk: 60,
          cure: 'word',
        }),
      );
  };
  let open = true;
  for (let index = from; index < words.length; index++) {
    const field = words[index];
    if (field === undefined) break;
    if (table.anyWord) {
      operands.push({ field, word: index });
      continue;
    }
    const text = literal(field) ?? knownStart(field);
    const whole = literal(field) !== undefined;
    if (!open || (whole && (text === '-' || !text.startsWith('-'))) || (!whole && !mayBeOption(field))) {
      if (table.stopsAtOperand) open = false;
      operands.push({ field, word: index });
      continue;
    }
    if (text === '--' && whole) {
      open = false;
      continue;
    }
    if (table.anyOption && !whole && !startsWithKnown(text, kinds)) {
      operands.push({ field, word: index });
      continue;
    }
    if (!text.startsWith('-')) {
      findings.push(
        asking('tool.openOption', 'This could turn out to be an option.', field.span, {
          word: index,
          cure: 'person',
        }),
      );
      operands.push({ field, word: index });
      continue;
    }
    if (text.startsWith('--')) {
      const equals = text.indexOf('=');
      const name = equals < 0 ? text : text.slice(0, equals);
      const kind = kinds.get(name);
      if (kind === undefined || (equals < 0 && !whole)) unknown(text, field, index);
      else if (equals >= 0) {
        if (kind.kind === 'flag') unknown(text, field, index);
        else use(name, cut(field, equals + 1), kind, field, index);
      } else if (
        kind.kind === 'value' ||
        kind.kind === 'read' ||
        (kind.kind === 'danger' && table.dangers !== undefined)
      ) {
        const takes = kind.kind !== 'danger';
        if (takes) index += 1;
        if (takes && words[index] === undefined && !table.lastMayLack?.split(' ').includes(name))
          unknown(text, field, index - 1);
        else use(name, takes ? words[index] : undefined, kind, field, index);
      } else use(name, undefined, kind, field, index);
      continue;
    }
    if (table.numbers && /^-\d+$/.test(text) && whole) continue;
    // A single-dash word that the table knows as a whole (`-name` of find, `-version` of java) is that option.
    const exact = text.length > 2 && whole ? kinds.get(text) : undefined;
    if (exact) {
      if (exact.kind === 'value' || exact.kind === 'read') index += 1;
      use(
        text,
        exact.kind === 'value' || exact.kind === 'read' ? words[index] : undefined,
        exact,
        field,
        index,
      );
      continue;
    }
    for (let at = 1; at < text.length; at++) {
      const name = `-${text[at] ?? ''}`;
      const kind = kinds.get(name);
      if (kind === undefined) {
        unknown(name, field, index);
        break;
      }
      if (kind.kind === 'flag') {
        if (at === text.length - 1 && !whole) unknown(text, field, index);
        use(name, undefined, kind, field, index);
        continue;
      }
      if (kind.kind === 'danger' || kind.kind === 'optional') {
        use(name, cut(field, at + 1), kind, field, index);
        break;
      }
      const joined = at < text.length - 1 || !whole;
      if (!joined) index += 1;
      const value = joined ? cut(field, at + 1) : words[index];
      if (value === undefined) unknown(name, field, index - 1);
      else use(name, value, kind, field, index);
      break;
    }
  }
  return { options, operands, findings };
}

/** The field without its first characters, which are known text. */
function cut(field: Field, from: number): Field {
  const [first, ...rest] = field.pieces;
  if (first?.kind !== 'text') return textField('', field.span);
  return { pieces: mergePieces([{ kind: 'text', text: first.text.slice(from) }, ...rest]), span: field.span };
}

function startsWithKnown(text: string, kinds: ReadonlyMap<string, OptionKind>): boolean {
  return (
    kinds.has(text) ||
    kinds.has(text.slice(0, text.indexOf('=') < 0 ? undefined : text.indexOf('='))) ||
    (!text.startsWith('--') && kinds.has(text.slice(0, 2)))
  );
}
