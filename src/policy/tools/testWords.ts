import { asking } from '../finding.ts';
import type { Finding } from '../finding.ts';
import type { JudgeContext } from '../judgeCommand.ts';
import { judgePath } from '../paths/judgePath.ts';
import { literal, textAt } from '../shell/field.ts';
import type { SimpleCommand } from '../shell/line.ts';
import { notOnlyReading } from './notOnlyReading.ts';
import type { ParsedArguments } from './parseArguments.ts';

/** `test` and `[`: operators by place do not matter; what follows a file test is a path, and `-v` is never allowed. */
export function judgeTestWords(
  _parsed: ParsedArguments,
  command: SimpleCommand,
  context: JudgeContext,
): readonly Finding[] {
  const { words } = command;
  const findings: Finding[] = [];
  const bracket = textAt(words, 0) === '[';
  if (bracket && textAt(words, words.length - 1) !== ']') findings.push(notOnlyReading(command.span, 'test'));
  for (let index = 1; index < words.length; index++) {
    const field = words[index];
    if (field === undefined) break;
    const text = literal(field);
    // What is open but one word can be a text, or happen to look like an operator: only `-v` and `-R` have powers.
    if (field.pieces.some(piece => piece.kind === 'open' && piece.splits))
      findings.push(
        asking('tool.openOption', 'Without quotes this could turn out to be any test.', field.span, {
          word: index,
          cure: 'person',
        }),
      );
    if (text === '-v' || text === '-R')
      findings.push(
        asking('test.variable', 'This test can run commands hidden in a name.', field.span, {
          word: index,
          risk: 50,
          cure: 'person',
        }),
      );
    const next = words[index + 1];
    if (
      text !== undefined &&
      ((fileTests.test(text) && next !== undefined && !(text === '-a' && index > 1)) ||
        /^-(?:nt|ot|ef)$/.test(text)) &&
      next !== undefined &&
      !/^-[ao]$|^!?=|^\]$/.test(literal(next) ?? '')
    ) {
      const finding = judgePath(context, next, 'exists', index + 1);
      if (finding) findings.push(finding);
    }
    if (text !== undefined && /^-(?:nt|ot|ef)$/.test(text)) {
      const before = words[index - 1];
      const finding = before && judgePath(context, before, 'exists', index - 1);
      if (finding) findings.push(finding);
    }
  }
  return findings;
}

const fileTests = /^-[abcdefghkprsuwxGLNOS]$/;
