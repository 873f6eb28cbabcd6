import { literal, textAt } from '../../shell/field.ts';
import { notOnlyReading } from '../notOnlyReading.ts';
import type { ToolTable } from '../table.ts';
import { historyOptions, logOptions } from './options.ts';
import { inRepository, readsRevisions, signatureFormats } from './reading.ts';
import { judgeRevisionsAndPaths } from './revisions.ts';

/** Commands that list, or change what they list: which of both, the operands say. */
export const listingTools: readonly ToolTable[] = [
  {
    name: 'git branch',
    reason: 'Lists branches; making, moving and deleting them is left out.',
    flags:
      '-a -r -v -vv -l -i -q --all --remotes --list --verbose --show-current --no-color --color --no-column --ignore-case --abbrev --no-abbrev',
    values: '--sort --contains --no-contains --merged --no-merged --points-at --format',
    optional: '--color --abbrev --column',
    lastMayLack: '--contains --no-contains --merged --no-merged --points-at',
    operands: 'text',
    refine: listsOnly('git branch'),
    allows: [
      'git branch',
      'git branch -a',
      'git branch --show-current',
      'git branch -vv',
      'git branch --merged',
      'git branch --list "feature/*"',
      'git branch --sort=-committerdate',
      'git branch -r --merged main',
      'git branch --contains HEAD',
    ],
    asks: [
      'git branch x',
      'git branch -d x',
      'git branch -D x',
      'git branch -m a b',
      'git branch -f x HEAD',
      'git branch --edit-description',
      'git branch -u origin/main',
      'git branch -a x',
      'git branch --unset-upstream',
    ],
  },
  {
    name: 'git tag',
    reason: 'Lists tags; making and deleting them is left out.',
    flags: '-l -i --list --no-color --color --ignore-case --no-column',
    values: '--sort --contains --no-contains --merged --no-merged --points-at --format',
    optional: '-n --color --column',
    lastMayLack: '--contains --no-contains --merged --no-merged --points-at',
    operands: 'text',
    refine: listsOnly('git tag'),
    allows: [
      'git tag',
      'git tag -l',
      "git tag -l 'v1.*'",
      'git tag --sort=-creatordate',
      'git tag --contains HEAD',
      'git tag -n3',
    ],
    asks: [
      'git tag v1',
      'git tag -d v1',
      'git tag -a v1 -m x',
      'git tag -f v1',
      'git tag -v v1',
      "git tag --format='%(signature)'",
      'git tag -s v1',
    ],
  },
  {
    name: 'git remote',
    reason: 'Lists remotes.',
    flags: '-v --verbose',
    operands: 'text',
    refine: (parsed, command, context) => [
      ...inRepository(command, context),
      ...(parsed.operands.length === 0 ||
      textAt(
        parsed.operands.map(({ field }) => field),
        0,
      ) === 'get-url'
        ? []
        : [notOnlyReading(command.span, 'git remote')]),
    ],
    allows: ['git remote -v', 'git remote', 'git remote get-url origin'],
    asks: [
      'git remote add x y',
      'git remote show origin',
      'git remote set-url origin x',
      'git remote update',
      'git remote prune origin',
      'git remote -v update',
    ],
  },
  {
    name: 'git stash',
    reason: 'Lists what is put aside.',
    ...historyOptions,
    flags: `-p -u --include-untracked --only-untracked --no-include-untracked ${historyOptions.flags}`,
    values: logOptions.values,
    operands: 'text',
    numbers: true,
    refine: (parsed, command, context) => [
      ...inRepository(command, context),
      ...judgeRevisionsAndPaths(parsed, context),
      ...signatureFormats(parsed),
      ...(command.words[command.words.findIndex(word => literal(word) === 'stash') + 1] ===
        parsed.operands[0]?.field &&
      /^(?:list|show)$/.test((parsed.operands[0] && literal(parsed.operands[0].field)) ?? '')
        ? []
        : [notOnlyReading(command.span, 'git stash')]),
    ],
    allows: ['git stash list', 'git stash show -p', 'git stash show stash@{0}'],
    asks: [
      'git stash',
      'git stash pop',
      'git stash drop',
      'git stash -u',
      'git stash push',
      'git stash show --output=x',
      'git stash show -p -- .env',
      'git stash -p list',
    ],
  },
  {
    name: 'git reflog',
    reason: 'Lists where branches were.',
    ...historyOptions,
    values: logOptions.values,
    operands: 'text',
    numbers: true,
    refine: (parsed, command, context) => [
      ...readsRevisions(parsed, command, context),
      ...(/^(?:expire|delete|drop|write|exists)$/.test(
        (parsed.operands[0] && literal(parsed.operands[0].field)) ?? '',
      )
        ? [notOnlyReading(command.span, 'git reflog')]
        : []),
    ],
    allows: ['git reflog', 'git reflog -10', 'git reflog show HEAD'],
    asks: ['git reflog expire --all', 'git reflog delete HEAD@{0}', 'git reflog --output=x'],
  },
  {
    name: 'git worktree',
    aliases: [
      'git notes',
      'git bisect',
      'git submodule',
      'git lfs',
      'git sparse-checkout',
      'git maintenance',
      'git bundle',
    ],
    reason: 'Only their listing forms.',
    flags: '--porcelain -v -z',
    operands: 'text',
    refine: (parsed, command, context) => [
      ...inRepository(command, context),
      ...(parsed.operands.length === 1 &&
      /^(?:worktree list|notes list|bisect log|sparse-checkout list)$/.test(
        `${textAt(command.words, 1) ?? ''} ${
          textAt(
            parsed.operands.map(({ field }) => field),
            0,
          ) ?? ''
        }`,
      )
        ? []
        : [notOnlyReading(command.span, 'git')]),
    ],
    allows: ['git worktree list', 'git worktree list --porcelain', 'git notes list', 'git bisect log'],
    asks: [
      'git worktree add x',
      'git notes add',
      'git bisect run sh',
      'git bisect start',
      'git submodule update',
      'git submodule foreach ls',
      'git worktree remove x',
    ],
  },
];

/** An operand is the name of what would be made, unless it is said that it is a pattern for the list. */
function listsOnly(name: string): NonNullable<ToolTable['refine']> {
  return (parsed, command, context) => [
    ...inRepository(command, context),
    ...signatureFormats(parsed),
    ...(parsed.operands.length > 0 && !parsed.options.some(option => /^(?:-l|--list)$/.test(option.name))
      ? [notOnlyReading(command.span, name, parsed.operands[0]?.word)]
      : []),
  ];
}
