import type { Case, CommandNode, For } from 'unbash';
import { isNumber } from './arithmetic.ts';
import { expandWhole, expandWord } from './expandWord.ts';
import { unknownFeed } from './feed.ts';
import type { Feed } from './feed.ts';
import type { Field } from './field.ts';
import { join } from './line.ts';
import type { Outcome, ShellState } from './line.ts';
import { changedIn } from './survey.ts';
import { judgeTest } from './testExpression.ts';
import type { Walk } from './walk.ts';

type Compound = Exclude<CommandNode, { type: 'Command' }>;

/** Loops over at most this many literal words are gone through word by word. */
const maxRounds = 16;

/** One compound command: both ways of each fork, and what holds in every round of a loop. */
export function runCompound(walk: Walk, node: Compound, state: ShellState, input: Feed): Outcome {
  switch (node.type) {
    case 'Redirected': {
      let feed = input;
      for (const redirection of node.redirects) feed = walk.redirection(redirection, state, feed);
      return walk.command(node.command, state, feed).outcome;
    }
    case 'BraceGroup':
      return walk.list(node.body, state, input);
    case 'Subshell': {
      walk.list(node.body, state, input);
      return { ok: state, failed: state };
    }
    case 'If': {
      let result: ShellState | undefined;
      let from: ShellState | undefined = state;
      for (const branch of [node, ...node.elif]) {
        const test: Outcome = walk.list(branch.clause, from ?? state, input);
        const body = walk.list(branch.then, test.ok ?? state, input);
        if (test.ok && from) result = join(result, join(body.ok, body.failed));
        from = from && test.failed;
      }
      if (node.else) {
        const body = walk.list(node.else, from ?? state, input);
        from = from && join(body.ok, body.failed);
      }
      const end = join(result, from);
      return { ok: end, failed: end };
    }
    case 'While': {
      const inside = loopState(node, state);
      const test = walk.list(node.clause, inside, input);
      walk.list(node.body, (node.kind === 'while' ? test.ok : test.failed) ?? inside, input);
      return { ok: inside, failed: inside };
    }
    case 'For':
      return runFor(walk, node, state, input);
    case 'Case':
      return runCase(walk, node, state, input);
    case 'TestCommand':
      judgeTest(walk, node.expression, state);
      return { ok: state, failed: state };
    case 'Function':
      walk.ask(
        'structure.function',
        'This defines a function, which can stand in for a program.',
        walk.span(node),
        40,
      );
      walk.command(
        node.body.type === 'CompoundList'
          ? { type: 'BraceGroup', pos: node.body.pos, end: node.body.end, body: node.body }
          : node.body,
        { ...loopState(node, state) },
        unknownFeed,
      );
      return { ok: state, failed: state };
    case 'Coproc':
      walk.ask(
        'structure.coprocess',
        'This starts a command that goes on in the background.',
        walk.span(node),
      );
      if (node.body.type === 'CompoundList') walk.list(node.body, state, unknownFeed);
      else walk.command(node.body, state, unknownFeed);
      return { ok: state, failed: state };
    case 'Select':
      walk.ask('structure.select', 'This waits for someone to choose.', walk.span(node));
      walk.list(node.body, loopState(node, state), unknownFeed);
      return { ok: state, failed: state };
    case 'ArithmeticFor':
      walk.ask(
        'parse.arithmetic',
        'Arithmetic can run commands in ways that cannot be told beforehand.',
        walk.span(node),
      );
      walk.list(node.body, loopState(node, state), input);
      return { ok: state, failed: state };
    case 'ArithmeticCommand':
      walk.ask(
        'parse.arithmetic',
        'Arithmetic can run commands in ways that cannot be told beforehand.',
        walk.span(node),
      );
      return { ok: state, failed: state };
  }
}

function runFor(walk: Walk, node: For, state: ShellState, input: Feed): Outcome {
  const name = node.name.text;
  const context = walk.expansion(state);
  const items: readonly Field[] = node.wordlist?.flatMap(word => expandWord(word, context)) ?? [
    { pieces: [{ kind: 'open', splits: false }], span: walk.span(node.name) },
  ];
  walk.checkAssignment(name, node.name);
  const inside = loopState(node, state);
  if (items.length > maxRounds)
    walk.ask('parse.tooMany', 'The loop has more rounds than are followed.', walk.span(node));
  for (const item of items.slice(0, maxRounds)) walk.list(node.body, withVariable(inside, name, item), input);
  const after = withVariable(inside, name, {
    pieces: [{ kind: 'open', splits: false }],
    span: walk.span(node.name),
  });
  return { ok: after, failed: after };
}

function runCase(walk: Walk, node: Case, state: ShellState, input: Feed): Outcome {
  const context = walk.expansion(state);
  expandWhole(node.word, context);
  let end: ShellState | undefined = state;
  let through: ShellState | undefined;
  for (const item of node.items) {
    for (const pattern of item.pattern) expandWhole(pattern, context);
    const body = walk.list(item.body, join(state, through) ?? state, input);
    const after = join(body.ok, body.failed);
    end = join(end, after);
    through = item.terminator === ';;' ? undefined : join(through, after);
  }
  return { ok: end, failed: end };
}

/** The weakest knowledge that holds in every round of a loop: what its body changes is not known. */
function loopState(node: Compound, state: ShellState): ShellState {
  const changed = changedIn(node);
  if (changed.variables.size === 0 && !changed.folder) return state;
  const variables = new Map(state.variables);
  for (const name of changed.variables)
    variables.set(
      name,
      changed.counters.has(name) && isNumber(state.variables.get(name))
        ? [{ kind: 'digits' }]
        : [{ kind: 'open', splits: false }],
    );
  return { variables, folders: changed.folder ? undefined : state.folders, throughLink: state.throughLink };
}

function withVariable(state: ShellState, name: string, value: Field): ShellState {
  return { ...state, variables: new Map(state.variables).set(name, value.pieces) };
}
