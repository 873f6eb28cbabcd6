import type { Feed } from '../shell/feed.ts';
import { baseName } from './baseName.ts';

const shells = /^(?:ba|z|k|mk|da|a|c|tc|fi|rba)?sh$|^(?:busybox|toybox)$/;
const interpreters =
  /^(?:python[\d.]*|perl[\d.]*|ruby[\d.]*|node|nodejs|deno|bun|php[\d.]*|lua[\d.]*|tclsh|awk|gawk|mawk|nawk|osascript|Rscript|expect|pypy3?|ed|ex|vi|vim|nvim|emacs|gdb|sed|make|sqlite3|psql|mysql|swift|groovy|scala|elixir|ghc|julia|go)$/;

/** Code that runs other programs, or may; only then are its strings looked at as command lines. */
const running =
  /\bopen\b|system|exec|popen|spawn|subprocess|check_(?:output|call)|\bcall\b|\brun\b|shell|\bsh\b|command|child_process|process|Open3|os\.|getline|`|\bqx|%x|\||!/i;

/** Texts that a command would run as shell lines: arguments of `-c`, `eval`, `trap`, here-documents, piped text. */
export function shellTexts(words: readonly string[], input: Feed): string[] {
  const texts: string[] = [];
  words.forEach((word, at) => {
    const name = baseName(word);
    const rest = words.slice(at + 1);
    if (
      shells.test(name) ||
      /^(?:su|sudo|doas|script|runuser|flock|watch|parallel|at|batch|nix-shell|newgrp|sg|zsh)$/.test(name)
    ) {
      rest.forEach((option, index) => {
        if (/^-[a-zA-Z]*c[a-zA-Z]*$|^--command$/.test(option)) texts.push(rest[index + 1] ?? '');
        else if (option.startsWith('--command=')) texts.push(option.slice(10));
      });
    }
    if (
      /^(?:watch|parallel|ssh|eval|xargs|time|sudo|docker|podman|kubectl|tmux|screen|entr|nohup)$/.test(name)
    )
      texts.push(rest.join(' '), ...rest.filter(text => /\s/.test(text)));
    if (name === 'env')
      rest.forEach((option, index) =>
        texts.push(
          ...(option === '-S' || option === '--split-string'
            ? [rest.slice(index + 1).join(' ')]
            : /^(?:-S|--split-string=)(.+)/.exec(option)?.[1]
              ? [[option.replace(/^(?:-S|--split-string=)/, ''), ...rest.slice(index + 1)].join(' ')]
              : /^-[a-z0]*S(.*)/.exec(option)
                ? [[option.replace(/^-[a-z0]*S/, ''), ...rest.slice(index + 1)].join(' ')]
                : []),
        ),
      );
    if (name === 'trap' || name === 'alias' || name === 'bind' || name === 'complete')
      texts.push(...rest.map(text => text.replace(/^[\w-]+=/, '')));
    if (name === 'git')
      rest.forEach(option =>
        texts.push(...(/^[\w.-]+=!?(.+)$/s.exec(option)?.[1] ? [option.replace(/^[^=]*=!?/, '')] : [])),
      );
    if (/^(?:export|declare|typeset|readonly|local)$/.test(name))
      rest.forEach(option =>
        texts.push(
          ...(/^(?:PROMPT_COMMAND|PS\d|BASH_ENV|ENV)=/.test(option) ? [option.replace(/^\w+=/, '')] : []),
        ),
      );
    if (
      (name === 'find' ||
        name === 'xargs' ||
        name === 'tar' ||
        name === 'rsync' ||
        name === 'ssh' ||
        name === 'crontab' ||
        name === 'sed' ||
        name === 'sort') &&
      at === 0
    )
      rest.forEach(option =>
        texts.push(
          ...(/(?:exec=|command=|ProxyCommand=|program=)(.+)/s.exec(option)?.[1]
            ? [option.replace(/^.*?(?:exec=|command=|ProxyCommand=|program=)/s, '')]
            : []),
        ),
      );
  });
  const [name = ''] = words;
  const readsInput = words.some(
    word =>
      shells.test(baseName(word)) ||
      /^(?:source|\.|at|batch|parallel|xargs|ssh|crontab)$/.test(baseName(word)),
  );
  if (readsInput && input.kind === 'text')
    texts.push(
      input.text,
      ...(words.some(word => baseName(word) === 'xargs')
        ? [
            `${words.slice(words.findIndex(word => baseName(word) === 'xargs') + 1).join(' ')} ${input.text.replaceAll('\n', ' ')}`,
          ]
        : []),
    );
  return texts.filter(text => text.trim() !== '' && text !== name && text.length < 8_000);
}

/** Texts inside a program given to an interpreter that could be shell lines, or what they come to. */
export function codeStrings(words: readonly string[], input: Feed): string[] {
  const at = words.findIndex(word => interpreters.test(baseName(word)));
  if (at < 0) return [];
  const codes = words.slice(at + 1).filter(word => /[\s("'[!{]/.test(word));
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
