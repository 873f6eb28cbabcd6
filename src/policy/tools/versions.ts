import { existsSync, readFileSync } from 'node:fs';
import { asking } from '../finding.ts';
import type { Finding } from '../finding.ts';
import type { JudgeContext } from '../judgeCommand.ts';
import { textAt } from '../shell/field.ts';
import type { SimpleCommand } from '../shell/line.ts';
import { notOnlyReading } from './notOnlyReading.ts';
import type { ParsedArguments } from './parseArguments.ts';
import type { ToolTable } from './table.ts';
import { unlisted } from './unlisted.ts';

/**
 * Programs that print their version. Several of them first look for a file in the project that says which program to
 * start instead; where there is one, it is asked.
 */
const programs: readonly {
  readonly names: string;
  readonly forms: string;
  readonly redirectedBy?: readonly Redirector[];
}[] = [
  { names: 'node nodejs', forms: '--version -v' },
  {
    names: 'npm npx pnpm bun deno',
    forms: '--version -v -V',
  },
  {
    names: 'yarn',
    forms: '--version -v',
    redirectedBy: [
      { file: '.yarnrc', when: /yarn-path/ },
      { file: '.yarnrc.yml', when: /yarnPath|plugins/ },
    ],
  },
  {
    names: 'python python2 python3 pypy3',
    forms: '--version -V',
  },
  { names: 'pip pip3 pipx uv conda virtualenv ruff', forms: '--version -V' },
  {
    names: 'ruby gem rake',
    forms: '--version -v',
  },
  {
    names: 'cargo rustc rustup rustfmt clippy-driver cargo-clippy',
    forms: '--version -V',
    redirectedBy: [
      { file: 'rust-toolchain.toml', when: /path/ },
      { file: 'rust-toolchain', when: /path/ },
    ],
  },
  {
    names: 'ld as cmake ninja meson gdb lldb clang-format clang-tidy',
    forms: '--version',
  },
  { names: 'gcc g++ cc c++ clang clang++ make gmake', forms: '--version -v' },
  { names: 'docker podman ldd', forms: '--version -v' },
  { names: 'java', forms: '-version --version' },
  { names: 'javac', forms: '-version --version' },
  { names: 'mvn', forms: '--version -v', redirectedBy: [{ file: '.mvn', when: undefined }] },
  { names: 'gradle', forms: '--version -v', redirectedBy: [{ file: 'gradle.properties', when: undefined }] },
  { names: 'dotnet', forms: '--version --info', redirectedBy: [{ file: 'global.json', when: undefined }] },
  {
    names: 'php perl lua luajit ghc stack elixir erl swift zig nim crystal julia R Rscript ocaml',
    forms: '--version -v -V',
  },
  { names: 'bash zsh fish sh dash', forms: '--version' },
  { names: 'tsc eslint prettier', forms: '--version -v' },
  {
    names:
      'kubectl helm terraform aws gcloud az gh glab code curl wget ssh openssl sqlite3 psql mysql redis-cli ffmpeg vim nvim nano emacs tmux less more man bc',
    forms: '--version -V',
  },
];

interface Redirector {
  readonly file: string;
  /** Undefined: its being there is enough. */
  readonly when: RegExp | undefined;
}

/** Version managers that put themselves before any program take a path from these. */
const everywhere: readonly Redirector[] = [
  { file: '.tool-versions', when: /path:/ },
  { file: 'mise.toml', when: /path|env|hooks/ },
  { file: '.mise.toml', when: /path|env|hooks/ },
];

export const versions: readonly ToolTable[] = programs.flatMap(({ names, forms, redirectedBy }) =>
  names.split(/\s+/).map(name => ({
    name,
    reason: 'Prints its version.',
    flags: forms,
    refine: (parsed: ParsedArguments, command: SimpleCommand, context: JudgeContext) =>
      judgeVersion(name, parsed, command, context, [...everywhere, ...(redirectedBy ?? [])]),
    allows: [`${name} ${forms.split(' ')[0] ?? ''}`],
    asks: [`${name} -x`, name],
  })),
);

