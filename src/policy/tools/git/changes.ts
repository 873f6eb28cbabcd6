import type { ToolTable } from '../table.ts';
import { diffOptions } from './options.ts';
import { readsNames, readsRevisions } from './reading.ts';

/** What changed since the last commit, and between commits. */
export const changeTools: readonly ToolTable[] = [
  {
    name: 'git status',
    reason: 'Tells what changed.',
    flags:
      '-s -b -v -u -z --short --branch --no-branch --show-stash --long --verbose --porcelain --ahead-behind --no-ahead-behind --renames --no-renames --untracked-files --ignored --no-column',
    optional: '--porcelain --untracked-files -u --ignored --ignore-submodules --find-renames --column',
    operands: 'text',
    refine: readsNames,
    allows: [
      'git status',
      'git status -s',
      'git status --porcelain=v1 -uall',
      'git status --short --branch',
      'git --no-pager status',
      'git -C src status',
      'git status src',
    ],
    asks: [
      'git -c core.fsmonitor=x status',
      'git --git-dir=/x status',
      'git -C .. status',
      'GIT_DIR=/x git status',
      'git --work-tree=/ status',
      'git status --foo',
      'git -p status',
      'git --exec-path=/x status',
      'git -C "$x" status',
      'git status /etc',
    ],
  },
  {
    name: 'git diff',
    reason: 'Prints changes; writing them to a file and external programs are left out.',
    ...diffOptions,
    operands: 'text',
    numbers: true,
    refine: readsRevisions,
    allows: [
      'git diff',
      'git diff --stat HEAD~1',
      'git diff --cached',
      'git diff main..HEAD -- src',
      'git diff --name-only origin/main...HEAD',
      'git diff HEAD^ HEAD',
      'git diff -U5',
      'git diff --no-index a.txt b.txt',
      'git diff --word-diff=color',
      'git diff -M90% HEAD~3',
    ],
    asks: [
      'git diff --output=x',
      'git diff --ext-diff',
      'git diff --textconv',
      'git diff --no-index /dev/null /etc/passwd',
      'git diff /etc/passwd a.txt',
      'git diff HEAD -- .env',
      'git diff -O/etc/passwd',
      'git diff --outp=x',
      'git diff $x',
      'git diff > x',
      'git diff --no-index a.txt ../x',
      'git diff --output x',
    ],
  },
];
