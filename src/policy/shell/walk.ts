import type {
  AndOr,
  CommandNode,
  CompoundList,
  ParsedScript,
  Pipeline,
  PipelineNode,
  Redirection,
  Statement,
  Word,
} from 'unbash';
import { asking } from '../finding.ts';
import type { Finding, Span } from '../finding.ts';
import type { ExpansionContext } from './expandWord.ts';
import { noFeed, unknownFeed } from './feed.ts';
import type { Feed } from './feed.ts';
import { join } from './line.ts';
import type { Outcome, ShellState, SimpleCommand } from './line.ts';
import type { LineStart } from './readLine.ts';
import { judgeRedirection } from './redirection.ts';
import { runCommand } from './runCommand.ts';
import { runCompound } from './runCompound.ts';
import { definesFunctions } from './survey.ts';
import { isPlainAssignment } from './variables.ts';

/** Findings that say that the line was not understood at all: nothing is known of where it leads. */
const notUnderstood = new Set([
  'parse.error',
  'parse.failed',
  'parse.tooMany',
  'parse.hereDocument',
  'parse.redirection',
  'parse.doubt',
]);

/** More commands than this in one line (loops over literal words count each round) are not followed. */
const maxCommands = 200;
/** Files of which it is remembered what a line wrote into them, and how much: each command that runs one reads it. */
const maxWritten = 16;
const maxWrittenText = 1_000;

/** Goes through a syntax tree in the order in which bash would run it, and keeps what each command would get. */
export class Walk {
  readonly commands: SimpleCommand[] = [];
  readonly functions = new Set<string>();
  /** Text that the line wrote into files, by a guess of their names as written. */
  readonly written = new Map<string, string>();
  #steps = 0;
  /** What the last command or pipeline prints. */
  #output: Feed = unknownFeed;

  readonly text: string;
  readonly start: LineStart;
  readonly findings: Finding[];

  constructor(text: string, start: LineStart, findings: Finding[]) {
    this.text = text;
    this.start = start;
    this.findings = findings;
  }

  script(script: ParsedScript, state: ShellState, input: Feed): Outcome {
    for (const error of script.errors ?? []) {
      const at = Math.min(error.pos, Math.max(0, this.text.length - 1));
      this.ask(
        'parse.error',
        `The line is not complete or not valid: ${error.message}.`,
        this.start.within ?? [at, this.text.length],
        50,
      );
    }
    for (const name of definesFunctions(script)) this.functions.add(name);
    return this.statements(script.commands, state, input);
  }

  noteWritten(file: string, text: string): void {
    const name = file.replace(/^(?:\.\/)+/, '');
    if (name === '' || (this.written.size >= maxWritten && !this.written.has(name))) return;
    const before = this.written.get(name);
    this.written.set(name, `${before === undefined ? '' : `${before}\n`}${text}`.slice(0, maxWrittenText));
  }

  span(node: { pos: number; end: number }): Span {
    return this.start.within ?? [node.pos, node.end];
  }

  ask(code: string, message: string, span: Span, risk = 30): void {
    this.findings.push(
      asking(code, message, span, { risk, cure: 'person', stays: !notUnderstood.has(code) }),
    );
  }

  expansion(state: ShellState): ExpansionContext {
    return {
      variables: state.variables,
      home: this.start.boundary.home,
      folder: state.folders?.length === 1 ? state.folders[0] : undefined,
      report: finding => this.findings.push(finding),
      span: node => this.span(node),
      substitute: (script, span) => {
        const inner = script.source === undefined ? this : this.#within(script.source, span);
        inner.script(script, state, noFeed);
        if (inner !== this) this.commands.push(...inner.commands);
        const output = isPlain(script) ? inner.#output : unknownFeed;
        return { text: output.kind === 'text' ? output.text.replace(/\n+$/, '') : undefined, output };
      },
    };
  }

