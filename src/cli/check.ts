import { once } from 'node:events';
import { homedir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { messageOf } from '../base/errors.ts';
import { loadPolicy } from '../policy/loadPolicy.ts';
import type { CommandPolicy } from '../policy/policy.ts';
import type { Decision } from '../protocol/decision.ts';
import { userRules } from './userSettings.ts';

const exits = { allow: 0, ask: 10, deny: 20 } as const;
const usageExit = 2;

const usage = `usage: cordon check [--json] [--workspace DIR] COMMAND
       cordon check --jsonl [--workspace DIR]
`;

/**
 * `cordon check`: what would be decided over a command line, and why; nothing is run. With `--jsonl` reads
 * `{"id","command","cwd"?}` lines from standard input and answers each in order.
 *
 * @returns 0 allow, 10 ask, 20 deny, 2 wrong usage; with `--jsonl` 0
 */
export async function checkCommand(argv: readonly string[]): Promise<number> {
  const asked = readArguments(argv);
  if (typeof asked === 'string') {
    process.stderr.write(`cordon check: ${asked}\n${usage}`);
    return usageExit;
  }
  const workspace = path.resolve(asked.workspace ?? '.');
  const { policy, problems } = loadPolicy({
    folders: [workspace],
    home: homedir(),
    settings: userRules([workspace]),
  });
  for (const { source, pattern, message } of problems)
    process.stderr.write(
      `cordon check: the rule "${pattern}" of the ${source} settings is ignored: ${message}\n`,
    );
  if (asked.command === undefined) return answerLines(policy, workspace);
  // Where the caller stands, when that is inside the workspace.
  const here = process.cwd();
  const cwd = here === workspace || here.startsWith(`${workspace}${path.sep}`) ? here : workspace;
  const decision = policy.decide({ command: asked.command, cwd });
  process.stdout.write(asked.isJson ? `${JSON.stringify(decision)}\n` : explain(asked.command, decision));
  return exits[decision.decision];
}

interface Asked {
  readonly workspace: string | undefined;
  readonly isJson: boolean;
  /** Undefined with `--jsonl`. */
  readonly command: string | undefined;
}

function readArguments(argv: readonly string[]): Asked | string {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { workspace: { type: 'string' }, json: { type: 'boolean' }, jsonl: { type: 'boolean' } },
    });
  } catch (error) {
    return messageOf(error);
  }
  const { values, positionals } = parsed;
  const isJson = values.json === true;
  if (values.jsonl === true) {
    if (positionals.length > 0) return 'with --jsonl the commands come from standard input.';
    return { workspace: values.workspace, isJson, command: undefined };
  }
  const [command] = positionals;
  if (command === undefined) return 'the COMMAND is missing.';
  if (positionals.length > 1) return 'COMMAND is one argument: put the whole line in quotes.';
  return { workspace: values.workspace, isJson, command };
}

/** The decision in words, with the parts of the line that caused it. */
function explain(command: string, { decision, risk, reasons }: Decision): string {
  const words = { allow: 'allowed without a question', ask: 'asked', deny: 'denied' }[decision];
  const lines = reasons.map(({ message, span: [from, to] }) => {
    const part = command.slice(from, to).trim();
    return `  - ${message}${part === '' || part === command.trim() ? '' : `  [${part}]`}`;
  });
  return [`${decision}: ${words} (risk ${risk} of 100)`, ...lines, ''].join('\n');
}

const Line = z.object({
  id: z.union([z.string(), z.number()]),
  command: z.string(),
  cwd: z.string().optional(),
});

async function answerLines(policy: CommandPolicy, workspace: string): Promise<number> {
  for await (const text of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    if (text.trim() === '') continue;
    const answer = answerLine(policy, workspace, text);
    if (!process.stdout.write(`${JSON.stringify(answer)}\n`)) await once(process.stdout, 'drain');
  }
  return 0;
}

/** A line that cannot be read is asked about, under whatever id it has. */
function answerLine(policy: CommandPolicy, workspace: string, text: string) {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return unread(null, 'The line is not JSON.');
  }
  const line = Line.safeParse(value);
  if (!line.success)
    return unread(
      z.looseObject({ id: z.unknown() }).catch({ id: null }).parse(value).id,
      'The line needs an "id" and a "command".',
    );
  const { id, command, cwd } = line.data;
  return {
    id,
    ...policy.decide({ command, cwd: cwd === undefined ? workspace : path.resolve(workspace, cwd) }),
  };
}

function unread(id: unknown, message: string) {
  return {
    id: id ?? null,
    decision: 'ask',
    risk: 50,
    reasons: [{ code: 'input.unread', message, span: [0, 0] }],
  };
}
