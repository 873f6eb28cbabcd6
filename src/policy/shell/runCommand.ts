import type { Assignment, Command } from 'unbash';
import { resolvePath } from '../paths/resolve.ts';
import { expandWhole, expandWord, unknownText } from './expandWord.ts';
import { unknownFeed } from './feed.ts';
import type { Feed } from './feed.ts';
import { guessWords, literal, mergePieces, textField } from './field.ts';
import type { Field, Piece } from './field.ts';
import type { Outcome, ShellState, SimpleCommand } from './line.ts';
import { isHarmlessForCommand, isPlainAssignment } from './variables.ts';
import type { Walk } from './walk.ts';

/** One simple command: its assignments, words and redirections, and what it changes in the shell itself. */
export function runCommand(
  walk: Walk,
  node: Command,
  state: ShellState,
  input: Feed,
): { outcome: Outcome; output: Feed } {
  const context = walk.expansion(state);
  const words: Field[] = [];
  if (node.name) words.push(...expandWord(node.name, context));
  for (const argument of node.args) {
    if (argument.type === 'Word') words.push(...expandWord(argument, context));
    else words.push(assignmentWord(walk, argument, state));
  }
  let feed = input;
  for (const redirect of node.redirects) feed = walk.redirection(redirect, state, feed);

  const assignments = node.prefix.filter(part => part.type === 'Assignment');
  if (words.length === 0) {
    if (node.name)
      walk.ask(
        'parse.dynamic',
        'Which command this runs can only be told when it runs.',
        walk.span(node),
        60,
      );
    const after = assign(walk, assignments, state);
    return { outcome: { ok: after, failed: after }, output: unknownFeed };
  }
  const command: SimpleCommand = {
    words,
    span: walk.span(node),
    folders: state.folders,
    input: feed,
    ...(walk.written.size > 0 ? { written: new Map(walk.written) } : {}),
    assignments: assignments.map(part => assignmentFor(walk, part, state, false, node.name?.value)),
    isFunction: walk.functions.has(literal(words[0] ?? textField('', [0, 0])) ?? ''),
  };
  if (
    node.name?.parts?.some(
      part =>
        part.type !== 'Literal' &&
        part.type !== 'SingleQuoted' &&
        part.type !== 'DoubleQuoted' &&
        part.type !== 'AnsiCQuoted',
    ) ||
    (words[0] && literal(words[0]) === undefined)
  )
    walk.ask(
      'parse.dynamicName',
      'Which command this runs can only be told when it runs.',
      walk.span(node.name ?? node),
      60,
    );
  walk.commands.push(command);
  const output = walk.start.outputOf(command);
  noteWritten(walk, node, command, output, state);
  return { outcome: effectOf(walk, command, state), output };
}

/** What is plain to see of what a command writes into a file: a later command may run it. */
function noteWritten(
  walk: Walk,
  node: Command,
  command: SimpleCommand,
  output: Feed,
  state: ShellState,
): void {
  const note = (file: string, feed: Feed) => {
    if (feed.kind === 'text') walk.noteWritten(file, feed.text);
  };
  const [name = '', ...operands] = guessWords(command.words);
  if (name === 'tee') for (const file of operands) if (!file.startsWith('-')) note(file, command.input);
  for (const redirection of node.redirects) {
    if (redirection.type === 'HereDoc' || redirection.target === undefined) continue;
    if (!/^(?:&?>[>|]?|<>)$/.test(redirection.operator)) continue;
    const target = expandWhole(redirection.target, { ...walk.expansion(state), report: () => {} });
    note(guessWords([target]).join(''), output);
  }
}

/** What a command leaves behind in the shell that runs it. */
function effectOf(walk: Walk, command: SimpleCommand, state: ShellState): Outcome {
  const [name, ...args] = command.words;
  switch (name && literal(name)) {
    case 'cd': {
      const to = changeFolder(walk, args, state);
      return { ok: to, failed: state };
    }
    case 'exit':
    case 'exec':
      return { ok: undefined, failed: undefined };
    case 'true':
    case ':':
      return { ok: state, failed: undefined };
    case 'false':
      return { ok: undefined, failed: state };
    case 'read': {
      const variables = new Map(state.variables);
      for (const argument of args) {
        const variable = literal(argument) ?? '';
        if (/^\w+$/.test(variable)) variables.set(variable, readValue(command.input));
      }
      const after = { ...state, variables };
      return { ok: after, failed: after };
    }
    case 'export':
    case 'declare':
    case 'typeset':
    case 'readonly':
    case 'local': {
      const after = { ...state, variables: declared(args, state) };
      return { ok: after, failed: after };
    }
    case 'unset':
    case 'mapfile':
    case 'readarray':
    case 'getopts':
    case 'printf':
    case 'let':
    case 'eval':
    case '.':
    case 'source':
    case 'set':
    case 'shift':
    case 'pushd':
    case 'popd':
    case 'command':
    case 'builtin':
    case 'shopt':
    case 'trap':
    case 'alias':
    case 'enable': {
      if (
        name &&
        literal(name) === 'printf' &&
        !args.some(argument => literal(argument)?.startsWith('-v') ?? true)
      )
        return { ok: state, failed: state };
      if (
        name &&
        literal(name) === 'set' &&
        /^[-+]/.test((args[0] && literal(args[0])) ?? '') &&
        args.every(argument => /^[-+]?[a-zA-Z]+$/.test(literal(argument) ?? ' '))
      )
        return { ok: state, failed: state };
      if (name && literal(name) === 'command' && /^-[vV]$/.test((args[0] && literal(args[0])) ?? ''))
        return { ok: state, failed: state };
      // Anything may be different now: what the line set before is forgotten, and even these two may be something else.
      const open: readonly Piece[] = [{ kind: 'open', splits: false }];
      const after: ShellState = {
        variables: new Map([
          ['HOME', open],
          ['PWD', open],
          ...(name && literal(name) === 'set' ? positional(args) : []),
        ]),
        folders: undefined,
        throughLink: true,
      };
      return { ok: after, failed: after };
    }
    default:
      return { ok: state, failed: state };
  }
}

