import { literal } from '../shell/field.ts';
import type { SimpleCommand } from '../shell/line.ts';
import type { JudgeContext } from '../judgeCommand.ts';
import { unwrapEnv, unwrapGit, unwrapPrefix } from './prefixes.ts';
import { unwrapFind, unwrapShell, unwrapXargs } from './runners.ts';
import type { Unwrap, Unwrapped } from './wrapper.ts';

const byName = new Map<string, Unwrap>([
  ...['timeout', 'gtimeout', 'nice', 'nohup', 'stdbuf', 'ionice', 'time', 'command', 'builtin', 'exec'].map(
    name => [name, unwrapPrefix] as const,
  ),
  ['env', unwrapEnv],
  ['git', unwrapGit],
  ['xargs', unwrapXargs],
  ['find', unwrapFind],
  ...['bash', 'sh', 'dash'].map(name => [name, unwrapShell] as const),
]);

/** Takes a command apart that would run another; undefined when it is none. */
export function unwrap(command: SimpleCommand, context: JudgeContext): Unwrapped | undefined {
  const [first] = command.words;
  const name = first && literal(first)?.replace(/^\/(?:usr\/)?bin\//, '');
  return name === undefined || command.isFunction ? undefined : byName.get(name)?.(command, context);
}
