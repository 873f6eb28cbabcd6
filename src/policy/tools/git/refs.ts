import type { ToolTable } from '../table.ts';
import { inRepository, readsNames, signatureFormats } from './reading.ts';

/** What names of commits stand for. */
export const refTools: readonly ToolTable[] = [
  {
    name: 'git rev-parse',
    reason: 'Prints names of commits and folders.',
    flags:
      '-q --verify --quiet --short --abbrev-ref --symbolic --symbolic-full-name --all --branches --tags --remotes --git-dir --absolute-git-dir --git-common-dir --show-toplevel --show-prefix --show-cdup --is-inside-work-tree --is-inside-git-dir --is-bare-repository --is-shallow-repository --show-superproject-working-tree --revs-only --no-revs --flags --no-flags --show-object-format --local-env-vars',
    optional:
      '--short --abbrev-ref --path-format --branches --tags --remotes --disambiguate --show-object-format --since --until --default',
    values: '--git-path --default',
    operands: 'text',
    refine: readsNames,
    allows: [
      'git rev-parse HEAD',
      'git rev-parse --abbrev-ref HEAD',
      'git rev-parse --show-toplevel',
      'git rev-parse --short HEAD',
      'git rev-parse --is-inside-work-tree',
      "git rev-parse --abbrev-ref '@{upstream}'",
    ],
    asks: ['git rev-parse --parseopt', 'git rev-parse /etc', 'git rev-parse --resolve-git-dir /x'],
  },
  {
    name: 'git symbolic-ref',
    reason: 'Prints where a name points; a second operand would set it.',
    flags: '-q --short --quiet --recurse --no-recurse',
    operands: 'text',
    maxOperands: 1,
    refine: (_parsed, command, context) => inRepository(command, context),
    allows: [
      'git symbolic-ref HEAD',
      'git symbolic-ref --short HEAD',
      'git symbolic-ref refs/remotes/origin/HEAD',
    ],
    asks: ['git symbolic-ref HEAD refs/heads/x', 'git symbolic-ref -d HEAD'],
  },
  {
    name: 'git for-each-ref',
    reason: 'Lists branches and tags.',
    flags: '--ignore-case --omit-empty',
    values: '--count --sort --contains --merged --no-merged --points-at --exclude --format',
    optional: '--count --sort --format --contains --merged --no-merged --points-at --exclude --color',
    operands: 'text',
    refine: (parsed, command, context) => [...inRepository(command, context), ...signatureFormats(parsed)],
    allows: [
      'git for-each-ref',
      "git for-each-ref --format='%(refname:short)' refs/heads",
      'git for-each-ref --sort=-committerdate --count=5',
    ],
    asks: ["git for-each-ref --format='%(signature)'", 'git for-each-ref --shell --stdin'],
  },
];
