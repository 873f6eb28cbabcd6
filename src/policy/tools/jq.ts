import type { Finding } from '../finding.ts';
import type { JudgeContext } from '../judgeCommand.ts';
import { judgePath } from '../paths/judgePath.ts';
import { literal } from '../shell/field.ts';
import type { Field } from '../shell/field.ts';
import type { SimpleCommand } from '../shell/line.ts';
import { notOnlyReading } from './notOnlyReading.ts';
import type { ParsedArguments } from './parseArguments.ts';
import type { ToolTable } from './table.ts';

/** Jq computes on JSON. Its filters cannot write or run; they can read the environment and load modules. */
export const jq: ToolTable = {
  name: 'jq',
  reason:
    'Prints what a filter makes of its input; filters that read the environment or load modules are left out.',
  flags:
    '-c -r -j -a -s -n -e -S -C -M -R -h --compact-output --raw-output --raw-output0 --join-output --ascii-output --slurp --null-input --exit-status --sort-keys --color-output --monochrome-output --raw-input --tab --unbuffered --stream --stream-errors --seq --args --jsonargs',
  values: '--indent --arg --argjson',
  dangers: {
    '-f --from-file': 'takes its filter from a file',
    '-L': 'loads modules',
    '--slurpfile --rawfile': 'reads another file',
    '--library-path': 'loads modules',
  },
  operands: 'text',
  refine: judgeFilter,
  allows: [
    'jq . package.json',
    "jq '.scripts' package.json",
    "jq -r '.name' package.json",
    "jq -r '.a | keys[]' package.json",
    "jq -n '1+1'",
    "jq --arg x 1 '.[$x]' package.json",
    "jq 'map(select(.a > 1))' a.json",
    'jq -c .',
  ],
  asks: [
    'jq env',
    "jq -n 'env.HOME'",
    "jq -n '$ENV'",
    'jq . /etc/passwd',
    'jq -f x a.json',
    "jq -L /x '.' a.json",
    'jq . .env',
    'jq \'import "a" as a; .\' a.json',
    'jq "$x" a.json',
    "jq --rawfile x /etc/passwd -n '$x'",
    "jq --slurpfile x .env -n '$x'",
    "jq -n '[$ENV.PATH]'",
  ],
};

function judgeFilter(
  _parsed: ParsedArguments,
  command: SimpleCommand,
  context: JudgeContext,
): readonly Finding[] {
  const findings: Finding[] = [];
  let filter: Field | undefined;
  let textOnly = false;
  for (let index = 1; index < command.words.length; index++) {
    const field = command.words[index];
    if (field === undefined) break;
    const text = literal(field);
    if (text === '--args' || text === '--jsonargs') textOnly = true;
    if (text === '--arg' || text === '--argjson') index += 2;
    else if (text === '--indent') index += 1;
    else if (text !== undefined && text.startsWith('-') && text !== '-') continue;
    else if (filter === undefined) {
      filter = field;
      // `.env` as the name of a field is no harm, but not worth telling from the function.
      if (text === undefined || /\b(?:env|ENV|import|include|modulemeta|get_search_list)\b|\$ENV/.test(text))
        findings.push(notOnlyReading(field.span, 'jq', index));
    } else if (!textOnly) {
      const finding = judgePath(context, field, 'read', index);
      if (finding) findings.push(finding);
    }
  }
  return findings;
}
