import type { ToolTable } from './table.ts';

/** Tools that compute with their words, or with numbers that are piped into them. */
export const numberTools: readonly ToolTable[] = [
  {
    name: 'seq',
    reason: 'Prints numbers.',
    flags: '-w --equal-width',
    values: '-f -s --format --separator',
    operands: 'text',
    numbers: true,
    anyOption: true,
    allows: ['seq 1 10', 'seq -w 1 5', 'seq -s, 5 -1 1'],
    asks: ['seq 3 > x'],
  },
  {
    name: 'expr',
    reason: 'Computes with its words.',
    operands: 'text',
    anyWord: true,
    allows: ['expr 1 + 2', 'expr length abc'],
    asks: ['expr 1 + 2 > x'],
  },
  {
    name: 'factor',
    reason: 'Prints prime factors.',
    operands: 'text',
    anyOption: true,
    allows: ['factor 12'],
    asks: ['factor 12 > x'],
  },
  {
    name: 'numfmt',
    reason: 'Formats numbers.',
    flags: '-z --debug --grouping --zero-terminated',
    values:
      '-d --delimiter --field --format --from --from-unit --invalid --padding --round --suffix --to --to-unit',
    optional: '--header',
    operands: 'text',
    allows: ['numfmt --to=iec 123456', 'numfmt --from=iec 1K'],
    asks: ['numfmt --to=iec 1 > x'],
  },
];
