import { asking } from '../finding.ts';
import type { Finding } from '../finding.ts';
import type { JudgeContext } from '../judgeCommand.ts';
import { pathPattern } from '../paths/globs.ts';
import { judgePath } from '../paths/judgePath.ts';
import { literal, textField } from '../shell/field.ts';
import type { Field } from '../shell/field.ts';
import type { SimpleCommand } from '../shell/line.ts';
import type { ToolTable } from './table.ts';

const tests = {
  alone:
    '-true -false -empty -readable -writable -executable -nouser -nogroup -daystart -depth -d -mount -xdev -noleaf -ignore_readdir_race -noignore_readdir_race -warn -nowarn -print -print0 -ls -prune -quit -not -a -and -o -or',
  withValue:
    '-name -iname -path -ipath -wholename -iwholename -regex -iregex -lname -ilname -type -xtype -size -mtime -atime -ctime -mmin -amin -cmin -maxdepth -mindepth -perm -user -group -uid -gid -links -inum -used -regextype -fstype -printf -context -newermt',
};
const alone = new Set(tests.alone.split(' '));
const withValue = new Set(tests.withValue.split(' '));
const withPath = new Set(['-newer', '-anewer', '-cnewer', '-samefile', '-neweraa', '-newermm']);
const dangers = new Map([
  ['-delete', 'deletes what it finds'],
  ['-fprint', 'writes a file'],
  ['-fprint0', 'writes a file'],
  ['-fprintf', 'writes a file'],
  ['-fls', 'writes a file'],
  ['-ok', 'runs a program for each file, and waits for an answer'],
  ['-okdir', 'runs a program for each file, and waits for an answer'],
  ['-files0-from', 'reads the names of folders from a file'],
]);

/** Find lists files; programs that it would run (`-exec`) are judged by themselves, as commands of their own. */
export const find: ToolTable = {
  name: 'find',
  aliases: ['gfind'],
  reason: 'Lists names; deleting and writing are left out, and what it would run is judged by itself.',
  operands: 'text',
  anyWord: true,
  refine: judgeExpression,
  allows: [
    'find .',
    "find . -name '*.ts'",
    "find src -type f -name '*.ts' -not -path '*/node_modules/*'",
    'find . -maxdepth 2 -type d',
    'find',
    'find . \\( -name a -o -name b \\) -print0',
    'find . -newer README.md',
    'find . -mtime -1 -size +10k',
    "find . -name '*.md' -exec wc -l {} +",
    "find src -name '*.ts' -exec grep -l foo {} \\;",
    'find . ! -name x',
    "find . -type f -printf '%p\\n'",
    'find src -name *.ts',
  ],
  asks: [
    'find / -name x',
    'find ~',
    'find ..',
    'find . -delete',
    "find . -name '*.ts' -exec rm {} \\;",
    "find . -name '*.ts' -exec sh -c 'rm x' \\;",
    'find . -fprint out',
    'find . -ok cat {} \\;',
    'find . -execdir cat {} +',
    'find . -fls out',
    'find "$x"',
    'find . -exec {} \\;',
    'find . -unknown',
    'find . -type f -fprintf out %p',
    'find . -newer /etc/passwd',
    'find . -exec cat /etc/passwd \\;',
    'find -files0-from x',
    'find -L . -name x',
    'find . -follow',
    'find . $x',
    'find . -name *',
    'find . -name -*e',
  ],
};

function judgeExpression(
  _parsed: unknown,
  command: SimpleCommand,
  context: JudgeContext,
): readonly Finding[] {
  const { words } = command;
  const findings: Finding[] = [];
  let index = 1;
  while (/^-(?:[HLP]|O\d)$/.test((words[index] && literal(words[index] as Field)) ?? '')) index += 1;
  if (words.slice(1, index).some(word => /L/.test(literal(word) ?? '')))
    findings.push(
      asking(
        'tool.dangerousOption',
        'This follows symbolic links, also out of the workspace.',
        words[1]?.span ?? command.span,
        { word: 1, cure: 'rule' },
      ),
    );
  const starts: { field: Field; word: number }[] = [];
  for (let field = words[index]; field !== undefined && !beginsExpression(field); field = words[++index])
    starts.push({ field, word: index });
  for (const { field, word } of starts.length > 0
    ? starts
    : [{ field: textField('.', command.span), word: 0 }]) {
    const finding = judgePath(context, field, 'look', word);
    if (finding) findings.push(finding);
  }
  for (; index < words.length; index++) {
    const field = words[index];
    const text = field && literal(field);
    if (field === undefined) break;
    if (text === undefined) {
      findings.push(
        asking('tool.openOption', 'This could turn out to be any part of an expression.', field.span, {
          word: index,
          cure: 'person',
        }),
      );
      continue;
    }
    if (text === '(' || text === ')' || text === '!' || text === ',' || alone.has(text)) continue;
    if (withValue.has(text)) {
      // An unquoted pattern becomes file names when some match; they are values all the same, unless there are several.
      index += 1;
      const value = words[index];
      if (value === undefined || mayBecomeAction(value))
        findings.push(
          asking('tool.openOption', 'This could turn out to be any part of an expression.', field.span, {
            word: index,
            cure: 'person',
          }),
        );
      continue;
    }
    if (withPath.has(text)) {
      const value = words[++index];
      const finding = value && judgePath(context, value, 'look', index);
      if (finding) findings.push(finding);
      continue;
    }
    if (text === '-exec' || text === '-execdir') {
      // What it runs is judged where wrappers are taken apart; here only the end is looked for.
      while (index < words.length && !/^[;+]$/.test((words[index] && literal(words[index] as Field)) ?? ''))
        index += 1;
      continue;
    }
    const danger = dangers.get(text);
    findings.push(
      danger === undefined
        ? asking('tool.unknownOption', `\`find\` with \`${text}\` is not known to be harmless.`, field.span, {
            word: index,
          })
        : asking('tool.dangerousOption', `\`${text}\` ${danger}.`, field.span, {
            word: index,
            risk: 65,
            cure: 'word',
          }),
    );
  }
  return findings;
}

/** A bare pattern can turn into several names, and a name can be an action; an unquoted variable anything. */
function mayBecomeAction(value: Field): boolean {
  if (
    value.pieces.some(
      piece => (piece.kind === 'open' && piece.splits) || (piece.kind === 'glob' && piece.resplit),
    )
  )
    return true;
  if (!value.pieces.some(piece => piece.kind === 'glob')) return false;
  const pattern = pathPattern(
    value.pieces.map(piece =>
      piece.kind === 'text'
        ? { glob: false, text: piece.text }
        : { glob: true, text: piece.kind === 'glob' ? piece.text : '*' },
    ),
  )?.[0]?.pattern;
  return pattern === undefined || [...dangers.keys(), '-exec', '-execdir'].some(name => pattern.test(name));
}

function beginsExpression(field: Field): boolean {
  const text = literal(field);
  if (text === undefined) return false;
  return text.startsWith('-') || text === '(' || text === '!' || text === ',';
}
