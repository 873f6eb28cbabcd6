import type { ToolTable } from './table.ts';

const help = '--help --version';

/** Tools that read files or their input and print. */
export const textTools: readonly ToolTable[] = [
  {
    name: 'cat',
    reason: 'Prints files; no option writes.',
    flags: `-A -b -e -E -n -s -t -T -u -v --show-all --number-nonblank --show-ends --number --squeeze-blank --show-tabs --show-nonprinting ${help}`,
    operands: 'read',
    anyOption: true,
    allows: ['cat README.md', 'cat -n src/a.ts', 'cat'],
    asks: ['cat /etc/passwd', 'cat ../x', 'cat .env'],
  },
];
