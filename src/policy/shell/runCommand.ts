import type { Assignment, Command } from 'unbash';
import { effectOf } from './effectOf.ts';
import { expandWhole, expandWord } from './expandWord.ts';
import { unknownFeed } from './feed.ts';
import type { Feed } from './feed.ts';
import { guessWords, literal, textField } from './field.ts';
import type { Field } from './field.ts';
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
  return { outcome: effectOf(command, state, walk.start.boundary), output };
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
