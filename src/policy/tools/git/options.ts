import type { ToolTable } from '../table.ts';

type Options = Required<Pick<ToolTable, 'flags' | 'values' | 'optional' | 'dangers'>>;

/** Options of everything that prints differences. */
export const diffOptions: Options = {
  flags:
    '-p -u -s -U -z -a -b -w -R -W --patch --no-patch --raw --patch-with-raw --patch-with-stat --stat --numstat --shortstat --summary --compact-summary --name-only --name-status --check --full-index --binary --minimal --patience --histogram --no-renames --find-renames --find-copies --find-copies-harder --no-prefix --default-prefix --text --ignore-space-at-eol --ignore-cr-at-eol --ignore-space-change --ignore-all-space --ignore-blank-lines --function-context --exit-code --quiet --no-ext-diff --no-textconv --no-color --no-color-moved --no-indent-heuristic --indent-heuristic --ita-invisible-in-index --pickaxe-all --pickaxe-regex --irreversible-delete --cached --staged --merge-base --word-diff --color-words --color --cumulative --dirstat --submodule --no-index -c --cc -m --combined-all-paths --follow --relative --no-relative -M -C -D -B --color-moved --abbrev --ignore-submodules',
  values:
    '-S -G -l -X --inter-hunk-context --output-indicator-new --output-indicator-old --src-prefix --dst-prefix --line-prefix --anchored',
  optional:
    '-U --unified --stat --dirstat --abbrev --find-renames --find-copies --diff-filter --diff-algorithm --word-diff --word-diff-regex --color --color-words --color-moved --color-moved-ws --submodule --ignore-submodules --ignore-matching-lines --ws-error-highlight --stat-width --stat-count --stat-name-width --relative -M -C -B -D -X --break-rewrites --inter-hunk-context --src-prefix --dst-prefix --find-object --skip-to --rotate-to --max-depth',
  dangers: {
    '--output': 'writes a file',
    '--ext-diff': 'runs a program',
    '--textconv': 'runs a program',
    '-O --orderfile': 'reads another file',
  },
};

/** Options of everything that walks history. */
export const logOptions: Options = {
  flags:
    '-n -i -E -F -P -g --oneline --graph --decorate --no-decorate --all --branches --tags --remotes --merges --no-merges --first-parent --reverse --date-order --author-date-order --topo-order --simplify-by-decoration --simplify-merges --full-history --dense --sparse --ancestry-path --left-right --left-only --right-only --cherry --cherry-pick --cherry-mark --boundary --walk-reflogs --parents --children --abbrev-commit --no-abbrev-commit --relative-date --no-notes --notes --show-pulls --source --log-size --no-walk --do-walk --invert-grep --all-match --regexp-ignore-case --extended-regexp --fixed-strings --perl-regexp --basic-regexp --clear-decorations --use-mailmap --no-use-mailmap --mailmap --no-mailmap --no-expand-tabs --expand-tabs --remove-empty --full-diff --count --timestamp --objects --header --no-commit-header --bisect --not --no-min-parents --no-max-parents --format --pretty --max-count --skip',
  values:
    '-n -L --max-count --skip --since --until --after --before --author --committer --grep --grep-reflog --since-as-filter --min-parents --max-parents',
  optional:
    '--format --pretty --date --decorate --decorate-refs --decorate-refs-exclude --max-count --skip --since --until --after --before --author --committer --grep --branches --tags --remotes --glob --exclude --no-walk --notes --show-notes --encoding --ancestry-path --min-parents --max-parents --expand-tabs --diff-merges --remerge-diff -n',
  dangers: { '--show-signature': 'runs a program to check signatures' },
};

/** Options of everything that walks history and prints its differences. */
export const historyOptions: Options = {
  flags: `${logOptions.flags} ${diffOptions.flags}`,
  values: `${logOptions.values} ${diffOptions.values}`,
  optional: `${logOptions.optional} ${diffOptions.optional}`,
  dangers: { ...diffOptions.dangers, ...logOptions.dangers },
};
