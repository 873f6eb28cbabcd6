import type { Finding } from '../finding.ts';
import type { JudgeContext } from '../judgeCommand.ts';
import { judgePath } from '../paths/judgePath.ts';
import { literal } from '../shell/field.ts';
import type { SimpleCommand } from '../shell/line.ts';
import { awkOnlyPrints } from './awkProgram.ts';
import { notOnlyReading } from './notOnlyReading.ts';
import type { ParsedArguments } from './parseArguments.ts';
import type { ToolTable } from './table.ts';

/** Awk can write files, run commands and read whatever it names; only programs that plainly do none of it are allowed. */
export const awk: ToolTable = {
  name: 'awk',
  aliases: ['gawk', 'mawk', 'nawk'],
  reason: 'Prints from its input, with a program that neither writes, runs, nor opens anything by itself.',
  values: '-F -v --field-separator --assign',
  dangers: {
    '-f --file': 'takes its program from a file',
    '-i --include': 'loads a library',
    '-l --load': 'loads code',
    '-o --pretty-print': 'writes a file',
    '-d --dump-variables': 'writes a file',
    '-p --profile': 'writes a file',
    '-E --exec': 'takes its program from a file',
    '-e --source': 'adds to the program',
  },
  stopsAtOperand: true,
  operands: 'text',
  refine: judgeProgram,
  allows: [
    "awk '{print $1}' README.md",
    "awk -F: '{print $1, $NF}' README.md",
    "awk 'NR>5' README.md",
    "awk 'NR==1{print; exit}'",
    "awk '$3 > 100 {print $1}' data.csv",
    "awk '{s+=$1} END {print s}'",
    "awk '/foo/ {c++} END{print c}' README.md",
    "awk -v n=3 'NR==n' README.md",
    "awk 'length($0) > 80' src/a.ts",
    'awk \'{printf "%s\\n", $1}\' README.md',
    "awk '!seen[$0]++' README.md",
    "awk -F'\\t' '{print $2}' data.csv",
    "awk '{ if ($1 > 2) print $2 }'",
    "awk '{print ($1 > 2)}'",
    'awk \'BEGIN { FS="," } { print $2 }\' data.csv',
    "awk '$1 || $2'",
  ],
  asks: [
    'awk \'BEGIN{system("id")}\'',
    'awk \'{print > "out"}\' README.md',
    'awk \'{print $1 | "sh"}\' README.md',
    'awk \'{"id" | getline x; print x}\'',
    'awk \'BEGIN{while((getline l < "/etc/passwd")>0) print l}\'',
    'awk -f x README.md',
    "awk '{print}' /etc/passwd",
    'awk \'BEGIN{print ENVIRON["HOME"]}\'',
    'awk \'BEGIN{ARGV[1]="/etc/passwd";ARGC=2}{print}\'',
    'awk "$x" README.md',
    'awk \'{printf "x" >> "out"}\' README.md',
    'awk \'@load "filefuncs"\'',
    'awk \'BEGIN{f="system"; @f("id")}\'',
    "awk '{print}' .env",
    "awk -i inplace '{print}' README.md",
    'awk \'{print >"/dev/stderr"}\'',
    "awk '{print}' FS=, /etc/passwd",
    'awk \'{print $1 |& "sh"}\'',
    'awk \'BEGIN{"date"|getline}\'',
    'awk \'{print a / system("id") / b}\'',
  ],
};

function judgeProgram(
  parsed: ParsedArguments,
  command: SimpleCommand,
  context: JudgeContext,
): readonly Finding[] {
  const [program, ...files] = parsed.operands;
  const text = program && literal(program.field);
  if (text === undefined || !awkOnlyPrints(text))
    return [notOnlyReading(program?.field.span ?? command.span, 'awk', program?.word)];
  return files.flatMap(({ field, word }) => {
    const operand = literal(field);
    if (operand === '-' || (operand !== undefined && /^[A-Za-z_]\w*=/.test(operand))) return [];
    return judgePath(context, field, 'read', word) ?? [];
  });
}
