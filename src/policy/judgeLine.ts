import { asking } from './finding.ts';
import type { Finding, Span } from './finding.ts';
import { judgeTool } from './judgeCommand.ts';
import type { JudgeContext } from './judgeCommand.ts';
import type { PathContext } from './paths/judgePath.ts';
import { noFeed, unknownFeed } from './shell/feed.ts';
import type { Feed } from './shell/feed.ts';
import type { SimpleCommand } from './shell/line.ts';
import { readLine } from './shell/readLine.ts';

/** One command of a line with what the built-in knowledge holds against it. */
export interface JudgedCommand {
  readonly command: SimpleCommand;
  readonly findings: readonly Finding[];
}

export interface JudgedLine {
  readonly commands: readonly JudgedCommand[];
  /** What concerns the line and not one of its commands. */
  readonly findings: readonly Finding[];
}

/** Reads a line and judges everything in it; rules are not looked at here. Never throws. */
export function judgeLine(text: string, context: PathContext): JudgedLine {
  const outputOf = (_command: SimpleCommand): Feed => unknownFeed;
  const read = (
    inner: string,
    within: Span | undefined,
    folders: readonly string[] | undefined,
    input: Feed,
  ) =>
    readLine(inner, { boundary: context.boundary, folders, input, outputOf, ...(within ? { within } : {}) });
  const judging: JudgeContext = { ...context, readLine: read };
  try {
    const line = read(text, undefined, context.folders, noFeed);
    const commands = line.commands.map(command => ({ command, findings: judgeTool(command, judging) }));
    const findings = [...line.findings];
    if (commands.length === 0 && findings.length === 0 && !isComment(text))
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

function isComment(text: string): boolean {
  return /^(?:\s|#.*$)*$/m.test(text) && !/^\s*[^#\s]/m.test(text);
}
