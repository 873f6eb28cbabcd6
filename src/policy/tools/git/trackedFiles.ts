import { notOnlyReading } from '../notOnlyReading.ts';
import type { ToolTable } from '../table.ts';
import { inRepository, readsNames, readsRevisions } from './reading.ts';
import { judgeRevisionsAndPaths } from './revisions.ts';

/** What git keeps: names and content of files. */
export const trackedFileTools: readonly ToolTable[] = [
  {
    name: 'git grep',
    reason: 'Prints lines that match in tracked files.',
    flags:
      '-a -i -I -w -v -h -H -F -E -G -P -n -l -L -z -o -c -p -W -q -r --text --ignore-case --word-regexp --invert-match --full-name --extended-regexp --basic-regexp --perl-regexp --fixed-strings --line-number --column --files-with-matches --name-only --files-without-match --null --only-matching --count --color --no-color --break --heading --show-function --function-context --all-match --and --or --not --quiet --cached --untracked --recurse-submodules --recursive --no-recursive --no-index --exclude-standard --no-exclude-standard',
    values: '-e -A -B -C -m --max-depth --threads --max-count --after-context --before-context --context',
    optional: '--color --max-depth --threads --after-context --before-context --context',
    reads: '-f',
    dangers: { '-O --open-files-in-pager': 'runs a program', '--textconv': 'runs a program' },
    operands: 'text',
    numbers: true,
    refine: (parsed, command, context) => {
      const given = parsed.options.some(({ name }) => name === '-e' || name === '-f');
      return [
        ...inRepository(command, context),
        ...(parsed.options.some(({ name }) => name === '--no-index' || name === '--untracked')
          ? [notOnlyReading(command.span, 'git grep')]
          : []),
        ...judgeRevisionsAndPaths(
          { ...parsed, operands: given ? parsed.operands : parsed.operands.slice(1) },
          context,
        ),
      ];
    },
    allows: ['git grep foo', 'git grep -n foo -- src', "git grep -e 'a b' HEAD", 'git grep -i foo main'],
    asks: [
      'git grep -O foo',
      'git grep -Osh foo',
      'git grep --open-files-in-pager=sh foo',
      'git grep KEY -- .env',
      'git grep --no-index x /etc',
      'git grep KEY ../x',
      'git grep -f /etc/passwd',
      'git grep KEY HEAD:.env',
      'git grep --open foo',
    ],
  },
  {
    name: 'git ls-files',
    aliases: ['git ls-tree', 'git check-ignore', 'git check-attr'],
    reason: 'Lists names.',
    flags:
      '-c -d -m -o -i -s -u -k -z -t -v -f -r -l -q -n -a -x --cached --deleted --modified --others --ignored --stage --unmerged --killed --directory --no-empty-directory --eol --exclude-standard --error-unmatch --full-name --full-tree --recurse-submodules --abbrev --deduplicate --debug --name-only --name-status --long --object-only --verbose --quiet --no-index --non-matching --all --sparse',
    values: '-x --exclude --with-tree --format',
    optional: '--abbrev --exclude --format --with-tree --exclude-per-directory',
    reads: '-X --exclude-from',
    operands: 'text',
    refine: readsNames,
    allows: [
      'git ls-files',
      "git ls-files '*.ts'",
      'git ls-files -o --exclude-standard',
      'git ls-tree -r HEAD --name-only',
      'git check-ignore -v node_modules',
      'git ls-files src',
    ],
    asks: [
      'git ls-files -X /etc/passwd',
      'git ls-files ..',
      'git ls-files --foo',
      'git check-ignore --stdin < .env',
    ],
  },
  {
    name: 'git cat-file',
    reason: 'Prints an object.',
    flags: '-t -s -e -p -Z',
    operands: 'text',
    refine: readsRevisions,
    allows: ['git cat-file -p HEAD', 'git cat-file -t HEAD', 'git cat-file -p HEAD:README.md'],
    asks: [
      'git cat-file -p HEAD:.env',
      'git cat-file --filters HEAD:a',
      'git cat-file --textconv HEAD:a',
      'git cat-file --batch',
    ],
  },
];
