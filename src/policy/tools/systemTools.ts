import { asking } from '../finding.ts';
import { literal } from '../shell/field.ts';
import { notOnlyReading } from './notOnlyReading.ts';
import type { ToolTable } from './table.ts';

/** Tools that tell something about the machine. */
export const systemTools: readonly ToolTable[] = [
  {
    name: 'date',
    reason: 'Prints the time; setting it is left out.',
    flags: '-u -R -I -j -n --utc --universal --rfc-email',
    values: '-d --date -v',
    optional: '-I --iso-8601 --rfc-3339',
    reads: '-r --reference',
    dangers: {
      '-s --set': 'sets the clock',
      '-f --file': 'reads times from a file and prints what it finds there',
    },
    operands: 'text',
    refine: parsed =>
      parsed.operands
        .filter(
          ({ field }) =>
            !(literal(field) ?? (field.pieces[0]?.kind === 'text' ? field.pieces[0].text : '')).startsWith(
              '+',
            ),
        )
        .map(({ field, word }) => notOnlyReading(field.span, 'date', word)),
    allows: [
      'date',
      'date +%Y-%m-%d',
      "date -u '+%H:%M'",
      'date -d yesterday',
      'date -Iseconds',
      'date --date=tomorrow +%s',
      'date -r README.md',
    ],
    asks: [
      'date -s 12:00',
      'date --set=12:00',
      'date 010112002026',
      'date -f /etc/passwd',
      'date -r /etc/passwd',
      'date --se=12:00',
    ],
  },
  {
    name: 'uname',
    aliases: ['arch'],
    reason: 'Prints the kind of machine.',
    flags:
      '-a -s -n -r -v -m -p -i -o --all --kernel-name --nodename --kernel-release --kernel-version --machine --operating-system',
    allows: ['uname -a', 'uname', 'arch'],
    asks: ['uname -a > x', 'uname x'],
  },
  {
    name: 'whoami',
    aliases: ['logname', 'tty', 'users', 'nproc'],
    reason: 'Prints a fact.',
    flags: '-s --all --silent',
    allows: ['whoami', 'nproc', 'tty'],
    asks: ['whoami x'],
  },
  {
    name: 'id',
    aliases: ['groups'],
    reason: 'Prints who runs this.',
    flags: '-u -g -G -n -r -z -Z --user --group --groups --name --real',
    operands: 'text',
    anyOption: true,
    allows: ['id', 'id -u', 'groups', 'id -un'],
    asks: ['id > x'],
  },
  {
    name: 'hostname',
    reason: 'Prints the name of the machine; an operand would set it.',
    flags: '-s -f -i -I -d -A --short --fqdn --ip-address --all-ip-addresses',
    allows: ['hostname', 'hostname -s'],
    asks: ['hostname x', 'hostname -F x', 'hostname -b x'],
  },
  {
    name: 'uptime',
    reason: 'Prints how long the machine runs.',
    flags: '-p -s --pretty --since',
    allows: ['uptime -p'],
    asks: ['uptime x'],
  },
  {
    name: 'free',
    aliases: ['vmstat'],
    reason: 'Prints memory use.',
    flags: '-b -k -m -g -h -l -t -w --human --mega --giga --total --wide',
    allows: ['free -h', 'free -m'],
    asks: ['free > x'],
  },
  {
    name: 'lscpu',
    aliases: ['lsblk', 'lsb_release'],
    reason: 'Prints facts of the machine.',
    flags:
      '-a -b -c -d -e -f -i -J -p -r -s --all --json --parse --extended --short --id --description --release --codename',
    allows: ['lscpu', 'lsb_release -a', 'lsblk -f'],
    asks: ['lscpu -s /x', 'lsblk /dev/sda'],
  },
  {
    name: 'ps',
    reason: 'Lists processes; showing their environment is left out.',
    flags: '-e -f -F -A -a -d -l -j -x -w -ww -H -L -T -y -M',
    values: '-o -p -u -U -C -g -t -s --pid --ppid --user --sort --format',
    operands: 'text',
    refine: parsed =>
      parsed.operands
        .filter(({ field }) => !/^[axulwfjTr]+$|^\d+$/.test(literal(field) ?? ''))
        .map(({ field, word }) =>
          asking('secret.environment', 'This form may show the environment of processes.', field.span, {
            word,
            risk: 45,
          }),
        ),
    allows: ['ps', 'ps aux', 'ps -ef', 'ps -o pid,comm', 'ps -p 1 -o comm'],
    asks: ['ps e', 'ps auxe', 'ps eww', 'ps axe'],
  },
  {
    name: 'pgrep',
    reason: 'Lists processes by name.',
    flags: '-a -c -f -i -l -n -o -v -w -x --list-full --list-name --full --count --newest --oldest --exact',
    values: '-u -U -P -g -s -t -d',
    operands: 'text',
    allows: ['pgrep -f node', 'pgrep -la node'],
    asks: ['pgrep -F /etc/passwd x', 'pgrep --signal 9 x'],
  },
  {
    name: 'locale',
    reason: 'Prints the locale.',
    flags: '-a -m -c -k --all-locales --charmaps',
    operands: 'text',
    allows: ['locale', 'locale -a'],
    asks: ['locale --x'],
  },
  {
    name: 'getconf',
    reason: 'Prints a constant of the system.',
    flags: '-a',
    operands: 'text',
    maxOperands: 1,
    allows: ['getconf LONG_BIT', 'getconf _NPROCESSORS_ONLN'],
    asks: ['getconf PATH /etc'],
  },
  {
    name: 'cal',
    aliases: ['ncal'],
    reason: 'Prints a calendar.',
    flags: '-1 -3 -m -s -j -y -w -h -b',
    operands: 'text',
    allows: ['cal', 'cal 2026'],
    asks: ['cal > x'],
  },
  { name: 'clear', aliases: ['reset'], reason: 'Clears the screen.', allows: ['clear'], asks: ['clear -x'] },
  {
    name: 'tput',
    reason: 'Prints what a terminal can do.',
    operands: 'text',
    refine: parsed =>
      parsed.operands
        .filter(
          ({ field }) =>
            !/^(?:cols|lines|colors|bold|sgr0|setaf|setab|rev|smul|\d+)$/.test(literal(field) ?? ''),
        )
        .map(({ field, word }) => notOnlyReading(field.span, 'tput', word)),
    allows: ['tput cols', 'tput setaf 1'],
    asks: ['tput init', 'tput -S'],
  },
  {
    name: 'sw_vers',
    reason: 'Prints the version of macOS.',
    flags: '-productName -productVersion -buildVersion',
    allows: ['sw_vers', 'sw_vers -productVersion'],
    asks: ['sw_vers x'],
  },
  {
    name: 'dpkg',
    reason: 'Lists packages.',
    flags: '-l -s -L -S --list --status --listfiles --search --print-architecture',
    operands: 'text',
    refine: (parsed, command) => (parsed.options.length > 0 ? [] : [notOnlyReading(command.span, 'dpkg')]),
    allows: ['dpkg -l', 'dpkg -s bash', 'dpkg -L bash', 'dpkg --print-architecture'],
    asks: ['dpkg -i x.deb', 'dpkg -r bash', 'dpkg', 'dpkg --pre-invoke=x -l'],
  },
  {
    name: 'nm',
    aliases: ['size', 'readelf'],
    reason: 'Prints what is in a program file.',
    flags:
      '-a -A -C -D -g -n -r -s -u -h -S -l -d -W -e -V --all --demangle --dynamic --file-header --headers --sections --segments --symbols --syms --wide',
    operands: 'read',
    allows: ['nm -C a.o', 'readelf -h a.out', 'size a.o'],
    asks: ['nm --plugin=x a.o', 'readelf -p .x /bin/ls'],
  },
];
