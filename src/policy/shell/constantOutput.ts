import type { ParsedScript, Command } from 'unbash';
import { literalCommand } from './literalCommand.ts';
import { transformText } from './transformText.ts';

/**
 * What a substitution prints when that is plain to see, such as `$(echo rm)`: a disguise to look through, only ever
 * used to recognise what must be denied. Undefined when it is not plain.
 */
export function constantOutput(script: ParsedScript): string | undefined {
  const [statement, ...more] = script.commands;
  if (statement === undefined || more.length > 0) return undefined;
  const node = statement.command;
  const commands = node.type === 'Pipeline' ? node.commands : [node];
  let text: string | undefined = '';
  for (const command of commands) {
    if (command.type !== 'Command') return undefined;
    const words = literalCommand(command);
    if (words === undefined) return undefined;
    text = transformText(words, hereText(command) ?? text);
    if (text === undefined) return undefined;
  }
  return text.replace(/\n+$/, '');
}

function hereText(command: Command): string | undefined {
  for (const redirect of command.redirects) {
    if (redirect.type === 'HereString') return redirect.target?.value;
    if (redirect.type === 'HereDoc') return redirect.body.text;
  }
  return undefined;
}