  /** The syntax of an escaped backtick counts its positions in a text of its own. */
  #within(text: string, span: Span): Walk {
    const inner = new Walk(text, { ...this.start, within: span }, this.findings);
    for (const [file, held] of this.written) inner.written.set(file, held);
    return inner;
  }

  statements(statements: readonly Statement[], state: ShellState, input: Feed): Outcome {
    let outcome: Outcome = { ok: state, failed: undefined };
    for (const statement of statements) {
      const before = join(outcome.ok, outcome.failed);
      // What follows `exit` does not run; it is looked at all the same, from where the line began.
      outcome = this.statement(statement, before ?? state, input);
      if (before === undefined) outcome = { ok: undefined, failed: undefined };
    }
    return outcome;
  }

  statement(statement: Statement, state: ShellState, input: Feed): Outcome {
    if (statement.background) {
      this.ask(
        'structure.background',
        'This starts a command that goes on in the background.',
        this.span(statement),
      );
      this.node(statement.command, state, input);
      return { ok: state, failed: undefined };
    }
    return this.node(statement.command, state, input);
  }

  list(list: CompoundList, state: ShellState, input: Feed): Outcome {
    return this.statements(list.commands, state, input);
  }

  node(node: PipelineNode | AndOr, state: ShellState, input: Feed): Outcome {
    if (node.type === 'AndOr') return this.#andOr(node, state, input);
    if (node.type === 'Pipeline') return this.#pipeline(node, state, input);
    return this.command(node, state, input).outcome;
  }

  #andOr(node: AndOr, state: ShellState, input: Feed): Outcome {
    let outcome: Outcome = { ok: state, failed: undefined };
    for (const [index, command] of node.commands.entries()) {
      const operator = index === 0 ? '&&' : node.operators[index - 1];
      const from = operator === '&&' ? outcome.ok : outcome.failed;
      const result = this.node(command, from ?? state, input);
      const reached: Outcome = from === undefined ? { ok: undefined, failed: undefined } : result;
      outcome =
        operator === '&&'
          ? { ok: reached.ok, failed: join(outcome.failed, reached.failed) }
          : { ok: join(outcome.ok, reached.ok), failed: reached.failed };
    }
    return outcome;
  }

  #pipeline(node: Pipeline, state: ShellState, input: Feed): Outcome {
    const negated = node.prefixes.filter(prefix => prefix.type === 'Negation').length % 2 === 1;
    if (node.commands.length === 1 && node.commands[0]) {
      const { ok, failed } = this.command(node.commands[0], state, input).outcome;
      return negated ? { ok: failed, failed: ok } : { ok, failed };
    }
    let feed = input;
    for (const command of node.commands) feed = this.command(command, state, feed).output;
    this.#output = feed;
    return { ok: state, failed: state };
  }

  /** One command of a pipeline; `output` is what the next one may read. */
  command(node: CommandNode, state: ShellState, input: Feed): { outcome: Outcome; output: Feed } {
    if (++this.#steps > maxCommands) {
      this.ask('parse.tooMany', 'The line runs more commands than are followed.', this.span(node), 50);
      return { outcome: { ok: state, failed: state }, output: unknownFeed };
    }
    if (node.type === 'Command') {
      const result = runCommand(this, node, state, input);
      this.#output = result.output;
      return result;
    }
    this.#output = unknownFeed;
    return { outcome: runCompound(this, node, state, input), output: unknownFeed };
  }

  redirection(redirection: Redirection, state: ShellState, input: Feed): Feed {
    return judgeRedirection(this, redirection, state, input);
  }

  checkAssignment(name: string, word: Word): void {
    if (!isPlainAssignment(name))
      this.ask(
        'variable.dangerous',
        `Setting \`${name}\` may change what other programs do.`,
        this.span(word),
        50,
      );
  }
}

/** One command or one pipeline, so that what the last command prints is all there is. */
function isPlain(script: ParsedScript): boolean {
  const [only, ...more] = script.commands;
  if (only === undefined || more.length > 0 || only.background) return false;
  return (
    only.command.type === 'Command' ||
    (only.command.type === 'Pipeline' && only.command.commands.every(command => command.type === 'Command'))
  );
}