/** What `$1`, `$@` and so on most likely are after `set -- a b`; for recognising what must be denied. */
function positional(args: readonly Field[]): [string, readonly Piece[]][] {
  const words = guessWords(args);
  const dashes = words.indexOf('--');
  const values = dashes >= 0 ? words.slice(dashes + 1) : words.filter(word => !/^[-+]/.test(word));
  const guessed = (guess: string, splits: boolean): readonly Piece[] => [{ kind: 'open', splits, guess }];
  return [
    ...values
      .slice(0, 9)
      .map((value, at): [string, readonly Piece[]] => [String(at + 1), guessed(value, false)]),
    ['@', guessed(values.join(' '), true)],
    ['*', guessed(values.join(' '), true)],
  ];
}

/** The variables after `export a=b c`: those with a value have it, the others may have any. */
function declared(args: readonly Field[], state: ShellState): ReadonlyMap<string, readonly Piece[]> {
  const variables = new Map(state.variables);
  for (const argument of args) {
    const [first, ...rest] = argument.pieces;
    const set = first?.kind === 'text' ? /^([A-Za-z_]\w*)\+?=([^]*)$/.exec(first.text) : null;
    if (set?.[1] !== undefined)
      variables.set(
        set[1],
        set[0].startsWith(`${set[1]}+`)
          ? [{ kind: 'open', splits: false }]
          : mergePieces([{ kind: 'text', text: set[2] ?? '' }, ...rest]),
      );
    else if (!variables.has(literal(argument) ?? ''))
      variables.set(literal(argument) ?? '', [{ kind: 'open', splits: false }]);
  }
  return variables;
}

function readValue(input: Feed): readonly Piece[] {
  if (input.kind === 'listing') return [{ kind: 'listed', listing: { ...input.listing, separated: false } }];
  return [{ kind: 'open', splits: false, guess: input.kind === 'text' ? input.text.trim() : unknownText }];
}

function changeFolder(walk: Walk, args: readonly Field[], state: ShellState): ShellState {
  const unknown: ShellState = { ...state, folders: undefined };
  const operands = args.filter(argument => !/^-[LPe@]+$|^--$/.test(literal(argument) ?? ''));
  const target = operands[0] === undefined ? walk.start.boundary.home : literal(operands[0]);
  if (operands.length > 1 || target === undefined || target === '-' || target === '') return unknown;
  if (state.folders === undefined && !target.startsWith('/')) return unknown;
  // `cd ..` goes back the way it came, the kernel's `..` does not; after a link the two differ.
  if (state.throughLink && target.split('/').includes('..')) return unknown;
  const from = target.startsWith('/') ? ['/'] : (state.folders ?? []);
  const folders: string[] = [];
  let throughLink = state.throughLink;
  for (const folder of from) {
    const to = resolvePath(folder, target);
    if (to === undefined) return unknown;
    const written = resolveWritten(folder, target);
    if (
      written !== to &&
      !walk.start.boundary.folders.some(
        ({ given, real }) => written.startsWith(given) && to === real + written.slice(given.length),
      )
    )
      throughLink = true;
    folders.push(to);
  }
  return { ...state, folders, throughLink };
}

function resolveWritten(folder: string, path: string): string {
  const parts = path.startsWith('/') ? [] : folder.split('/').filter(part => part !== '');
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function assign(walk: Walk, assignments: readonly Assignment[], state: ShellState): ShellState {
  let current = state;
  for (const part of assignments) {
    const value = assignmentFor(walk, part, current, true).value;
    current = {
      ...current,
      variables: new Map(current.variables).set(
        part.name,
        part.append || part.index !== undefined || part.value.type === 'ArrayValue'
          ? [{ kind: 'open', splits: false }]
          : value.pieces,
      ),
    };
  }
  return current;
}

function assignmentFor(
  walk: Walk,
  part: Assignment,
  state: ShellState,
  stays = false,
  command?: string,
): { name: string; value: Field; span: readonly [number, number] } {
  const context = walk.expansion(state);
  const span = walk.span(part);
  if (part.index !== undefined)
    walk.ask('variable.index', 'An index in square brackets can run commands.', span, 45);
  let value: Field = { pieces: [{ kind: 'open', splits: false }], span };
  if (part.value.type === 'Word') value = expandWhole(part.value, context);
  else for (const element of part.value.elements) expandWord(element, context);
  if (part.value.type !== 'Word') walk.ask('variable.array', 'Lists in variables are not followed.', span);
  if (/~/.test(part.value.type === 'Word' ? part.value.text : ''))
    value = {
      pieces: [
        {
          kind: 'open',
          splits: false,
          ...(literal(value) === undefined ? {} : { guess: literal(value) ?? '' }),
        },
      ],
      span,
    };
  const harmless = stays
    ? isPlainAssignment(part.name) || isHarmlessForCommand(part.name, literal(value))
    : isHarmlessForCommand(part.name, part.append ? undefined : literal(value)) ||
      (part.name === 'IFS' && command === 'read');
  if (!harmless)
    walk.ask('variable.dangerous', `Setting \`${part.name}\` may change what programs do.`, span, 50);
  return { name: part.name, value, span };
}

function assignmentWord(walk: Walk, part: Assignment, state: ShellState): Field {
  const { name, value, span } = assignmentFor(walk, part, state, true);
  return { pieces: [{ kind: 'text', text: `${name}=` }, ...value.pieces], span };
}
