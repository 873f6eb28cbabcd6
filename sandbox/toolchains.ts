import { basename, dirname, isAbsolute, join, normalize } from 'node:path';
import { exists, isFolder, listed, real } from './look.ts';
import { isInside } from './inside.ts';
import { credentialPaths } from './secretFiles.ts';

/** A compiler, interpreter or tool outside the system directories that PATH names, made visible read-only. */
export interface Toolchain {
  readonly name: string;
  /** Absolute paths that exist; bound at themselves, and at their real path where that is another. */
  readonly paths: readonly string[];
  /** Variables with which the tool finds itself although HOME is another one inside. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface Toolchains {
  readonly toolchains: readonly Toolchain[];
  /** PATH inside: what is visible, in the order of the host's PATH, then the system's own directories. */
  readonly path: readonly string[];
}

/** Looks at the disk. `visible` are folders that the sandbox shows anyway (system directories, the workspace). */
export function discoverToolchains(
  environment: Readonly<Record<string, string | undefined>>,
  home: string,
  visible: readonly string[],
): Toolchains {
  const entries = (environment['PATH'] ?? '')
    .split(':')
    .filter(isAbsolute)
    .map(normalize)
    .map(withoutSlash)
    .filter(isFolder);
  const found = new Map<string, Toolchain>();
  const path: string[] = [];
  const credentials = credentialPaths.map(each => join(home, each));
  const isOpen = (candidate: string) =>
    !isInside(home, candidate) &&
    !credentials.some(each => isInside(each, candidate) || isInside(candidate, each));

  for (const known of knownToolchains) {
    const root = rootOf(known, environment, home);
    if (
      root === undefined ||
      !(known.always ?? entries.some(entry => isInside(entry, root) || isInside(real(entry), root)))
    )
      continue;
    const paths = known.paths
      .map(each => normalize(join(root, each)))
      .map(withoutSlash)
      .filter(exists)
      .filter(isOpen);
    const beside = (known.beside ?? []).map(each => ({ ...each, at: rootOf(each, environment, home) }));
    for (const each of beside) if (each.at !== undefined && isOpen(each.at)) paths.push(each.at);
    if (paths.length === 0) continue;
    const variables: Record<string, string> = known.sets ? { [known.sets]: root } : {};
    for (const each of beside) if (each.at !== undefined && each.sets) variables[each.sets] = each.at;
    found.set(known.name, { name: known.name, paths, environment: variables });
  }

  const isShown = (folder: string) =>
    [...visible, ...[...found.values()].flatMap(each => each.paths)].some(shown => isInside(folder, shown));
  for (const entry of entries) {
    const target = real(entry);
    if (!isShown(target)) {
      const prefix = prefixOf(target);
      const chosen = prefix !== undefined && isOpen(prefix) && hasDepth(prefix) ? prefix : target;
      if (!isOpen(chosen) || !hasDepth(chosen)) continue;
      found.set(chosen, { name: nameOf(chosen), paths: [chosen], environment: {} });
    }
    path.push(isShown(entry) ? entry : target);
  }
  return { toolchains: [...found.values()], path: [...new Set([...path, ...systemPath])] };
}

const systemPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

interface Root {
  /** Variable that names the root; else it is here below HOME. */
  readonly variable?: string;
  readonly below: readonly string[];
  /** Variable to set to the root inside. */
  readonly sets?: string;
}

interface KnownToolchain extends Root {
  readonly name: string;
  /** What of the root is shown: never the place where the tool keeps credentials. */
  readonly paths: readonly string[];
  /** Shown although PATH does not name it: virtual environments link into it. */
  readonly always?: true;
  readonly beside?: readonly Root[];
}

const whole = ['.'];

