import type { RuleProposal } from '../../protocol/approval.ts';
import type { CommandVerdict } from '../decide.ts';
import type { JudgedLine } from '../judgeLine.ts';
import { literal } from '../shell/field.ts';
import { findTool } from '../tools/tools.ts';
import { patternOf, quoteWord } from './pattern.ts';

/** Commands for which no lasting rule is offered: what follows them can be anything. */
const never = new Set(
  `sh bash dash zsh ksh fish csh tcsh python python2 python3 node deno bun ruby perl php lua tclsh Rscript osascript pwsh
  sudo doas su pkexec env xargs nohup nice timeout time stdbuf setsid exec eval command builtin source . find parallel watch ssh scp sftp
  rsync curl wget nc ncat netcat socat telnet ftp docker podman kubectl chroot unshare nsenter gdb strace busybox awk gawk mawk sed
  rm dd mkfs shred chmod chown kill killall pkill ln mv tee export alias trap`.split(/\s+/),
);

/** Tools whose second word says what they do, and those where it takes a third. */
const twoWords = new Set(
  'git npm pnpm yarn cargo go dotnet mvn gradle make pip pip3 poetry uv bundle gem rake composer mix tsc eslint'.split(
    ' ',
  ),
);
const runners = new Set([
  'npm run',
  'npm run-script',
  'pnpm run',
  'yarn run',
  'npm exec',
  'pnpm exec',
  'poetry run',
  'uv run',
  'bundle exec',
  'cargo run',
  'go run',
  'dotnet run',
]);
/** Of the runners, those whose third word may be any program. */
const runsAnything = new Set(['npm exec', 'pnpm exec', 'poetry run', 'uv run', 'bundle exec']);
const publishes = /^(?:push|publish|login|logout|adduser|token|config|remote|credential)$/;

/**
 * Patterns for what is not allowed yet, narrowest first. Nothing when a part is denied, when something other than a
 * missing rule keeps the line from running, or when the command is one that could do anything.
 */
export function propose(line: JudgedLine, verdicts: readonly CommandVerdict[]): RuleProposal[] {
  if (line.findings.length > 0) return [];
  const open = verdicts.filter(verdict => verdict.open.length > 0);
  if (
    open.some(verdict => verdict.open.some(finding => finding.verdict === 'deny' || finding.cure !== 'rule'))
  )
    return [];
  const seen = new Set<string>();
  return open
    .flatMap(verdict => proposalsFor(verdict))
    .filter(({ pattern }) => !seen.has(pattern) && seen.add(pattern) && pattern.length <= 1_000);
}

function proposalsFor({ judged }: CommandVerdict): RuleProposal[] {
  const words = judged.command.words.map(literal);
  if (!words.every(word => word !== undefined) || judged.command.assignments.length > 0) return [];
  const [name = '', sub, third] = words;
  const plain = name.slice(name.lastIndexOf('/') + 1);
  if (never.has(plain) || never.has(plain.replace(/[\d.]+$/, '')) || plain.startsWith('mkfs')) return [];
  const proposals: RuleProposal[] = [{ pattern: patternOf(words), description: 'Exactly this command' }];
  if (sub === undefined || publishes.test(sub)) return proposals;
  if (runners.has(`${plain} ${sub}`)) {
    if (third !== undefined && !third.startsWith('-') && !runsAnything.has(`${plain} ${sub}`))
      proposals.push({
        pattern: `${patternOf([name, sub, third])} **`,
        description: `\`${name} ${sub} ${third}\` with anything after it`,
      });
  } else if (twoWords.has(plain) && /^[a-z][a-z0-9:-]*$/.test(sub))
    proposals.push({
      pattern: `${patternOf([name, sub])} **`,
      description: `\`${name} ${sub}\` with anything after it`,
    });
  else if (!twoWords.has(plain) && findTool(judged.command.words) === undefined) {
    const operand = words.findIndex((word, index) => index > 0 && !word.startsWith('-'));
    if (
      operand > 0 &&
      words.filter(word => !word.startsWith('-')).length === 2 &&
      plain !== 'npx' &&
      plain !== 'uvx' &&
      plain !== 'bunx'
    )
      proposals.push({
        pattern: words.map((word, index) => (index === operand ? '*' : quoteWord(word))).join(' '),
        description: `The same with any one operand in place of \`${words[operand] ?? ''}\``,
      });
  }
  return proposals;
}
