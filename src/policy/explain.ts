import { visibleText } from '../base/visibleText.ts';
import type { Decision } from '../protocol/decision.ts';

const verdicts = { allow: 'Allowed without a question', ask: 'Asked', deny: 'Denied' } as const;

/**
 * A decision in plain text: the verdict, the command with the stretches that mattered marked below it, and the reasons.
 * The same words in the command line and in the rule editor. Characters that do not show are made visible.
 */
export function explain(command: string, { decision, risk, reasons }: Decision): string {
  const lines = [`${verdicts[decision]} (risk ${risk} of 100)`];
  for (const { code, message, span } of reasons) {
    lines.push(`- ${message} [${code}]`);
    const [from, to] = span;
    const whole = from <= 0 && to >= command.length;
    if (!whole && to > from) lines.push(`    ${excerpt(command, from, to)}`);
  }
  return lines.join('\n');
}

/** The stretch with a little of what is around it, between marks: `cat »/etc/passwd«`. */
function excerpt(command: string, from: number, to: number): string {
  const around = 30;
  const before = command.slice(Math.max(0, from - around), from);
  const after = command.slice(to, to + around);
  const stretch = command.length > 0 ? command.slice(from, Math.min(to, from + 200)) : '';
  return `${from > around ? '…' : ''}${shown(before)}»${shown(stretch)}${to - from > 200 ? '…' : ''}«${shown(after)}${to + around < command.length ? '…' : ''}`;
}

/** On one line. */
function shown(text: string): string {
  return visibleText(text).replaceAll('\n', '⏎').replaceAll('\t', '⇥');
}
