import type { Finding } from '../finding.ts';
import type { JudgeContext } from '../judgeCommand.ts';
import { judgeTree } from '../paths/judgePath.ts';
import type { ParsedArguments } from './parseArguments.ts';

/** Looks through the operands as folders when one of these options makes a tool go into them. */
export function recursiveReads(
  parsed: ParsedArguments,
  context: JudgeContext,
  options: readonly string[],
): readonly Finding[] {
  if (!parsed.options.some(({ name }) => options.includes(name))) return [];
  return parsed.operands.flatMap(
    ({ field, word }) =>
      judgeTree(context, field, { opens: undefined, followsLinks: true, skipsHidden: false }, word) ?? [],
  );
}