const knownToolchains: readonly KnownToolchain[] = [
  {
    name: 'Rust (rustup)',
    variable: 'CARGO_HOME',
    below: ['.cargo'],
    paths: ['bin'],
    beside: [{ variable: 'RUSTUP_HOME', below: ['.rustup'], sets: 'RUSTUP_HOME' }],
  },
  { name: 'nvm', variable: 'NVM_DIR', below: ['.nvm', '.config/nvm'], paths: whole, sets: 'NVM_DIR' },
  { name: 'fnm', variable: 'FNM_DIR', below: ['.local/share/fnm', '.fnm'], paths: whole, sets: 'FNM_DIR' },
  { name: 'Volta', variable: 'VOLTA_HOME', below: ['.volta'], paths: ['bin', 'tools'], sets: 'VOLTA_HOME' },
  { name: 'nodenv', variable: 'NODENV_ROOT', below: ['.nodenv'], paths: whole, sets: 'NODENV_ROOT' },
  { name: 'pyenv', variable: 'PYENV_ROOT', below: ['.pyenv'], paths: whole, sets: 'PYENV_ROOT' },
  {
    name: 'uv Pythons',
    variable: 'UV_PYTHON_INSTALL_DIR',
    below: ['.local/share/uv/python'],
    paths: whole,
    always: true,
    sets: 'UV_PYTHON_INSTALL_DIR',
  },
  { name: 'uv tools', variable: 'UV_TOOL_DIR', below: ['.local/share/uv/tools'], paths: whole, always: true },
  { name: 'pipx', below: ['.local/share/pipx', '.local/pipx'], paths: ['venvs'], always: true },
  {
    name: 'rye',
    variable: 'RYE_HOME',
    below: ['.rye'],
    paths: ['shims', 'py', 'self', 'tools'],
    sets: 'RYE_HOME',
  },
  { name: 'pixi', variable: 'PIXI_HOME', below: ['.pixi'], paths: ['bin', 'envs'] },
  {
    name: 'conda',
    below: ['miniconda3', 'anaconda3', 'miniforge3', 'mambaforge', 'micromamba'],
    paths: [
      'bin',
      'condabin',
      'conda-meta',
      'envs',
      'etc',
      'include',
      'lib',
      'libexec',
      'pkgs',
      'share',
      'shell',
      'ssl',
    ],
  },
  { name: 'rbenv', variable: 'RBENV_ROOT', below: ['.rbenv'], paths: whole, sets: 'RBENV_ROOT' },
  { name: 'RVM', variable: 'rvm_path', below: ['.rvm'], paths: whole },
  { name: 'Go tools', variable: 'GOPATH', below: ['go'], paths: ['bin'] },
  { name: 'goenv', variable: 'GOENV_ROOT', below: ['.goenv'], paths: whole, sets: 'GOENV_ROOT' },
  { name: 'SDKMAN', variable: 'SDKMAN_DIR', below: ['.sdkman'], paths: ['candidates'], sets: 'SDKMAN_DIR' },
  { name: 'jenv', below: ['.jenv'], paths: whole },
  {
    name: 'mise',
    variable: 'MISE_DATA_DIR',
    below: ['.local/share/mise'],
    paths: ['installs', 'shims', 'plugins'],
    sets: 'MISE_DATA_DIR',
  },
  { name: 'asdf', variable: 'ASDF_DATA_DIR', below: ['.asdf'], paths: whole, sets: 'ASDF_DATA_DIR' },
  { name: 'Deno', variable: 'DENO_INSTALL', below: ['.deno'], paths: ['bin'] },
  { name: 'Bun', variable: 'BUN_INSTALL', below: ['.bun'], paths: ['bin'] },
  { name: 'pnpm', variable: 'PNPM_HOME', below: ['.local/share/pnpm'], paths: whole },
  {
    name: '.NET',
    variable: 'DOTNET_ROOT',
    below: ['.dotnet'],
    paths: ['dotnet', 'host', 'shared', 'sdk', 'packs', 'templates', 'sdk-manifests', 'tools'],
    sets: 'DOTNET_ROOT',
  },
  { name: 'GHCup', below: ['.ghcup'], paths: ['bin', 'ghc', 'lib', 'share', 'env'] },
  { name: 'Juliaup', below: ['.juliaup', '.julia/juliaup'], paths: whole },
  { name: 'zvm', below: ['.zvm'], paths: whole },
];

function rootOf(
  root: Root,
  environment: Readonly<Record<string, string | undefined>>,
  home: string,
): string | undefined {
  const named = root.variable === undefined ? undefined : environment[root.variable];
  const candidates =
    named !== undefined && isAbsolute(named) ? [normalize(named)] : root.below.map(each => join(home, each));
  return candidates.map(withoutSlash).find(isFolder);
}

/** The prefix of a whole installation whose programs lie in `bin`: it cannot work without what lies beside. */
function prefixOf(bin: string): string | undefined {
  if (!['bin', 'sbin'].includes(basename(bin))) return undefined;
  const prefix = dirname(bin);
  const names = new Set(listed(prefix));
  const isPrefix =
    (names.has('src') && names.has('VERSION')) || // Go
    (names.has('release') && names.has('lib')) || // a JDK
    names.has('pyvenv.cfg') ||
    names.has('conda-meta') ||
    (names.has('lib') && (names.has('include') || names.has('share') || names.has('libexec')));
  return isPrefix ? prefix : undefined;
}

function nameOf(path: string): string {
  return basename(path) === 'bin' ? basename(dirname(path)) : basename(path);
}

/** Keeps `/opt` or `/home` from being shown whole because PATH names `/opt/bin`. */
function hasDepth(path: string): boolean {
  return path.split('/').length > 2;
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
