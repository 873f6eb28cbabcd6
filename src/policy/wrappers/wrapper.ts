import type { Finding } from '../finding.ts';
import type { JudgeContext } from '../judgeCommand.ts';
import type { Line, SimpleCommand } from '../shell/line.ts';

/**
 * What a command that runs another comes to: what speaks against the wrapping itself, and what it would run, to be
 * judged by its own merits. `line` findings come from a text that it would run as a shell line.
 */
export interface Unwrapped {
  readonly findings: readonly Finding[];
  readonly commands: Line['commands'];
  /** It does something of its own besides, and is judged as a tool too (`find`). */
  readonly isTool?: boolean;
}

/** Takes one kind of wrapper apart; undefined when this form of it wraps nothing (`command -v`). */
export type Unwrap = (command: SimpleCommand, context: JudgeContext) => Unwrapped | undefined;

/** The same place and input, other words. */
export function rewrap(
  command: SimpleCommand,
  words: SimpleCommand['words'],
  more: Partial<SimpleCommand> = {},
): SimpleCommand {
  const first = words[0]?.span[0] ?? command.span[0];
  const last = words.at(-1)?.span[1] ?? command.span[1];
  return {
    ...command,
    assignments: [],
    isFunction: false,
    span: first < last ? [first, last] : command.span,
    words,
    ...more,
  };
}
