import type { Finding } from '../finding.ts';
import type { JudgeContext } from '../judgeCommand.ts';
import { judgeTree } from '../paths/judgePath.ts';
import type { TreeScope } from '../paths/tree.ts';
import { isOrdinarySearch } from './ordinarySearch.ts';
import { namePattern } from '../paths/globs.ts';
import { literal, textField } from '../shell/field.ts';
import type { ParsedArguments } from './parseArguments.ts';
import type { SimpleCommand } from '../shell/line.ts';
import type { ToolTable } from './table.ts';

/** Ripgrep skips hidden and ignored files unless told otherwise; `--pre` would run a program for each file. */
export const ripgrep: ToolTable = {
  name: 'rg',
  reason: 'Prints lines that match, in the forms that run no other program.',
  flags:
    '-a -b -c -F -H -i -I -l -L -n -N -o -P -p -q -s -S -u -uu -uuu -U -v -V -w -x -0 -. --text --byte-offset --count --count-matches --fixed-strings --with-filename --no-filename --ignore-case --files-with-matches --files-without-match --files --follow --line-number --no-line-number --only-matching --pcre2 --pretty --quiet --case-sensitive --smart-case --unrestricted --multiline --multiline-dotall --invert-match --word-regexp --line-regexp --null --null-data --hidden --no-hidden --no-ignore --no-ignore-vcs --no-ignore-parent --no-ignore-dot --no-ignore-global --no-ignore-exclude --no-ignore-files --heading --no-heading --trim --vimgrep --stats --json --column --no-column --one-file-system --no-messages --no-config --crlf --debug --no-unicode --passthru --block-buffered --line-buffered --no-mmap --mmap --max-columns-preview --glob-case-insensitive --type-list --include-zero --no-require-git --stop-on-nonmatch --no-binary --binary',
  values:
    '-A -B -C -e -E -g -j -m -M -r -t -T -d --after-context --before-context --context --regexp --encoding --glob --iglob --threads --max-count --max-columns --replace --type --type-not --type-add --type-clear --max-depth --maxdepth --max-filesize --color --colors --sort --sortr --engine --context-separator --field-context-separator --field-match-separator --path-separator --regex-size-limit --dfa-size-limit --generate',
  reads: '-f --file --ignore-file',
  dangers: {
    '--pre': 'runs a program for each file',
    '--pre-glob': 'chooses the files for which a program runs',
    '--hostname-bin': 'runs a program',
    '--hyperlink-format': 'can run a program to learn the host name',
    '-z --search-zip': 'runs programs to unpack files',
  },
  operands: 'text',
  refine: judgeOperands,
  allows: [
    'rg foo',
    'rg TODO',
    'rg -l KEY',
    'rg -n foo src',
    "rg 'a b' src -g '*.ts'",
    'rg --files',
    'rg --files src',
    'rg -l foo -t ts',
    'rg -A 3 foo src/a.ts',
    'rg -e foo src',
    'rg --json foo src',
    "rg -tpy 'def ' src",
    'rg -- -x src',
  ],
  asks: [
    'rg SECRET',
    "rg foo -g '.env'",
    'rg .',
    'rg -A3 foo',
    'rg --pre=sh foo',
    'rg --pre sh foo',
    'rg foo /etc',
    'rg foo ..',
    'rg -f .env foo',
    'rg -z foo',
    'rg --hostname-bin=x foo',
    'rg *',
    'rg foo .env',
    'rg --pr=x foo',
    'rg --search-zip foo',
  ],
};

function judgeOperands(
  parsed: ParsedArguments,
  command: SimpleCommand,
  context: JudgeContext,
): readonly Finding[] {
  const has = (...names: string[]) => parsed.options.some(({ name }) => names.includes(name));
  const listsOnly = has('--files', '--type-list');
  const operands =
    listsOnly || has('-e', '--regexp', '-f', '--file') ? parsed.operands : parsed.operands.slice(1);
  const unrestricted =
    parsed.options.filter(({ name }) => name === '-u' || name === '--unrestricted').length +
    (has('-uu') ? 2 : has('-uuu') ? 3 : 0);
  const globs = parsed.options
    .filter(({ name }) => name === '-g' || name === '--glob' || name === '--iglob')
    .map(({ value }) => (value && literal(value)) ?? '!');
  const patterns = globs.map(glob => (/[/!{\\]/.test(glob) ? undefined : namePattern(glob)));
  const opens =
    patterns.length > 0 && patterns.every(pattern => pattern !== undefined)
      ? (name: string) => patterns.some(pattern => pattern?.test(name))
      : undefined;
  // A glob that names hidden files finds them in spite of the default.
  const skipsHidden = !(
    has('--hidden', '-.') ||
    unrestricted >= 2 ||
    globs.some(glob => glob.includes('.') && !/^!|^\*\.\w+$|^\*\.\{[\w,]+\}$/.test(glob))
  );
  const scope: { opens: TreeScope['opens']; followsLinks: boolean; skipsHidden: boolean } = {
    opens: listsOnly ? () => false : opens,
    followsLinks: has('-L', '--follow'),
    skipsHidden,
  };
  const aims = globs.some(
    glob => !glob.startsWith('!') && (/\.(?:env|pem|key)|id_|secret|cred/i.test(glob) || /[{\\]/.test(glob)),
  );
  // What can only print lines with an ordinary word in them tells no secret.
  const pattern =
    has('-e', '--regexp', '-f', '--file') || listsOnly
      ? undefined
      : parsed.operands[0] && literal(parsed.operands[0].field);
  if (
    pattern !== undefined &&
    !has(
      '-A',
      '-B',
      '-C',
      '-v',
      '--after-context',
      '--before-context',
      '--context',
      '--invert-match',
      '--passthru',
    ) &&
    context.masked &&
    !aims &&
    isOrdinarySearch(pattern)
  )
    scope.opens = () => false;
  if (
    has(
      '-l',
      '--files-with-matches',
      '--files-without-match',
      '-q',
      '--quiet',
      '-c',
      '--count',
      '--count-matches',
    )
  )
    scope.opens = () => false;
  // Without a path it reads its input when something is piped in, and the working folder otherwise.
  if (operands.length === 0)
    return command.input.kind === 'nothing'
      ? [judgeTree(context, textField('.', command.span), scope)].filter(finding => finding !== undefined)
      : [];
  return operands.flatMap(({ field, word }) =>
    literal(field) === '-' ? [] : (judgeTree(context, field, scope, word) ?? []),
  );
}
