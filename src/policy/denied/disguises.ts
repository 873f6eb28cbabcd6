import type { Feed } from '../shell/feed.ts';
import { baseName } from './baseName.ts';

const shells = /^(?:ba|z|k|mk|da|a|c|tc|fi|rba)?sh$|^(?:busybox|toybox)$/;
const interpreters =
  /^(?:python[\d.]*|perl[\d.]*|ruby[\d.]*|node|nodejs|deno|bun|php[\d.]*|lua[\d.]*|tclsh|awk|gawk|mawk|nawk|osascript|Rscript|expect|pypy3?|ed|ex|vi|vim|nvim|emacs|gdb|sed|make|sqlite3|psql|mysql|swift|groovy|scala|elixir|ghc|julia|go)$/;

/** Code that runs other programs, or may; only then are its strings looked at as command lines. */
const running =
  /\bopen\b|system|exec|popen|spawn|subprocess|check_(?:output|call)|\bcall\b|\brun\b|shell|\bsh\b|command|child_process|process|Open3|os\.|getline|`|\bqx|%x|\||!/i;

type Texts = (rest: readonly string[]) => readonly string[];

/** After `-c` or `--command`. */
const afterCommandOption: Texts = rest =>
  rest.flatMap((option, index) =>
    /^-[a-zA-Z]*c[a-zA-Z]*$|^--command$/.test(option)
      ? [rest[index + 1] ?? '']
      : option.startsWith('--command=')
        ? [option.slice(10)]
        : [],
  );
/** All words together, and each that is a line by itself. */
const words: Texts = rest => [rest.join(' '), ...rest.filter(text => /\s/.test(text))];
/** What stands behind `name=`. */
const values: Texts = rest => rest.map(text => text.replace(/^[\w-]+=/, ''));

/** Where each program keeps the shell lines that it would run. */
const places: readonly (readonly [programs: RegExp, texts: Texts])[] = [
  [shells, afterCommandOption],
  [/^(?:su|sudo|doas|script|runuser|flock|nix-shell|newgrp|sg)$/, afterCommandOption],
  [/^(?:watch|parallel|eval|tmux|screen|entr)$/, words],
  [/^(?:ssh|sudo|xargs|flock)$/, rest => rest.filter(text => /\s/.test(text))],
  [/^ssh$/, rest => [rest.slice(1).join(' ')]],
  [/^(?:trap|alias|bind|complete)$/, values],
  [
    /^(?:export|declare|typeset|readonly|local)$/,
    rest => values(rest.filter(text => /^(?:PROMPT_COMMAND|PS\d|BASH_ENV|ENV)=/.test(text))),
  ],
  [/^env$/, splitStrings],
  [
    /^git$/,
    rest =>
      rest.flatMap((text, index) =>
        rest[index - 1] === '-c' || text.startsWith('!') ? [text.replace(/^[^=!]*=?!?/, '')] : [],
      ),
  ],
  [
    /^(?:find|xargs|tar|rsync|ssh|crontab|sort)$/,
    rest => rest.flatMap(text => /(?:exec=|command=|ProxyCommand=|program=)(.+)/s.exec(text)?.[1] ?? []),
  ],
];

const remembered = new Map<string, readonly Texts[]>();

/** The places that a program has, found once for each name. */
function placesOf(name: string): readonly Texts[] {
  let known = remembered.get(name);
  if (known === undefined) {
    known = places.flatMap(([programs, find]) => (programs.test(name) ? [find] : []));
    if (remembered.size > 500) remembered.clear();
    remembered.set(name, known);
  }
  return known;
}

/** Programs that take their input for shell lines. */
const readsInput = /^(?:source|\.|at|batch|parallel|xargs|ssh|crontab)$/;

/** Texts that a command would run as shell lines: arguments of `-c`, `eval`, `trap`, here-documents, piped text. */
export function shellTexts(argv: readonly string[], input: Feed): string[] {
  const [first = '', ...rest] = argv;
  const name = baseName(first);
  const texts = placesOf(name).flatMap(find => find(rest));
  if (input.kind === 'text' && (shells.test(name) || readsInput.test(name))) {
    texts.push(input.text);
    if (name === 'xargs') texts.push(`${rest.join(' ')} ${input.text.replaceAll('\n', ' ')}`);
  }
  return texts.filter(text => text.trim() !== '' && text.length < 8_000);
}

/** `env -S 'words'`, also joined and in a cluster; what follows is added to them. */
function splitStrings(rest: readonly string[]): readonly string[] {
  return rest.flatMap((option, index) => {
    const after = rest.slice(index + 1);
    if (option === '-S' || option === '--split-string') return [after.join(' ')];
    const joined = /^(?:-[a-z0]*S|--split-string=)([^]+)/.exec(option)?.[1];
    return joined === undefined
      ? /^-[a-z0]+S$/.test(option)
        ? [after.join(' ')]
        : []
      : [[joined, ...after].join(' ')];
  });
}

/** Texts inside a program given to an interpreter that could be shell lines, or what they come to. */
export function codeStrings(argv: readonly string[], input: Feed): string[] {
  if (!interpreters.test(baseName(argv[0] ?? ''))) return [];
  const codes = argv.slice(1).filter(word => /[\s("'[!{]/.test(word));
  if (input.kind === 'text') codes.push(input.text);
  return codes
    .filter(code => code.length < 8_000)
    .flatMap(code => [
      ...(running.test(code) ? stringsIn(code) : []),
      ...calls(code),
      code.replace(/^:?\d*!|^[\d,$]*e\s+|^\s*(?:spawn|\.shell|\.system|exec)\s+/, ''),
      /^s([/|,#])(?:(?!\1).)*\1((?:\\.|(?!\1).)*)\1\w*e/s.exec(code)?.[2]?.replaceAll('\\', '') ?? '',
      code.includes('fork') ? code : '',
    ])
    .filter(text => text.trim() !== '');
}

function stringsIn(code: string): string[] {
  const found = [
    ...code.matchAll(
      /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`|qx?[{(/]([^})/]*)|%x[{(]([^})]*)/gs,
    ),
  ].map(match => (match.slice(1).find(part => part !== undefined) ?? '').replaceAll(/\\(["'])/g, '$1'));
  // ['rm', '-rf', '/'] as a list of words.
  return [...found, found.join(' '), ...found.map((_, index) => found.slice(index).join(' '))].slice(0, 40);
}

/** Library calls that do what a command would. */
function calls(code: string): string[] {
  const lines: string[] = [];
  for (const [, target = ''] of code.matchAll(
    /(?:rmtree|remove_tree|rm_rf|rm_r|rmSync|rmdirSync|rm|rimraf|removedirs|remove_dir_all|RemoveAll|removeSync|emptyDirSync|unlinkSync|remove_entry_secure|deltree)\s*\(?\s*(?:['"`]([^'"`]*)['"`])/g,
  ))
    lines.push(`rm -rf '${target.replaceAll("'", '')}'`);
  for (const [, target = ''] of code.matchAll(
    /(?:open|writeFileSync|createWriteStream|openSync|File\.write|File\.open|fopen|file_put_contents|appendFileSync|write_bytes|write_text|Path)\s*\(?\s*['"]([^'"]*)['"]/g,
  ))
    if (/^\/(?:dev|proc|sys)\//.test(target) && !/^\/dev\/(?:null|std|tty|u?random|zero)/.test(target))
      lines.push(`dd of='${target.replaceAll("'", '')}'`);
  if (
    /(?:rmtree|rmSync|rm_rf|remove_tree|rimraf|RemoveAll|emptyDirSync|rm_r|rmdirSync|removeSync)\b[^]*(?:expanduser|homedir|environ|Dir\.home|ENV|HOME|Path\.home)/.test(
      code,
    )
  )
    lines.push('rm -rf ~');
  return lines;
}
