import type { ParsedScript } from 'unbash';
import { asking } from './finding.ts';
import type { Finding, Span } from './finding.ts';
import { folderOfPattern, judgePath } from './paths/judgePath.ts';
import { resolvePath } from './paths/resolve.ts';
import type { PathContext } from './paths/judgePath.ts';
import { literal, textAt, textField } from './shell/field.ts';
import type { Field } from './shell/field.ts';
import type { Line, SimpleCommand } from './shell/line.ts';
import type { Feed } from './shell/feed.ts';
import { parseArguments } from './tools/parseArguments.ts';
import type { ParsedArguments } from './tools/parseArguments.ts';
import type { OperandUse, ToolTable } from './tools/table.ts';
import { findTool } from './tools/tools.ts';
import { unlisted } from './tools/unlisted.ts';

/** What a command is judged with. */
export interface JudgeContext extends PathContext {
  /** Reads a text that a command would run as a shell line (`sh -c`), in the same folders. */
  readLine(
    text: string,
    within: Span,
    folders: readonly string[] | undefined,
    input: Feed,
  ): Line & { readonly tree: ParsedScript | undefined };
  /** Where a command would be that is told to work in another folder (`git -C`). */
  enter(
    folder: Field,
    from: readonly string[] | undefined,
  ): { readonly folders: readonly string[] | undefined; readonly findings: readonly Finding[] };
}

/** Follows a folder operand; what is not known leads to a folder that is not known. */
export function enterFolder(
  context: PathContext,
  folder: Field,
  from: readonly string[] | undefined,
): ReturnType<JudgeContext['enter']> {
  const finding = judgePath({ ...context, folders: from }, folder, 'look');
  const text = literal(folder);
  const folders =
    text === undefined
      ? undefined
      : (text.startsWith('/') ? ['/'] : from)?.map(base => resolvePath(base, text));
  return {
    findings: finding ? [finding] : [],
    folders: folders?.every(path => path !== undefined) ? folders : undefined,
  };
}

/** What the built-in knowledge says of one command: nothing against it, or findings. */
export function judgeTool(command: SimpleCommand, context: JudgeContext): readonly Finding[] {
  const [first] = command.words;
  const name = first && literal(first);
  if (name === undefined || command.isFunction)
    return [
      asking('tool.unknown', 'Which command this is cannot be told beforehand.', command.span, {
        word: 0,
        cure: 'person',
        risk: 60,
      }),
    ];
  const found = findTool(command.words);
  if (found === undefined) return [unlisted(name, command)];
  const here: JudgeContext = { ...context, folders: command.folders };
  // Every program that is listed prints its version or its help and does no more.
  if (
    command.words.length === 2 &&
    found.from === 1 &&
    !name.includes('git') &&
    /^--(?:version|help)$/.test(textAt(command.words, 1) ?? '')
  )
    return [];
  const parsed = parseArguments(found.table, command.words, found.from);
  return [
    ...parsed.findings,
    ...judgeArguments(found.table, parsed, command, here),
    ...(found.table.refine?.(parsed, command, here) ?? []),
  ];
}

function judgeArguments(
  table: ToolTable,
  parsed: ParsedArguments,
  command: SimpleCommand,
  context: JudgeContext,
): Finding[] {
  const findings: Finding[] = [];
  for (const option of parsed.options) {
    if (option.value === undefined) continue;
    if (option.kind === 'read') push(findings, judgePath(context, option.value, 'read', option.word));
  }
  parsed.operands.forEach(({ field, word }, index) => {
    const use = operandUse(table, index);
    if (use === undefined || (table.maxOperands !== undefined && index >= table.maxOperands))
      findings.push(
        asking(
          'tool.unexpectedOperand',
          `\`${table.name}\` with this operand is not known to be harmless.`,
          field.span,
          { word },
        ),
      );
    else if (use !== 'text' && literal(field) !== '-') push(findings, judgePath(context, field, use, word));
    else if (
      use === 'text' &&
      !table.anyOption &&
      !table.anyWord &&
      field.pieces.some(piece => piece.kind === 'open' && piece.splits)
    )
      findings.push(
        asking('tool.openOption', 'This could turn out to be several words, or an option.', field.span, {
          word,
          cure: 'person',
        }),
      );
  });
  for (const field of command.words) {
    // A bare pattern is looked up on disk whatever the word is for, and tells names.
    if (field.pieces.some(piece => piece.kind === 'glob'))
      push(findings, judgePath(context, folderOfPattern(field), 'exists'));
  }
  if (table.usesFolder && parsed.operands.length === 0)
    push(findings, judgePath(context, textField('.', command.span), 'look'));
  return findings;
}

/** What the operand at this place is used for; undefined when there should be none. */
export function operandUse(table: ToolTable, index: number): OperandUse | undefined {
  if (table.operands === undefined || typeof table.operands === 'string') return table.operands;
  return table.operands[Math.min(index, table.operands.length - 1)];
}

function push(findings: Finding[], finding: Finding | undefined): void {
  if (finding) findings.push(finding);
}
