import { asking } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { literal, textAt } from '../shell/field.ts';
import type { SimpleCommand } from '../shell/line.ts';
import { isPlainAssignment, plainVariables } from '../shell/variables.ts';
import { notOnlyReading } from './notOnlyReading.ts';
import type { ParsedArguments } from './parseArguments.ts';
import type { ToolTable } from './table.ts';
import { judgeTestWords } from './testWords.ts';

/** The shell's own commands that change nothing outside the line itself. */
export const shellBuiltins: readonly ToolTable[] = [
  {
    name: 'true',
    aliases: [':', 'false'],
    reason: 'Does nothing.',
    operands: 'text',
    anyWord: true,
    allows: ['true', 'false || true', ': a b'],
    asks: [': > x'],
  },
  {
    name: 'echo',
    reason: 'Prints its words.',
    operands: 'text',
    anyWord: true,
    allows: [
      'echo hello',
      'echo "a $HOME"',
      'echo -n x',
      'echo "---"',
      'echo *.ts',
      "echo 'rm -rf /'",
      'echo "$(date)"',
      'echo $?',
      'echo a 2>/dev/null',
      'echo a >&2',
      'echo 日本',
      'echo --help',
    ],
    asks: [
      'echo a > x',
      'echo "$(rm x)"',
      'echo $ANTHROPIC_API_KEY',
      'echo `id > x`',
      'echo a | sh',
      'echo ${!x}',
      'echo ${x@P}',
      'echo $((a[$(id)]))',
    ],
  },
  {
    name: 'printf',
    reason: 'Prints; `-v` would set a variable, whose index can run commands.',
    dangers: { '-v': 'sets a variable' },
    stopsAtOperand: true,
    operands: 'text',
    refine: (_parsed, command) => {
      const format = textAt(command.words, textAt(command.words, 1) === '--' ? 2 : 1);
      return format === undefined ? [notOnlyReading(command.span, 'printf')] : [];
    },
    allows: [
      "printf '%s\\n' a b",
      "printf 'a\\n'",
      'printf \'%s\\n\' "$HOME"',
      "printf -- '-x\\n'",
      "printf '%d\\n' 3",
      "printf '%s\\n' *.ts",
    ],
    asks: ['printf -v x a', "printf -v 'a[$(id)]' x", 'printf "$x"', "printf '%s' a > x", 'printf -vx a'],
  },
  {
    name: 'pwd',
    reason: 'Prints the working folder.',
    flags: '-L -P --logical --physical',
    allows: ['pwd', 'pwd -P'],
    asks: ['pwd > x', 'pwd -x'],
  },
  {
    name: 'cd',
    reason: 'Changes the folder for the rest of the line, which is judged there.',
    flags: '-L -P -e',
    operands: 'exists',
    maxOperands: 1,
    refine: (parsed, command) =>
      parsed.operands.length === 0
        ? [asking('path.outsideWorkspace', 'This goes to the home folder.', command.span, { risk: 15 })]
        : parsed.operands.some(({ field }) => literal(field) === '-')
          ? [asking('path.unknownFolder', 'Which folder this goes to is not known.', command.span)]
          : [],
    allows: [
      'cd src',
      'cd src && ls -la',
      'cd ./src',
      'cd src && cd .. && ls',
      'cd src; cat a.ts',
      '(cd src && ls) && cat README.md',
      'cd src || exit 1',
    ],
    asks: [
      'cd',
      'cd ~',
      'cd /',
      'cd -',
      'cd ..',
      'cd "$x"',
      'cd src && cat ../../x',
      'cd / && ls',
      'cd $(git rev-parse --show-toplevel)',
      'cd src; cat ../README.md ../../etc',
    ],
  },
  {
    name: 'exit',
    aliases: ['return', 'break', 'continue', 'wait'],
    reason: 'Only steers the line itself.',
    operands: 'text',
    refine: plainNumbers,
    allows: ['exit 0', 'exit', 'ls || exit 1'],
    asks: ["exit 'a[$(id)]'", 'exit $x'],
  },
  {
    name: 'sleep',
    reason: 'Waits.',
    operands: 'text',
    anyOption: true,
    allows: ['sleep 1', 'sleep 0.5'],
    asks: ['sleep 1 > x', 'sleep 1 &'],
  },
  {
    name: 'set',
    reason: 'Makes the line stop at errors.',
    flags: '-e -u +e +u -f +f -eu -C',
    values: '-o',
    operands: 'text',
    refine: (parsed, command) => {
      const values = parsed.options
        .filter(({ name }) => name === '-o')
        .map(({ value }) => value && literal(value));
      if (parsed.operands.length > 0 || parsed.options.length === 0)
        return [notOnlyReading(command.span, 'set')];
      return values.every(
        value => value !== undefined && /^(?:pipefail|errexit|nounset|noglob|noclobber)$/.test(value),
      )
        ? []
        : [notOnlyReading(command.span, 'set')];
    },
    allows: ['set -e; ls', 'set -euo pipefail; ls', 'set -o pipefail; ls | wc -l'],
    asks: ['set', 'set -x', 'set -a', 'set -- a b', 'set -o allexport', 'set -k'],
  },
  {
    name: 'read',
    reason: 'Reads a line into a variable of the line itself.',
    flags: '-r -s',
    values: '-d -n -N -t -u -p',
    operands: 'text',
    refine: (parsed, command) => {
      const names = parsed.operands.map(({ field }) => literal(field));
      return names.every(name => name !== undefined && isPlainAssignment(name)) && names.length > 0
        ? []
        : [notOnlyReading(command.span, 'read')];
    },
    allows: [
      'read -r line < README.md',
      'while read -r line; do echo "$line"; done < README.md',
      'while IFS= read -r line; do echo "$line"; done < README.md',
    ],
    asks: ['read PATH', "read 'a[$(id)]'", 'read', 'read -r x < .env', 'read IFS'],
  },
  {
    name: 'test',
    reason: 'Tests files and texts.',
    operands: 'text',
    anyWord: true,
    refine: judgeTestWords,
    allows: [
      'test -d src',
      'test -f README.md && cat README.md',
      'test "$HOME" = x',
      'test -n "$(ls)"',
      'test 1 -eq 1',
      'test ! -e x',
      'test -f .env',
    ],
    asks: [
      "test -v 'a[$(id)]'",
      'test -v x',
      'test -f /etc/passwd',
      'test $x',
      'test -R x',
      'test -f "$x"',
      'test a -nt /etc/passwd',
    ],
  },
  {
    name: '[',
    reason: 'The same as test.',
    operands: 'text',
    anyWord: true,
    refine: judgeTestWords,
    allows: [
      '[ -f README.md ] && cat README.md',
      '[ -d src -a -d lib ]',
      '[ "$a" = "$b" ]',
      '[ -z "$HOME" ]',
      '[ $? -eq 0 ]',
      '[ ! -f x ]',
      'if [ -f README.md ]; then cat README.md; fi',
    ],
    asks: ["[ -v 'a[$(id)]' ]", '[ -f ~/.ssh/id_rsa ]', '[ $x = y ]', '[ -f README.md'],
  },
  {
    name: 'type',
    aliases: ['which', 'whereis', 'hash'],
    reason: 'Tells where a command is.',
    flags: '-a -p -P -t -f -s -b -m --all',
    operands: 'text',
    refine: (parsed, command) => [
      ...(textAt(command.words, 0) === 'hash' && (parsed.options.length > 0 || parsed.operands.length === 0)
        ? [notOnlyReading(command.span, 'hash')]
        : []),
      ...(parsed.operands.every(({ field }) => /^[\w.+-]+$/.test(literal(field) ?? ''))
        ? []
        : [notOnlyReading(command.span, 'which')]),
    ],
    allows: ['which node', 'type -a git', 'whereis gcc', 'which -a python3 python'],
    asks: ['which "$x"', 'type $x', 'hash -p /x ls', 'which ls > x', 'whereis -B /etc x'],
  },
  {
    name: 'umask',
    reason: 'Prints the mask; with an operand it would change it.',
    flags: '-S -p',
    allows: ['umask', 'umask -S'],
    asks: ['umask 0'],
  },
  {
    name: 'ulimit',
    reason: 'Prints limits.',
    flags: '-a -H -S -c -n -u -v',
    allows: ['ulimit -a', 'ulimit -n'],
    asks: ['ulimit -n 5', 'ulimit unlimited'],
  },
  {
    name: 'jobs',
    aliases: ['times', 'dirs'],
    reason: 'Prints what the shell keeps.',
    allows: ['jobs', 'times'],
    asks: ['jobs -x ls', 'dirs -c'],
  },
  {
    name: 'printenv',
    reason: 'Prints variables that hold no secrets.',
    operands: 'text',
    refine: (parsed, command) =>
      parsed.operands.length > 0 &&
      parsed.operands.every(({ field }) => plainVariables.has(literal(field) ?? ''))
        ? []
        : [
            asking('secret.environment', 'The environment may hold secrets.', command.span, {
              risk: 50,
              cure: 'word',
              word: 0,
            }),
          ],
    allows: ['printenv PATH', 'printenv HOME USER'],
    asks: ['printenv', 'printenv AWS_SECRET_ACCESS_KEY', 'printenv "$x"'],
  },
];

function plainNumbers(parsed: ParsedArguments, command: SimpleCommand): readonly Finding[] {
  return parsed.operands.every(({ field }) =>
    /^(?:\d+|)$/.test(literal(field) ?? (field.pieces.every(piece => piece.kind === 'digits') ? '0' : 'x')),
  )
    ? []
    : [notOnlyReading(command.span, textAt(command.words, 0) ?? '')];
}
