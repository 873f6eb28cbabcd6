/**
 * What a path of the workspace could do later if it were changed: run code on the user's machine, or change what an
 * agent may do. Undefined for ordinary files. `path` is relative to its workspace folder, with `/`.
 */
export function protectionOf(path: string): string | undefined {
  const names = path.split('/');
  for (let at = 0; at < names.length; at++) {
    const rest = names.slice(at).join('/');
    for (const rule of rules) if (matches(rule, rest)) return rule.because;
  }
  return undefined;
}

/** One kind of protected path, at the root of a workspace folder or in any folder below. */
export interface ProtectionRule {
  /** A path of plain names; for a file kind, `*.suffix` as the last name. */
  readonly path: string;
  readonly kind: 'file' | 'folder';
  /** What it could do, as the end of "It is protected because it …". */
  readonly because: string;
  /** Where it does not exist yet, it must not be created in the user's own folder either. */
  readonly guarded: boolean;
}

const git = 'can make git run a program on this machine';
const editor = 'can make the editor run a task, a debugger or another program';
const shell = 'is run when a shell starts or enters this folder';
const pipeline = 'is run by a continuous-integration service with its credentials';
const instructions = 'tells coding agents what to do';
const hooks = 'is run by git or a package manager later';
const tools = 'can make a package manager or a build run a program';

export const rules: readonly ProtectionRule[] = [
  { path: '.git/hooks', kind: 'folder', because: git, guarded: true },
  { path: '.git/config', kind: 'file', because: git, guarded: true },
  { path: '.git/config.worktree', kind: 'file', because: git, guarded: false },
  { path: '.gitmodules', kind: 'file', because: git, guarded: false },
  // A folder with a HEAD may be a repository without `.git`: git heeds the configuration that lies beside it.
  { path: 'HEAD', kind: 'file', because: git, guarded: false },
  { path: '.vscode', kind: 'folder', because: editor, guarded: true },
  { path: '*.code-workspace', kind: 'file', because: editor, guarded: false },
  { path: '.idea', kind: 'folder', because: editor, guarded: true },
  { path: '.devcontainer', kind: 'folder', because: editor, guarded: true },
  { path: '.devcontainer.json', kind: 'file', because: editor, guarded: true },
  ...folders(['.zed', '.fleet', '.run', '.vs'], editor),
  ...files(['.exrc', '.vimrc', '.nvimrc', '.nvim.lua', '.dir-locals.el'], editor),
  ...files(['.gdbinit', '.lldbinit'], 'is run when a debugger starts here'),
  { path: '.envrc', kind: 'file', because: shell, guarded: true },
  { path: '.mise.toml', kind: 'file', because: shell, guarded: false },
  { path: 'mise.toml', kind: 'file', because: shell, guarded: false },
  ...files(['mise.local.toml', '.mise.local.toml'], shell),
  ...files(['.bashrc', '.bash_profile', '.bash_login', '.bash_logout', '.bash_aliases', '.profile'], shell),
  ...files(['.zshrc', '.zshenv', '.zprofile', '.zlogin', '.zlogout'], shell),
  { path: '.github/workflows', kind: 'folder', because: pipeline, guarded: true },
  { path: '.github/actions', kind: 'folder', because: pipeline, guarded: false },
  { path: '.gitlab-ci.yml', kind: 'file', because: pipeline, guarded: true },
  { path: '.circleci', kind: 'folder', because: pipeline, guarded: true },
  { path: '.travis.yml', kind: 'file', because: pipeline, guarded: false },
  { path: 'Jenkinsfile', kind: 'file', because: pipeline, guarded: false },
  { path: 'azure-pipelines.yml', kind: 'file', because: pipeline, guarded: false },
  { path: 'bitbucket-pipelines.yml', kind: 'file', because: pipeline, guarded: false },
  ...files(['azure-pipelines.yaml', 'appveyor.yml', '.appveyor.yml', '.cirrus.yml', '.drone.yml'], pipeline),
  ...files(['.woodpecker.yml', '.woodpecker.yaml'], pipeline),
  ...folders(['.buildkite', '.woodpecker', '.gitea/workflows', '.forgejo/workflows'], pipeline),
  { path: '.husky', kind: 'folder', because: hooks, guarded: true },
  ...folders(['.githooks'], hooks),
  ...files(['.pre-commit-config.yaml', '.simple-git-hooks.json'], hooks),
  ...files(['lefthook.yml', 'lefthook.yaml', '.lefthook.yml', '.lefthook.yaml'], hooks),
  // Settings that name a program, which is run whatever the user asks the tool for.
  ...files(['.npmrc', '.yarnrc', '.yarnrc.yml', '.pnpmfile.cjs'], tools),
  ...files(['.cargo/config', '.cargo/config.toml'], tools),
  // New packages are ordinary work; the scripts of one that exists may be run by the user out of habit.
  { path: 'package.json', kind: 'file', because: 'holds scripts that package managers run', guarded: false },
  { path: 'AGENTS.md', kind: 'file', because: instructions, guarded: true },
  { path: 'CLAUDE.md', kind: 'file', because: instructions, guarded: true },
  { path: 'CLAUDE.local.md', kind: 'file', because: instructions, guarded: false },
  { path: 'GEMINI.md', kind: 'file', because: instructions, guarded: true },
  ...files(['AGENTS.override.md', 'AGENT.md', 'QWEN.md', '.clinerules', '.roorules'], instructions),
  ...files(['opencode.json', 'opencode.jsonc', '.aider.conf.yml'], instructions),
  ...folders(['.codex', '.gemini', '.opencode', '.windsurf', '.roo', '.kiro', '.continue'], instructions),
  ...folders(['.clinerules', '.amazonq', '.junie'], instructions),
  ...folders(
    ['agents', 'chatmodes', 'hooks', 'instructions', 'prompts'].map(at => `.github/${at}`),
    instructions,
  ),
  { path: '.cursorrules', kind: 'file', because: instructions, guarded: true },
  { path: '.windsurfrules', kind: 'file', because: instructions, guarded: false },
  { path: '.github/copilot-instructions.md', kind: 'file', because: instructions, guarded: false },
  { path: '.claude', kind: 'folder', because: instructions, guarded: true },
  { path: '.cursor', kind: 'folder', because: instructions, guarded: true },
  { path: '.mcp.json', kind: 'file', because: instructions, guarded: true },
];

/** Ordinary where they do not exist yet. */
function files(paths: readonly string[], because: string): ProtectionRule[] {
  return paths.map(path => ({ path, kind: 'file', because, guarded: false }));
}

function folders(paths: readonly string[], because: string): ProtectionRule[] {
  return paths.map(path => ({ path, kind: 'folder', because, guarded: false }));
}

function matches(rule: ProtectionRule, path: string): boolean {
  if (rule.path.startsWith('*')) return !path.includes('/') && path.endsWith(rule.path.slice(1));
  return path === rule.path || (rule.kind === 'folder' && path.startsWith(rule.path + '/'));
}
