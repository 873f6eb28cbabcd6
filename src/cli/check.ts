import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import * as z from 'zod';
import { messageOf } from '../base/errors.ts';
import { explain } from '../policy/explain.ts';
import { loadPolicy } from '../policy/loadPolicy.ts';
import type { CommandPolicy } from '../policy/policy.ts';
import type { Decision } from '../protocol/decision.ts';
import { userRules } from './userSettings.ts';

/** Exit statuses of the single form. Scripts rely on them. */
const statuses = { allow: 0, ask: 10, deny: 20 } as const;
const usageStatus = 2;

const usage = `Usage: cordon check [--json] [--workspace DIR]… COMMAND
       cordon check --jsonl [--workspace DIR]…
Says whether a command line would be allowed, and why. COMMAND is one argument, as it would be typed into a shell.
Exit status: 0 allowed, 10 asked, 20 denied, 2 wrong use.
`;

/** Where input comes from and output goes; the process's own unless a test says otherwise. */
export interface Streams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** `cordon check`: the decision on one command line, or on a stream of them. Resolves to the exit status. */
export async function checkCommand(
  argv: readonly string[],
  _credential?: string,
  streams: Streams = process,
): Promise<number> {
  const wanted = readArguments(argv);
  if (typeof wanted === 'string') {
    streams.stderr.write(`cordon check: ${wanted}\n${usage}`);
    return usageStatus;
  }
  if (wanted.form === 'help') {
    streams.stdout.write(usage);
    return 0;
  }
  let policy: CommandPolicy;
  try {
    policy = policyFor(wanted.folders, streams.stderr);
  } catch (error) {
    // Rules that cannot be read may hold a prohibition: nothing is decided without them.
    streams.stderr.write(`cordon check: ${messageOf(error)}\n`);
    return usageStatus;
  }
  const [folder = process.cwd()] = wanted.folders;
  if (wanted.form === 'stream') {
    await answerStream(policy, folder, streams);
    return 0;
  }
  const cwd =
    wanted.folders.find(each => isInside(process.cwd(), each)) === undefined ? folder : process.cwd();
  const decision = policy.decide({ command: wanted.command, cwd });
  streams.stdout.write(
    wanted.form === 'json' ? `${JSON.stringify(decision)}\n` : `${explain(wanted.command, decision)}\n`,
  );
  return statuses[decision.decision];
}

type Wanted =
  | { readonly form: 'help'; readonly folders: readonly string[] }
  | { readonly form: 'stream'; readonly folders: readonly string[] }
  | { readonly form: 'text' | 'json'; readonly folders: readonly string[]; readonly command: string };

/** Options end at the first word of the command, so that `cordon check ls -la` means what it says. */
function readArguments(argv: readonly string[]): Wanted | string {
  const folders: string[] = [];
  let form: 'text' | 'json' | 'stream' = 'text';
  let at = 0;
  for (; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (word === '--') {
      at += 1;
      break;
    }
    if (word === '--help' || word === '-h') return { form: 'help', folders };
    if (word === '--json') form = 'json';
    else if (word === '--jsonl') form = 'stream';
    else if (word === '--workspace' || word.startsWith('--workspace=')) {
      const folder = word === '--workspace' ? argv[++at] : word.slice('--workspace='.length);
      if (folder === undefined || folder === '') return '--workspace needs a folder.';
      folders.push(path.resolve(folder));
    } else if (word.startsWith('-')) return `there is no option "${word}".`;
    else break;
  }
  const missing = folders.find(folder => !statSync(folder, { throwIfNoEntry: false })?.isDirectory());
  if (missing !== undefined) return `${missing} is not a folder.`;
  if (folders.length === 0) folders.push(process.cwd());
  const words = argv.slice(at);
  if (form === 'stream')
    return words.length === 0
      ? { form, folders }
      : '--jsonl reads commands from standard input and takes none.';
  if (words.length === 0) return 'no command was given.';
  return { form, folders, command: words.join(' ') };
}

function policyFor(folders: readonly string[], stderr: Writable): CommandPolicy {
  const { policy, problems } = loadPolicy({ folders, home: homedir(), settings: userRules(folders) });
  for (const { source, pattern, message } of problems)
    stderr.write(`cordon check: the ${source} rule "${pattern}" does not count: ${message}\n`);
  return policy;
}

const Request = z.object({ id: z.unknown(), command: z.string(), cwd: z.string().optional() });

/** Longer input lines are answered without being read, in UTF-16 code units. */
const maxRequest = 8_000_000;

/** One answer for each line, in order, as they come. A line that is no request is asked. */
async function answerStream(
  policy: CommandPolicy,
  folder: string,
  { stdin, stdout }: Streams,
): Promise<void> {
  stdin.setEncoding('utf8');
  let rest = '';
  let skipping = false;
  const answerAll = (lines: readonly string[]) =>
    lines
      .filter(line => line.trim() !== '')
      .map(line => `${JSON.stringify(answer(policy, folder, line))}\n`)
      .join('');
  for await (const chunk of stdin as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (skipping && lines.length > 0) {
      lines[0] = '';
      skipping = false;
    }
    let answers = answerAll(lines);
    if (rest.length > maxRequest) {
      if (!skipping) answers += `${JSON.stringify({ id: null, ...unreadable('The line is too long.') })}\n`;
      rest = '';
      skipping = true;
    }
    if (answers !== '' && !stdout.write(answers)) await new Promise(resolve => stdout.once('drain', resolve));
  }
  if (!skipping && rest.trim() !== '') stdout.write(answerAll([rest]));
}

function answer(policy: CommandPolicy, folder: string, line: string): Decision & { id: unknown } {
  let request: z.infer<typeof Request>;
  try {
    request = Request.parse(JSON.parse(line));
  } catch {
    return { id: idIn(line), ...unreadable('The line is not a request: {"id", "command", "cwd"?}.') };
  }
  const cwd = request.cwd === undefined ? folder : path.resolve(folder, request.cwd);
  return { id: request.id, ...policy.decide({ command: request.command, cwd }) };
}

function unreadable(message: string): Decision {
  return { decision: 'ask', risk: 60, reasons: [{ code: 'input.unreadable', message, span: [0, 0] }] };
}

function idIn(line: string): unknown {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (Reflect.get(value, 'id') ?? null) : null;
  } catch {
    return null;
  }
}

function isInside(folder: string, parent: string): boolean {
  const relative = path.relative(parent, folder);
  return relative === '' || (!relative.startsWith('..') && !path.isAbsolute(relative));
}