/** Subcommands of language tools that only print. */
export const toolchainReports: readonly ToolTable[] = [
  {
    name: 'go version',
    reason: 'Prints its version.',
    allows: ['go version'],
    asks: ['go version -m /bin/ls', 'go build'],
  },
  {
    name: 'go env',
    reason: 'Prints settings; writing them is left out.',
    flags: '-json',
    operands: 'text',
    allows: ['go env GOPATH', 'go env'],
    asks: ['go env -w GOFLAGS=x', 'go env -u X', 'go env -changed'],
  },
  {
    name: 'npm ls',
    aliases: ['npm list'],
    reason: 'Lists installed packages.',
    flags: '-a -l -g --all --long --global --json --parseable --link --omit=dev --prod --production',
    values: '--depth --prefix',
    operands: 'text',
    refine: parsed =>
      parsed.options
        .filter(({ name }) => name === '--prefix')
        .map(({ word, value }) => notOnlyReading(value?.span ?? [0, 0], 'npm', word)),
    allows: ['npm ls', 'npm list --depth=0', 'npm ls --depth 0', 'npm ls typescript'],
    asks: ['npm ls --script-shell=x', 'npm install', 'npm view x', 'npm ls --prefix /etc'],
  },
  {
    name: 'npm root',
    aliases: ['npm prefix'],
    reason: 'Prints a folder.',
    flags: '-g --global',
    allows: ['npm root -g', 'npm prefix'],
    asks: ['npm root --userconfig=x'],
  },
  {
    name: 'npm run',
    reason: 'Without a name it lists the scripts.',
    allows: ['npm run'],
    asks: ['npm run build', 'npm run --x'],
  },
  {
    name: 'npm pkg',
    reason: 'Prints parts of package.json.',
    operands: 'text',
    refine: (parsed, command) =>
      textAt(
        parsed.operands.map(({ field }) => field),
        0,
      ) === 'get'
        ? []
        : [notOnlyReading(command.span, 'npm')],
    allows: ['npm pkg get name'],
    asks: ['npm pkg set name=x', 'npm pkg delete x'],
  },
  {
    name: 'npm config',
    reason: 'Prints one setting that holds no secret.',
    operands: 'text',
    refine: (parsed, command) =>
      textAt(
        parsed.operands.map(({ field }) => field),
        0,
      ) === 'get' &&
      /^(?:registry|prefix|cache|init-\w+|save-exact|engine-strict|node-version)$/.test(
        textAt(
          parsed.operands.map(({ field }) => field),
          1,
        ) ?? '',
      )
        ? []
        : [notOnlyReading(command.span, 'npm')],
    allows: ['npm config get registry'],
    asks: ['npm config set x y', 'npm config get //x/:_authToken', 'npm config list', 'npm config edit'],
  },
  {
    name: 'pip list',
    aliases: ['pip3 list', 'pip freeze', 'pip3 freeze', 'pip show', 'pip3 show', 'pip check'],
    reason: 'Lists installed packages.',
    flags: '-o -u -e -l -f --outdated --uptodate --editable --local --user --not-required --files --verbose',
    values: '--format --exclude',
    operands: 'text',
    refine: (parsed, command) =>
      parsed.options
        .filter(({ name }) => name === '-o' || name === '--outdated')
        .map(({ word }) =>
          asking('network.tool', 'This asks a server for newer versions.', command.span, {
            word,
            stays: false,
          }),
        ),
    allows: ['pip list', 'pip show requests', 'pip freeze', 'pip list --format=json'],
    asks: ['pip install x', 'pip list --outdated', 'pip list --python /x', 'pip list --log x'],
  },
  {
    name: 'python3 -V',
    aliases: ['python -V'],
    reason: 'Prints its version.',
    allows: ['python3 -V'],
    asks: ['python3 -V x', 'python3 -c 1', 'python3 x.py'],
  },
  {
    name: 'kubectl version',
    reason: 'Prints its own version.',
    flags: '--client',
    refine: (parsed, command) => (parsed.options.length > 0 ? [] : [notOnlyReading(command.span, 'kubectl')]),
    allows: ['kubectl version --client'],
    asks: ['kubectl version', 'kubectl get pods'],
  },
  {
    name: 'apt list',
    aliases: ['apt-cache policy', 'apt-cache show', 'apt-cache search'],
    reason: 'Lists packages.',
    flags: '--installed --upgradable -a',
    operands: 'text',
    allows: ['apt list --installed', 'apt-cache policy bash'],
    asks: ['apt install x', 'apt list -o APT::X=y'],
  },
];

function judgeVersion(
  name: string,
  parsed: ParsedArguments,
  command: SimpleCommand,
  context: JudgeContext,
  redirectors: readonly Redirector[],
): readonly Finding[] {
  if (parsed.options.length !== 1 || parsed.findings.length > 0 || parsed.operands.length > 0)
    return [unlisted(name, command)];
  if (redirectors.length === 0) return [];
  for (const start of context.folders ?? ['']) {
    if (start === '')
      return [asking('path.unknownFolder', 'It is not certain in which folder this would be.', command.span)];
    for (let folder = start; ; folder = folder.slice(0, folder.lastIndexOf('/'))) {
      const found = redirectors.find(({ file, when }) => redirects(`${folder}/${file}`, when));
      if (found)
        return [
          asking(
            'tool.redirected',
            `The project's \`${found.file}\` may start another program in its place.`,
            command.span,
            { word: 0 },
          ),
        ];
      if (folder === '') break;
    }
  }
  return [];
}

function redirects(path: string, when: RegExp | undefined): boolean {
  try {
    return existsSync(path) && (when === undefined || when.test(readFileSync(path, 'utf8')));
  } catch {
    return true;
  }
}
