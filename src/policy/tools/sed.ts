import type { Finding } from '../finding.ts';
import type { JudgeContext } from '../judgeCommand.ts';
import { judgePath } from '../paths/judgePath.ts';
import { literal } from '../shell/field.ts';
import type { SimpleCommand } from '../shell/line.ts';
import { notOnlyReading } from './notOnlyReading.ts';
import type { ParsedArguments } from './parseArguments.ts';
import { sedOnlyPrints } from './sedScript.ts';
import type { ToolTable } from './table.ts';

/** Sed is a language that can write, read and run; only scripts that are wholly understood as printing are allowed. */
export const sed: ToolTable = {
  name: 'sed',
  aliases: ['gsed'],
  reason:
    'Prints lines changed on the way, with a script that neither writes, reads other files, nor runs anything.',
  flags:
    '-n -E -r -s -u -z --quiet --silent --regexp-extended --posix --separate --unbuffered --null-data --sandbox --debug',
  values: '-e -l --expression --line-length',
  dangers: { '-i -I --in-place': 'changes the file', '-f --file': 'takes its script from a file' },
  operands: 'text',
  refine: judgeScript,
  allows: [
    "sed -n '1,20p' README.md",
    "sed 's/a/b/' README.md",
    "sed -e 's/a/b/g' -e '/x/d' README.md",
    "sed -n '/start/,/end/p' README.md",
    "sed 's|/|_|g'",
    "sed '$d' README.md",
    "sed -n '5p;7p' README.md",
    "sed -E 's/(a|b)+/x/gI' README.md",
    "sed '/^$/d' README.md",
    'sed 1d README.md',
    "sed -n '$=' README.md",
    "sed '1!G;h;$!d' README.md",
    "sed 'y/abc/xyz/'",
    'sed 5q README.md',
    "sed 's/w file/x/' README.md",
    "sed -n '1~2p' README.md",
  ],
  asks: [
    "sed -i 's/a/b/' README.md",
    'sed -ni p README.md',
    "sed 's/a/b/w out' README.md",
    "sed 's/a/id/e' README.md",
    "sed '1e id' README.md",
    "sed 'w out' README.md",
    "sed -n '1w out' README.md",
    "sed 'r /etc/passwd' README.md",
    "sed 'R x' README.md",
    'sed -f x README.md',
    'sed --in-place s/a/b/ README.md',
    'sed --in s/a/b/ README.md',
    "sed 's/a/b/ge' README.md",
    'sed "$x" README.md',
    'sed p /etc/passwd',
    'sed -n p .env',
    "sed '1{w out\n}' README.md",
    "sed 'W out' README.md",
    'sed -n -e p -e "1e id" README.md',
    "sed 's/a/b/;e' README.md",
    'sed -s -i p README.md',
    'sed -ie p README.md',
    'sed e',
    "sed 's/x/y/gw /tmp/x'",
  ],
};

function judgeScript(
  parsed: ParsedArguments,
  command: SimpleCommand,
  context: JudgeContext,
): readonly Finding[] {
  const expressions = parsed.options.filter(({ name }) => name === '-e' || name === '--expression');
  const scripts =
    expressions.length > 0
      ? expressions.map(({ value, word }) => ({ field: value, word }))
      : parsed.operands.slice(0, 1);
  const files = expressions.length > 0 ? parsed.operands : parsed.operands.slice(1);
  const findings: Finding[] = [];
  // Several expressions are lines of one script: one that ends open would go on in the next.
  for (const { field, word } of scripts) {
    const text = field && literal(field);
    if (text === undefined || !sedOnlyPrints(text))
      findings.push(notOnlyReading(field?.span ?? command.span, 'sed', word));
  }
  if (scripts.length === 0) findings.push(notOnlyReading(command.span, 'sed'));
  for (const { field, word } of files) {
    const finding = literal(field) === '-' ? undefined : judgePath(context, field, 'read', word);
    if (finding) findings.push(finding);
  }
  return findings;
}
