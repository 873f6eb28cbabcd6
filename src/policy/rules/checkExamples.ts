import { judgeLine } from '../judgeLine.ts';
import type { PathContext } from '../paths/judgePath.ts';
import { matchPattern, mayMatchPattern } from './match.ts';
import type { Rule } from './rule.ts';

/** Says which of a rule's own examples does not hold, in a sentence; undefined when all do. */
export function checkExamples(rule: Rule, context: PathContext): string | undefined {
  const missed = rule.examples.match.find(line => !matchesLine(rule, line, context));
  if (missed !== undefined)
    return `The example \`${missed}\` should match and does not; the rule does not count.`;
  const caught = rule.examples.reject.find(line => matchesLine(rule, line, context));
  if (caught !== undefined)
    return `The example \`${caught}\` should not match and does; the rule does not count.`;
  return undefined;
}

/** True when the rule would decide on some command of the line. */
export function matchesLine(rule: Rule, line: string, context: PathContext): boolean {
  return judgeLine(line, context).commands.some(({ command }) =>
    rule.verdict === 'allow'
      ? matchPattern(rule.words, command.words) !== undefined
      : mayMatchPattern(rule.words, command.words) === 'yes',
  );
}
