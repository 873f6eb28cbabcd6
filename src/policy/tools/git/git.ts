import { asking } from '../../finding.ts';
import type { Finding } from '../../finding.ts';
import type { JudgeContext } from '../../judgeCommand.ts';
import { literal, textField, textAt } from '../../shell/field.ts';
import type { Field } from '../../shell/field.ts';
import type { SimpleCommand } from '../../shell/line.ts';
import { notOnlyReading } from '../notOnlyReading.ts';
import type { ParsedArguments } from '../parseArguments.ts';
import type { ToolTable } from '../table.ts';
import { repositoryHazard } from './repository.ts';
import { judgeRevisionsAndPaths } from './revisions.ts';

/** Options of everything that prints differences. */
const diffFlags =
  '-p -u -s -U -z -a -b -w -R -W --patch --no-patch --raw --patch-with-raw --patch-with-stat --stat --numstat --shortstat --summary --compact-summary --name-only --name-status --check --full-index --binary --minimal --patience --histogram --no-renames --find-renames --find-copies --find-copies-harder --no-prefix --default-prefix --text --ignore-space-at-eol --ignore-cr-at-eol --ignore-space-change --ignore-all-space --ignore-blank-lines --function-context --exit-code --quiet --no-ext-diff --no-textconv --no-color --no-color-moved --no-indent-heuristic --indent-heuristic --ita-invisible-in-index --pickaxe-all --pickaxe-regex --irreversible-delete --cached --staged --merge-base --word-diff --color-words --color --cumulative --dirstat --submodule --no-index -c --cc -m --combined-all-paths --follow --relative --no-relative -M -C -D -B --color-moved --abbrev --ignore-submodules';
const diffValues =
  '-S -G -l -X --inter-hunk-context --output-indicator-new --output-indicator-old --src-prefix --dst-prefix --line-prefix --anchored';
const diffOptional =
  '-U --unified --stat --dirstat --abbrev --find-renames --find-copies --diff-filter --diff-algorithm --word-diff --word-diff-regex --color --color-words --color-moved --color-moved-ws --submodule --ignore-submodules --ignore-matching-lines --ws-error-highlight --stat-width --stat-count --stat-name-width --relative -M -C -B -D -X --break-rewrites --inter-hunk-context --src-prefix --dst-prefix --find-object --skip-to --rotate-to --max-depth';
const diffDangers = {
  '--output': 'writes a file',
  '--ext-diff': 'runs a program',
  '--textconv': 'runs a program',
  '-O --orderfile': 'reads another file',
};

/** Options of everything that walks history. */
const logFlags =
  '-n -i -E -F -P -g --oneline --graph --decorate --no-decorate --all --branches --tags --remotes --merges --no-merges --first-parent --reverse --date-order --author-date-order --topo-order --simplify-by-decoration --simplify-merges --full-history --dense --sparse --ancestry-path --left-right --left-only --right-only --cherry --cherry-pick --cherry-mark --boundary --walk-reflogs --parents --children --abbrev-commit --no-abbrev-commit --relative-date --no-notes --notes --show-pulls --source --log-size --no-walk --do-walk --invert-grep --all-match --regexp-ignore-case --extended-regexp --fixed-strings --perl-regexp --basic-regexp --clear-decorations --use-mailmap --no-use-mailmap --mailmap --no-mailmap --no-expand-tabs --expand-tabs --remove-empty --full-diff --count --timestamp --objects --header --no-commit-header --bisect --not --no-min-parents --no-max-parents --format --pretty --max-count --skip';
const logValues =
  '-n -L --max-count --skip --since --until --after --before --author --committer --grep --grep-reflog --since-as-filter --min-parents --max-parents';
const logOptional =
  '--format --pretty --date --decorate --decorate-refs --decorate-refs-exclude --max-count --skip --since --until --after --before --author --committer --grep --branches --tags --remotes --glob --exclude --no-walk --notes --show-notes --encoding --ancestry-path --min-parents --max-parents --expand-tabs --diff-merges --remerge-diff -n';
