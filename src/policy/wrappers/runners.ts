import { asking } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { guessWords, literal, mergePieces, textAt } from '../shell/field.ts';
import type { Field, Piece } from '../shell/field.ts';
import { noFeed } from '../shell/feed.ts';
import { notOnlyReading } from '../tools/notOnlyReading.ts';
import { startsOf } from './findListing.ts';
import { plainName } from './prefixes.ts';
import { rewrap } from './wrapper.ts';
import type { Unwrap } from './wrapper.ts';

/** `xargs`: the command with whatever comes in appended; paths from a listing are known to be in the workspace. */
export const unwrapXargs: Unwrap = command => {
  if (plainName(command.words[0]) !== 'xargs') return undefined;
  const { words } = command;
  const findings: Finding[] = [];
  let replace: string | undefined;
  let separated = false;
  let at = 1;
  for (; at < words.length; at++) {
    const field = words[at];
    const text = field && literal(field);
    if (field === undefined || text === undefined || !text.startsWith('-')) break;
    if (text === '--') {
      at += 1;
      break;
    }
    if (
      /^(?:-0|-r|-t|-x|--null|--no-run-if-empty|--verbose|--exit|-0r|-r0|-n\d+|-L\d+|-P\d+|-s\d+|--max-args=\d+|--max-procs=\d+|--max-lines=\d+)$/.test(
        text,
      )
    ) {
      if (text.includes('0') && /^-[0r]+$|^--null$/.test(text)) separated = true;
      continue;
    }
    if (
      /^-(?:n|L|P|s)$|^--max-(?:args|procs|lines|chars)$/.test(text) &&
      /^\d+$/.test((words[at + 1] && literal(words[at + 1] as Field)) ?? '')
    ) {
      at += 1;
      continue;
    }
    if (text === '-0n1' || text === '-0I{}') {
      separated = true;
      if (text.endsWith('{}')) replace = '{}';
      continue;
    }
    const next = words[at + 1];
    const value = next && literal(next);
    if (text === '-I' && value !== undefined && /^[{}%@_\w]+$/.test(value)) {
      replace = value;
      at += 1;
    } else if (/^-I[{}%@_\w]+$/.test(text)) replace = text.slice(2);
    else if (text === '-i' || text === '--replace') replace = '{}';
    else if ((text === '-d' || text === '--delimiter') && value !== undefined) {
      separated = value === String.raw`\n` || value === String.raw`\0`;
      at += 1;
    } else if (text === String.raw`-d\n` || text === '-d\n') separated = true;
    else findings.push(notOnlyReading(field.span, 'xargs', at));
  }
  const given = words.slice(at);
  const span = command.span;
  const incoming: Piece =
    command.input.kind === 'listing'
      ? {
          kind: 'listed',
          listing: {
            ...command.input.listing,
            separated: separated || replace !== undefined || command.input.listing.separated,
          },
        }
      : {
          kind: 'open',
          splits: replace === undefined,
          ...(command.input.kind === 'text'
            ? { guess: command.input.text.replaceAll('\0', ' ').trim() }
            : {}),
        };
  if (given.length === 0) return { findings, commands: [] };
  const inner =
    replace === undefined
      ? [...given, { pieces: [incoming], span }]
      : given.map(field => fill(field, replace, incoming));
  return {
    findings,
    commands: [rewrap(command, inner, { input: noFeed, span: [given[0]?.span[0] ?? span[0], span[1]] })],
  };
};

/** `find … -exec`: one command for each, with `{}` a path that find found. */
export const unwrapFind: Unwrap = command => {
  if (plainName(command.words[0]) !== 'find') return undefined;
  const { words } = command;
  const listing = startsOf(command);
  const commands = [];
  const findings: Finding[] = [];
  for (let at = 1; at < words.length; at++) {
    const text = literal(words[at] as Field);
    if (text !== '-exec' && text !== '-execdir' && text !== '-ok' && text !== '-okdir') continue;
    const inner: Field[] = [];
    for (at += 1; at < words.length; at++) {
      const field = words[at] as Field;
      const word = literal(field);
      if (word === ';' || (word === '+' && inner.length > 0 && literal(words[at - 1] as Field) === '{}'))
        break;
      inner.push(fill(field, '{}', { kind: 'listed', listing: { ...listing, separated: true } }));
    }
    if (at >= words.length) findings.push(notOnlyReading(command.span, 'find'));
    if (inner.length === 0) continue;
    // From each file's own folder the paths mean something else, and so do programs named without one.
    if (text !== '-exec')
      findings.push(
        asking(
          'tool.dangerousOption',
          `\`${text}\` runs a program in the folder of each file.`,
          command.span,
          { risk: 50, cure: 'word' },
        ),
      );
    commands.push(
      rewrap(command, inner, { input: noFeed, ...(text === '-exec' ? {} : { folders: undefined }) }),
    );
  }
  return commands.length > 0 || findings.length > 0 ? { findings, commands, isTool: true } : undefined;
};

/** `sh -c 'text'`: the text is read as a line of its own. A script file, a login shell and `-i` are asked. */
export const unwrapShell: Unwrap = (command, context) => {
  const name = plainName(command.words[0]);
  if (name === undefined || !/^(?:bash|sh|dash)$/.test(name)) return undefined;
  const { words } = command;
  let at = 1;
  let text: Field | undefined;
  const findings: Finding[] = [];
  for (; at < words.length; at++) {
    const option = literal(words[at] as Field);
    if (option === undefined) break;
    if (/^-[eu]*c[eu]*$/.test(option)) {
      text = words[at + 1];
      at += 2;
      break;
    }
    if (/^-[eu]+$|^--(?:norc|noprofile|posix)$/.test(option)) continue;
    if (option === '-o' && textAt(words, at + 1) === 'pipefail') {
      at += 1;
      continue;
    }
    break;
  }
  const script = text && literal(text);
  if (text === undefined || script === undefined) return undefined;
  // Another shell than bash reads these differently.
  if (name !== 'bash' && /\$['"]|\{|\[\[|[<>]\(|&>|\|&|<<<|\bfunction\b|\bselect\b|\bcoproc\b/.test(script))
    findings.push(
      asking('parse.otherShell', `\`${name}\` may read this differently than bash.`, text.span, {
        cure: 'person',
      }),
    );
  const line = context.readLine(script, text.span, command.folders, command.input);
  return { findings: [...findings, ...line.findings], commands: line.commands };
};

function fill(field: Field, place: string, incoming: Piece): Field {
  const text = literal(field);
  if (text === place) return { pieces: [incoming], span: field.span };
  if (text === undefined || !text.includes(place)) return field;
  const guess = guessWords([{ pieces: [incoming], span: field.span }]).join(' ');
  const pieces = text
    .split(place)
    .flatMap((part, index): Piece[] => [
      ...(index > 0 ? [{ kind: 'open', splits: false, guess } as const] : []),
      { kind: 'text', text: part },
    ]);
  return { pieces: mergePieces(pieces), span: field.span };
}
