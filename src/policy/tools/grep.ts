import type { Finding } from '../finding.ts';
import type { JudgeContext } from '../judgeCommand.ts';
import { judgePath, judgeTree } from '../paths/judgePath.ts';
import { isOrdinarySearch } from './ordinarySearch.ts';
import { namePattern } from '../paths/globs.ts';
import { literal, textField } from '../shell/field.ts';
import type { ParsedArguments } from './parseArguments.ts';
import type { SimpleCommand } from '../shell/line.ts';
import type { ToolTable } from './table.ts';

/** GNU and BSD grep. The first operand is the pattern unless an option gave one. */
export const grep: ToolTable = {
  name: 'grep',
  aliases: ['egrep', 'fgrep'],
  reason: 'Prints lines that match; no option writes.',
  flags:
    '-a -b -c -E -F -G -h -H -i -I -l -L -n -o -P -q -r -R -s -T -U -v -w -x -y -z -Z --text --byte-offset --count --extended-regexp --fixed-strings --basic-regexp --no-filename --with-filename --ignore-case --no-ignore-case --files-with-matches --files-without-match --line-number --only-matching --perl-regexp --quiet --silent --recursive --dereference-recursive --no-messages --initial-tab --binary --invert-match --word-regexp --line-regexp --null-data --null --line-buffered',
  values:
    '-A -B -C -d -D -e -m --after-context --before-context --context --max-count --regexp --binary-files --label --include --exclude --exclude-dir --directories --devices --group-separator',
  optional: '--color --colour',
  reads: '-f --file --exclude-from',
  operands: 'text',
  numbers: true,
  anyOption: true,
  refine: judgeOperands,
  allows: [
    'grep -n foo src/a.ts',
    'grep -rn TODO .',
    "grep -rnE 'TODO|FIXME' .",
    'grep -rl foo .',
    "grep -rn 'import .* from' .",
    'grep -rn foo src',
    'grep -rn foo src/ --include=*.ts',
    "grep -E 'a|b' README.md",
    'grep -c foo',
    'grep -i -A3 foo README.md',
    'grep foo *.md',
    "grep -rl 'x' src",
    'grep -e foo -e bar README.md',
    "grep -- '-x' README.md",
    'grep --color=never foo README.md',
    'grep -5 foo README.md',
    "grep 'rm -rf /' README.md",
    'egrep foo README.md',
  ],
  asks: [
    'grep root /etc/passwd',
    'grep -f /etc/passwd README.md',
    'grep -r KEY ..',
    'grep -r KEY /',
    'grep KEY .env',
    'grep -f.env README.md',
    'grep foo "$x"',
    'grep foo $(ls)',
    'grep -r KEY ~',
    'grep -e KEY .env',
    "grep -rn foo --include='.env*' .",
    'grep -r API_KEY .',
    "grep -r '' .",
    'grep -rh . .',
    'grep -rA5 foo .',
    'grep -rv foo .',
    "grep -r '[a-z]*' .",
    "grep -r 'foo|' .",
    'grep -R foo links',
    'grep foo src/a.ts .env',
    'grep foo *.pem',
    'grep foo .e*',
    'grep --file=.env README.md',
    'grep foo < .env',
    'grep foo README.md > x',
  ],
};

function judgeOperands(
  parsed: ParsedArguments,
  command: SimpleCommand,
  context: JudgeContext,
): readonly Finding[] {
  const has = (...names: string[]) => parsed.options.some(({ name }) => names.includes(name));
  const patternGiven = has('-e', '--regexp', '-f', '--file');
  const operands = patternGiven ? parsed.operands : parsed.operands.slice(1);
  const recursive =
    has('-r', '-R', '--recursive', '--dereference-recursive') ||
    parsed.options.some(
      ({ name, value }) =>
        (name === '-d' || name === '--directories') &&
        value !== undefined &&
        literal(value) !== 'skip' &&
        literal(value) !== 'read',
    );
  if (!recursive)
    return operands.flatMap(({ field, word }) =>
      literal(field) === '-' ? [] : (judgePath(context, field, 'read', word) ?? []),
    );
  const pattern = patternGiven ? undefined : parsed.operands[0] && literal(parsed.operands[0].field);
  const included = parsed.options
    .filter(({ name }) => name === '--include')
    .map(({ value }) => value && literal(value));
  const surroundings = has(
    '-A',
    '-B',
    '-C',
    '-v',
    '--after-context',
    '--before-context',
    '--context',
    '--invert-match',
  );
  // What can only print lines with an ordinary word in them, or names of files, tells no secret.
  const tellsNothing =
    has(
      '-l',
      '--files-with-matches',
      '-L',
      '--files-without-match',
      '-q',
      '--quiet',
      '--silent',
      '-c',
      '--count',
    ) ||
    (pattern !== undefined &&
      !surroundings &&
      context.masked &&
      !included.some(text => /\.(?:e|p|k)|id_|secret|cred/i.test(text ?? '.e')) &&
      isOrdinarySearch(pattern));
  const scope = {
    opens: tellsNothing ? () => false : includedNames(parsed),
    followsLinks: has('-R', '--dereference-recursive'),
    skipsHidden: false,
  };
  if (operands.length === 0)
    return [judgeTree(context, textField('.', command.span), scope)].filter(finding => finding !== undefined);
  return operands.flatMap(({ field, word }) => judgeTree(context, field, scope, word) ?? []);
}

/** Which names `--include` and `--exclude` leave over; undefined when all, or when a pattern is not followed. */
function includedNames(parsed: ParsedArguments): ((name: string) => boolean) | undefined {
  const patterns = (option: string) =>
    parsed.options
      .filter(({ name }) => name === option)
      .map(({ value }) => {
        const text =
          value &&
          (literal(value) ??
            value.pieces
              .map(piece => (piece.kind === 'text' || piece.kind === 'glob' ? piece.text : '\\'))
              .join(''));
        return text === undefined ? undefined : namePattern(text);
      });
  const include = patterns('--include');
  const exclude = patterns('--exclude');
  if (include.includes(undefined) || exclude.includes(undefined)) return undefined;
  // A later option overrules an earlier one; only the plain use of one kind is followed.
  if (include.length > 0 && exclude.length > 0) return undefined;
  if (include.length > 0) return name => include.some(pattern => pattern?.test(name));
  if (exclude.length > 0) return name => !exclude.some(pattern => pattern?.test(name));
  return undefined;
}