const logDangers = { ...diffDangers, '--show-signature': 'runs a program to check signatures' };

const readsRevisions = (
  parsed: ParsedArguments,
  command: SimpleCommand,
  context: JudgeContext,
): readonly Finding[] => [
  ...inRepository(command, context),
  ...formats(parsed),
  ...judgeRevisionsAndPaths(parsed, context),
  // `-L 1,5:file`, `-L :function:file`
  ...judgeRevisionsAndPaths(
    {
      ...parsed,
      operands: parsed.options.flatMap(({ name, value, word }) =>
        name === '-L' && value ? [{ field: lastPart(value), word }] : [],
      ),
    },
    context,
  ),
];

const readsNames = (
  parsed: ParsedArguments,
  command: SimpleCommand,
  context: JudgeContext,
): readonly Finding[] => [
  ...inRepository(command, context),
  ...formats(parsed),
  ...judgeRevisionsAndPaths(parsed, context, 'look'),
];

/** Reading forms of git. Settings that the repository brings and that would run something are looked for each time. */
export const gitTools: readonly ToolTable[] = [
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
    flags: diffFlags,
    values: diffValues,
    optional: diffOptional,
    dangers: diffDangers,
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
  {
    name: 'git log',
    reason: 'Prints history.',
    flags: `${logFlags} ${diffFlags}`,
    values: `${logValues} ${diffValues}`,
    optional: `${logOptional} ${diffOptional}`,
    dangers: logDangers,
    operands: 'text',
    numbers: true,
    refine: readsRevisions,
    allows: [
      'git log --oneline -20',
      'git log -p src/a.ts',
      "git log --since='2 weeks ago' --author=me",
      'git log --format=%H -1',
      "git log --pretty=format:'%h %s' --graph --all",
      'git log main..HEAD',
      'git log -n 5 --stat',
      'git log -S foo -- src',
      'git log -1',
      'git log --follow README.md',
      'git log -L 1,5:src/a.ts',
      'git log --grep=fix -i',
    ],
    asks: [
      'git log --output=x',
      'git log --ext-diff -p',
      'git log -p -- .env',
      "git log -p -- '.e*'",
      "git log -p -- '*.env'",
      'git log -p -- ":(glob)**/.env"',
      'git log --show-signature',
      "git log --format='%G?'",
      'git log --textconv',
      'git log -p ../x',
      'git log --outpu=x',
      'git log -L 1,5:.env',
    ],
  },
  {
    name: 'git show',
    reason: 'Prints a commit or a file of it.',
    flags: `${logFlags} ${diffFlags}`,
    values: `${logValues} ${diffValues}`,
    optional: `${logOptional} ${diffOptional}`,
    dangers: logDangers,
    operands: 'text',
    numbers: true,
    refine: readsRevisions,
    allows: [
      'git show',
      'git show HEAD:README.md',
      'git show --stat HEAD',
      'git show abc123 -- src',
      'git show HEAD~2 --name-only',
      'git show v1.0:src/a.ts',
    ],
    asks: [
      'git show HEAD:.env',
      'git show --output=x HEAD',
      'git show HEAD:config/server.pem',
      'git show --ext-diff',
      "git show --format='%GK'",
      'git show :.env',
      'git show "$x"',
    ],
  },
  {
    name: 'git shortlog',
    reason: 'Prints a summary of history.',
    flags: `-s -n -e -c --summary --numbered --email --committer --all --merges --no-merges ${diffFlags}`,
    values: logValues,
    optional: `-w --group ${logOptional}`,
    dangers: logDangers,
    operands: 'text',
    numbers: true,
    refine: readsRevisions,
    allows: ['git shortlog -sn', 'git shortlog -sne HEAD', 'git shortlog -s -n --all --no-merges'],
    asks: ['git shortlog --output=x', 'git shortlog /etc'],
  },
  {
    name: 'git blame',
    aliases: ['git annotate'],
    reason: 'Prints who changed which line.',
    flags:
      '-b -l -t -s -f -n -p -e -w -c -M -C --root --show-stats --show-name --show-number --porcelain --line-porcelain --incremental --show-email --color-lines --color-by-age --first-parent --abbrev --minimal --no-progress',
    values: '-L --since --date --ignore-rev',
    optional: '-M -C --abbrev --date --since',
    dangers: { '--contents -S --ignore-revs-file': 'reads another file', '--textconv': 'runs a program' },
    operands: 'text',
    refine: readsRevisions,
    allows: [
      'git blame README.md',
      'git blame -L 1,10 src/a.ts',
      'git blame HEAD~1 -- README.md',
      'git blame -w -C README.md',
    ],
    asks: [
      'git blame --contents /etc/passwd README.md',
      'git blame .env',
      'git blame -S x README.md',
      'git blame ../x',
    ],
  },
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
    name: 'git rev-list',
    aliases: [
      'git cherry',
      'git merge-base',
      'git name-rev',
      'git describe',
      'git count-objects',
      'git show-ref',
      'git range-diff',
      'git diff-tree',
      'git diff-index',
      'git diff-files',
      'git whatchanged',
      'git show-branch',
      'git verify-pack',
    ],
    reason: 'Prints commits and differences.',
    flags: `-v -H -a -r -t -d -q -s --is-ancestor --octopus --independent --fork-point --name-only --refs --no-undefined --always --contains --exact-match --long --dirty --broken --candidates --human-readable --verbose --heads --head --dereference --hash --verify --quiet --no-commit-id --root --creation-factor ${logFlags} ${diffFlags}`,
    values: `--match --exclude --candidates ${logValues} ${diffValues}`,
    optional: `--match --exclude --dirty --abbrev --hash --refs --candidates --creation-factor ${logOptional} ${diffOptional}`,
    dangers: logDangers,
    operands: 'text',
    numbers: true,
    refine: readsRevisions,
    allows: [
      'git rev-list --count HEAD',
      'git merge-base main HEAD',
      'git describe --tags --always',
      'git show-ref --heads',
      'git diff-tree --no-commit-id --name-only -r HEAD',
      'git count-objects -vH',
    ],
    asks: [
      'git rev-list --output=x',
      'git rev-list --disk-usage --stdin',
      'git diff-tree -p --ext-diff HEAD',
      'git diff-index --textconv -p HEAD',
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
  {
    name: 'git branch',
    reason: 'Lists branches; making, moving and deleting them is left out.',
    flags:
      '-a -r -v -vv -l -i -q --all --remotes --list --verbose --show-current --no-color --color --no-column --ignore-case --abbrev --no-abbrev',
    values: '--sort --contains --no-contains --merged --no-merged --points-at --format',
    optional: '--color --abbrev --column',
    lastMayLack: '--contains --no-contains --merged --no-merged --points-at',
    operands: 'text',
    refine: (parsed, command, context) => [
      ...inRepository(command, context),
      ...formats(parsed),
      ...(parsed.operands.length > 0 && !parsed.options.some(({ name }) => /^(?:-l|--list)$/.test(name))
        ? [notOnlyReading(command.span, 'git branch', parsed.operands[0]?.word)]
        : []),
    ],
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
    refine: (parsed, command, context) => [
      ...inRepository(command, context),
      ...formats(parsed),
      ...(parsed.operands.length > 0 && !parsed.options.some(({ name }) => /^(?:-l|--list)$/.test(name))
        ? [notOnlyReading(command.span, 'git tag', parsed.operands[0]?.word)]
        : []),
    ],
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
    flags: `-p -u --include-untracked --only-untracked --no-include-untracked ${logFlags} ${diffFlags}`,
    values: logValues,
    optional: `${logOptional} ${diffOptional}`,
    dangers: logDangers,
    operands: 'text',
    numbers: true,
    refine: (parsed, command, context) => [
      ...inRepository(command, context),
      ...judgeRevisionsAndPaths(parsed, context),
      ...formats(parsed),
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
    flags: `${logFlags} ${diffFlags}`,
    values: logValues,
    optional: `${logOptional} ${diffOptional}`,
    dangers: logDangers,
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
  {
    name: 'git symbolic-ref',
    reason: 'Prints where a name points; a second operand would set it.',
    flags: '-q --short --quiet --recurse --no-recurse',
    operands: 'text',
    maxOperands: 1,
    refine: inRepositoryOnly,
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
    refine: (parsed, command, context) => [...inRepository(command, context), ...formats(parsed)],
    allows: [
      'git for-each-ref',
      "git for-each-ref --format='%(refname:short)' refs/heads",
      'git for-each-ref --sort=-committerdate --count=5',
    ],
    asks: ["git for-each-ref --format='%(signature)'", 'git for-each-ref --shell --stdin'],
  },
  {
    name: 'git config',
    reason: 'Prints one setting that holds no secret; setting it is left out.',
    flags: '--get --get-all --global --local --system --includes --show-origin --show-scope --bool --int -z',
    operands: 'text',
    refine: (parsed, command, context) => {
      const words = parsed.operands.map(({ field }) => literal(field));
      const names = words[0] === 'get' ? words.slice(1) : words;
      const plain =
        names.length === 1 &&
        /^(?:user|core|init|branch|pull|push|merge|diff|color|rebase|fetch|commit|remote)\.[\w.\-/]+$/i.test(
          names[0] ?? '',
        ) &&
        !/token|password|secret|header|credential/i.test(names[0] ?? '');
      return [
        ...inRepository(command, context),
        ...(plain ? [] : [notOnlyReading(command.span, 'git config')]),
      ];
    },
    allows: [
      'git config user.name',
      'git config --get user.email',
      'git config --get remote.origin.url',
      'git config --global user.name',
      'git config get user.name',
    ],
    asks: [
      'git config user.name x',
      'git config --global core.pager sh',
      'git config --list',
      'git config -l',
      'git config --edit',
      'git config --unset user.name',
      'git config http.extraheader',
      'git config --file /etc/x user.name',
      'git config set user.name x',
      'git config -f .env user.name',
      'git config credential.helper',
    ],
  },
  {
    name: 'git version',
    aliases: ['git --version'],
    reason: 'Prints its version.',
    flags: '--build-options',
    allows: ['git version', 'git --version'],
    asks: ['git version x'],
  },
];

function lastPart(field: Field): Field {
  const text = literal(field);
  return text === undefined ? field : textField(text.slice(text.lastIndexOf(':') + 1), field.span);
}

function inRepositoryOnly(
  _parsed: ParsedArguments,
  command: SimpleCommand,
  context: JudgeContext,
): readonly Finding[] {
  return inRepository(command, context);
}

/** What the settings around the working folder would run. */
function inRepository(command: SimpleCommand, context: JudgeContext): readonly Finding[] {
  if (context.folders === undefined)
    return [
      asking('path.unknownFolder', 'It is not certain in which repository this would be.', command.span),
    ];
  for (const folder of context.folders) {
    const hazard = repositoryHazard(folder);
    if (hazard !== undefined)
      return [
        asking(
          'git.repositorySettings',
          `The settings of this repository make git do more than read: ${hazard}.`,
          command.span,
          { risk: 55, cure: 'person', stays: true },
        ),
      ];
  }
  return [];
}

/** Formats that make git check a signature by a program (`%G?`, `%(signature)`). */
function formats(parsed: ParsedArguments): readonly Finding[] {
  return parsed.options.flatMap(({ name, value, word }) => {
    if (!/^--(?:format|pretty)$/.test(name) || value === undefined) return [];
    const text = literal(value);
    return text === undefined || /%G|signature/.test(text)
      ? [
          asking('tool.dangerousOption', 'A signature in the format is checked by a program.', value.span, {
            word,
            cure: 'word',
          }),
        ]
      : [];
  });
}
