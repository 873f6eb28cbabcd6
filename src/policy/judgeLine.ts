import { asking } from './finding.ts';
import type { Finding, Span } from './finding.ts';
import { denyCommand, denyLine } from './denied/denied.ts';
import { enterFolder, judgeTool } from './judgeCommand.ts';
import type { JudgeContext } from './judgeCommand.ts';
import type { PathContext } from './paths/judgePath.ts';
import { noFeed } from './shell/feed.ts';
import type { Feed } from './shell/feed.ts';
import type { SimpleCommand } from './shell/line.ts';
import { outputOf } from './shell/outputOf.ts';
import { readLine } from './shell/readLine.ts';
import { unwrap } from './wrappers/wrappers.ts';

/** One command of a line with what the built-in knowledge holds against it. */
export interface JudgedCommand {
  readonly command: SimpleCommand;
  readonly findings: readonly Finding[];
  /** The wrapper that would run it. */
  readonly outer: JudgedCommand | undefined;
}

export interface JudgedLine {
  readonly commands: readonly JudgedCommand[];
  /** What concerns the line and not one of its commands. */
  readonly findings: readonly Finding[];
}

/** Wrappers inside wrappers are taken apart this deep. */
const maxDepth = 8;

/** Reads a line and judges everything in it; rules are not looked at here. Never throws. */
export function judgeLine(text: string, context: PathContext): JudgedLine {
  const read = (
    inner: string,
    within: Span | undefined,
    folders: readonly string[] | undefined,
    input: Feed,
  ) =>
    readLine(inner, { boundary: context.boundary, folders, input, outputOf, ...(within ? { within } : {}) });
  const judging: JudgeContext = {
    ...context,
    readLine: read,
    enter: (folder, from) => enterFolder(context, folder, from),
  };
  try {
    const line = read(text, undefined, context.folders, noFeed);
    const commands: JudgedCommand[] = [];
    for (const command of line.commands) judgeInto(commands, command, undefined, judging, 0);
    const findings = [...line.findings, ...denyLine(text, line.tree)];
    if (commands.length === 0 && findings.length === 0 && text.trim() === '')
      findings.push(
        asking('parse.empty', 'There is no command in this line.', [0, text.length], { cure: 'person' }),
      );
    return { commands, findings };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return {
      commands: [],
      findings: [
        asking('policy.failed', `The line could not be judged: ${message}`, [0, text.length], {
          risk: 60,
          cure: 'person',
          stays: false,
        }),
      ],
    };
  }
}

function judgeInto(
  into: JudgedCommand[],
  command: SimpleCommand,
  outer: JudgedCommand | undefined,
  context: JudgeContext,
  depth: number,
): void {
  const denied = denyCommand(command, context);
  const here: JudgeContext = { ...context, folders: command.folders };
  const wrapped = depth < maxDepth ? unwrap(command, here) : undefined;
  const own = wrapped === undefined || wrapped.isTool ? judgeTool(command, here) : [];
  const judged: JudgedCommand = {
    command,
    findings: [...denied, ...own, ...(wrapped?.findings ?? [])],
    outer,
  };
  into.push(judged);
  for (const inner of wrapped?.commands ?? []) judgeInto(into, inner, judged, context, depth + 1);
}
