import { dirname } from 'node:path';
import { isInside } from './inside.ts';
import { protectionOf, rules as protectionRules } from './protectedPaths.ts';
import type { LaunchRequest } from './sandbox.ts';
import type { SeatbeltFacts } from './seatbeltFacts.ts';
import {
  folderPattern,
  contentPattern,
  namePattern,
  placePattern,
  protectionPattern,
} from './seatbeltPattern.ts';
import { credentialPaths, foldersOfPackages, openNames, secretNames } from './secretFiles.ts';
import * as system from './seatbeltSystem.ts';

/** What sandbox-exec is given: the text, in which no path stands, and the paths by name. */
export interface SeatbeltProfile {
  readonly text: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** What is decided for one launch. All paths are real paths. */
export interface SeatbeltPlan {
  readonly request: LaunchRequest;
  /** Of `request.binds`, by what they are; on macOS they stay where they are. */
  readonly files: readonly string[];
  readonly sockets: readonly string[];
  /** Where the way out listens on this machine's own loopback; absent: there is none. */
  readonly proxyPort?: number;
  /** What a `bare` view may execute, and the folders and libraries that it needs for that. */
  readonly program?: { readonly path: string; readonly needs: readonly string[] };
}

/**
 * The profile for one launch. Pure: what the sandbox shows is decided here and nowhere else. Nothing is allowed that is
 * not named. Of several rules for the same operation the last that matches counts, so the order below protects us. But
 * a rule for `file-read-data` counts before any for `file-read*`, wherever it stands: a denial names every operation
 * that an earlier rule allowed by name.
 */
export function seatbeltProfile(facts: SeatbeltFacts, plan: SeatbeltPlan): SeatbeltProfile {
  const { request } = plan;
  const isSystem = request.view === 'system';
  const names = new ParameterNames();
  const paths = (name: string, values: readonly string[]) =>
    names.all(name, values).map(each => subpath(each));

  const folders = names.all(
    'FOLDER',
    facts.folders.map(each => each.realPath),
  );
  const writable = facts.folders.flatMap(({ path, realPath }, at) =>
    request.writableFolders.some(each => each === path || each === realPath) ? (folders[at] ?? []) : [],
  );
  const granted = (plan.request.grantedFolders ?? []).filter(({ access }) => access !== 'none');
  for (const { path, access } of granted) {
    const [name = ''] = names.all('FOLDER', [path]);
    folders.push(name);
    if (access === 'write') writable.push(name);
  }
  const withheld = (plan.request.grantedFolders ?? []).filter(({ access }) => access === 'none');
  const aliases = facts.folders.filter(each => each.path !== each.realPath).map(each => each.path);
  const readable = [...folders.map(subpath), ...paths('REPOSITORY', facts.gitDirectories)];
  const tools = isSystem ? paths('TOOL', [...facts.toolchainPaths, ...facts.extraReadOnlyPaths]) : [];
  const certificates = isSystem ? paths('CERTIFICATE', facts.certificateFiles) : [];
  const ownNames = isSystem ? names.all('OWN', [facts.state.home, facts.state.temporary]) : [];
  const own = ownNames.map(subpath);
  const settings = isSystem ? paths('SETTINGS', [facts.state.settings]) : [];
  const given = paths('GIVEN', plan.files);
  const needed = paths('PROGRAM', plan.program === undefined ? [] : plan.program.needs);
  const executable = isSystem
    ? [...[...system.programs, ...system.libraries].map(constant), ...tools, ...own, ...folders.map(subpath)]
    : [...(plan.program === undefined ? [] : paths('EXECUTED', [plan.program.path])), ...given];
  const shown = [...readable, ...tools, ...certificates, ...settings, ...own, ...given, ...needed];

  const text = [
    '(version 1)',
    '(deny default)',
    '; 1. Itself and its children, and no other process.',
    '(allow process-fork)',
    '(allow process-info* (target same-sandbox))',
    '(allow signal (target same-sandbox))',
    rule('allow', 'sysctl-read', system.kernelValues),
    rule('allow', 'sysctl-write', system.askedByWriting),
    // How many processors there are and how busy they are.
    '(allow mach-host*)',
    rule('allow', 'mach-lookup', isSystem ? system.services : []),
    // Pipes between processes may be sockets without a name.
    '(allow system-socket (socket-domain AF_UNIX))',
    ...(isSystem ? ['(allow ipc-posix-sem)', '(allow pseudo-tty)'] : []),
    '; 2. The system, read-only.',
    rule('allow', 'file-read* file-map-executable', system.libraries.map(constant)),
    rule('allow', 'file-read*', system.settings.map(constant)),
    rule('allow', 'file-read*', system.links),
    rule('allow', 'file-read-metadata', system.passages),
    rule('allow', 'file-read* file-write-data file-ioctl', system.devices),
    ...(isSystem
      ? [
          rule('allow', 'file-read* file-map-executable', system.programs.map(constant)),
          rule('allow', 'file-read*', system.commandSettings.map(constant)),
          rule('allow', 'file-read* file-write-data file-ioctl', system.terminals),
        ]
      : []),
    ...(request.output === 'inherit'
      ? [rule('allow', 'file-read-metadata file-ioctl', [system.callersTerminal])]
      : []),
    '; 3. What is shown besides, and the way to it.',
    rule('allow', 'file-read* file-map-executable', shown),
    rule('allow', 'file-read-metadata', names.ancestors()),
    ...names
      .all('ALIAS', aliases)
      .flatMap(each => [
        rule('allow', 'file-read*', [literal(each)]),
        rule('allow', 'file-read-metadata', [`(path-ancestors (param "${each}"))`]),
      ]),
    rule('allow', 'process-exec*', executable),
    '; 4. Places to write.',
    rule('allow', 'file-write*', writable.map(subpath)),
    rule('deny', 'file-write-unlink', folders.map(literal)),
    '; 5. In the folders: what must not change.',
    ...writable.map(each =>
      rule(
        'deny',
        'file-write*',
        protectedPlaces.map(path => inFolder(each, protectionPattern({ path }))),
      ),
    ),
    ...writable.map(each =>
      rule(
        'deny',
        'file-write-unlink',
        heldFolders.map(name => inFolder(each, folderPattern(name))),
      ),
    ),
    '; 6. In the folders: what must not be read.',
    ...folders.map(each =>
      rule(
        'deny',
        'file-read* file-map-executable file-write*',
        secretNames.map(name => inFolder(each, namePattern(name))),
      ),
    ),
    ...folders.map(each =>
      rule(
        'allow',
        'file-read-metadata',
        secretNames.map(name => inFolder(each, namePattern(name))),
      ),
    ),
    ...folders.map(each =>
      rule(
        'allow',
        'file-read* file-map-executable',
        openNames.map(name => inFolder(each, namePattern(name))),
      ),
    ),
    ...writable.map(each =>
      rule(
        'allow',
        'file-write*',
        openNames.map(name => inFolder(each, namePattern(name))),
      ),
    ),
    // What package managers lay out is public, and theirs to change: each package has a package.json.
    ...folders.map(each => rule('allow', 'file-read* file-map-executable', inPackages(each))),
    ...writable.map(each => rule('allow', 'file-write* file-write-unlink', inPackages(each))),
    '; 7. What the user allowed by name.',
    ...liftedPaths(facts, request).map(({ path, isWritable }) =>
      rule('allow', `file-read*${isWritable ? ' file-write*' : ''}`, [subpath(names.one('ALLOWED', path))]),
    ),
    // What lies in a granted folder and was refused.
    rule(
      'deny',
      'file-read* file-read-metadata file-map-executable file-write* file-write-unlink',
      names
        .all(
          'REFUSED',
          withheld.map(each => each.path),
        )
        .map(subpath),
    ),
    '; 8. Credentials of the user, whatever was allowed before.',
    ...names.all('HOME', facts.homes).map(home =>
      rule(
        'deny',
        everyUse,
        [...credentialPaths, ...system.credentials].map(path => inFolder(home, placePattern(path))),
      ),
    ),
    rule('deny', everyUse, system.dataOfTools.map(constant)),
    "; 9. Cordon's own, which may lie among the editor's: made for this sandbox, so nothing of the user's is in it.",
    rule('allow', 'file-read* file-read-metadata file-map-executable', [...settings, ...own, ...given]),
    rule('allow', 'file-write* process-exec*', own),
    rule('deny', 'file-write-unlink', ownNames.map(literal)),
    // Nothing that runs as somebody else later.
    '(deny file-write-setugid)',
    ...(plan.program === undefined ? [] : [rule('allow', 'process-exec*', given)]),
    '; 10. Its own sockets, those of the broker, and no other network.',
    ...ownNames.flatMap(each => [
      rule('allow', 'network-bind', [`(local unix-socket ${subpath(each)})`]),
      rule('allow', 'network-outbound', [`(remote unix-socket ${subpath(each)})`]),
    ]),
    ...names
      .all('SOCKET', plan.sockets)
      .flatMap(each => [
        rule('allow', 'network-outbound', [`(remote unix-socket ${subpath(each)})`]),
        rule('allow', 'file-read* file-read-metadata file-write-data', [literal(each)]),
      ]),
    ...(plan.proxyPort === undefined
      ? []
      : [
          '(allow system-socket (socket-domain AF_INET))',
          `(allow network-outbound (remote ip "localhost:${plan.proxyPort}"))`,
        ]),
    '',
  ]
    .filter(line => line !== undefined)
    .join('\n');
  return { text, parameters: names.parameters };
}

/** Arguments of sandbox-exec. */
export function sandboxExecArguments(
  profileFile: string,
  { parameters }: SeatbeltProfile,
  command: readonly string[],
): string[] {
  return [
    '-f',
    profileFile,
    ...Object.entries(parameters).flatMap(([name, value]) => ['-D', `${name}=${value}`]),
    '--',
    ...command,
  ];
}

/** What a denial of everything names: wildcards, and what is allowed by name elsewhere. */
const everyUse =
  'file-read* file-read-metadata file-map-executable file-write* file-write-unlink process-exec*';

/**
 * Whole repositories, and what is protected elsewhere. Folders are the user's own here, and many a new file in a
 * repository would make git take its configuration from where a command wrote it.
 */
const protectedPlaces = [
  '.git',
  ...protectionRules.map(each => each.path).filter(each => !each.startsWith('.git/')),
];

/** Folders that hold protected paths: renamed, they would let them go. */
const heldFolders = [
  ...new Set(protectedPlaces.filter(each => each.includes('/')).map(each => each.split('/')[0] ?? each)),
];

/** Names for paths, each used once. A name is made here from a constant and a number, never from a path. */
class ParameterNames {
  readonly parameters: Record<string, string> = {};
  readonly #counts = new Map<string, number>();

  one(name: string, path: string): string {
    const count = this.#counts.get(name) ?? 0;
    this.#counts.set(name, count + 1);
    this.parameters[`${name}_${count}`] = path;
    return `${name}_${count}`;
  }

  all(name: string, paths: readonly string[]): string[] {
    return paths.map(path => this.one(name, path));
  }

  /** Of everything named so far: what programs look at on the way to it. */
  ancestors(): string[] {
    return Object.keys(this.parameters).map(name => `(path-ancestors (param "${name}"))`);
  }
}

/** A rule without a filter would be for everything, so there is none then. */
function rule(action: 'allow' | 'deny', operations: string, filters: readonly string[]): string | undefined {
  return filters.length === 0 ? undefined : `(${action} ${operations}\n  ${filters.join('\n  ')})`;
}

function subpath(parameter: string): string {
  return `(subpath (param "${parameter}"))`;
}

function literal(parameter: string): string {
  return `(literal (param "${parameter}"))`;
}

/** For paths of our own tables only. */
function constant(path: string): string {
  return `(subpath "${path}")`;
}

function inFolder(parameter: string, pattern: string): string {
  return `(regex (string-append "^" (regex-quote (param "${parameter}")) "${pattern}"))`;
}

function inPackages(parameter: string): string[] {
  return [...foldersOfPackages].map(name => inFolder(parameter, contentPattern(name)));
}

/** The file writer replaces a file through another one beside it, so a protected folder is lifted whole. */
function liftedPaths(
  facts: Pick<SeatbeltFacts, 'folders'>,
  { allowedPaths = [], writableFolders }: LaunchRequest,
): { path: string; isWritable: boolean }[] {
  return allowedPaths.flatMap(allowed => {
    const folder = facts.folders.find(
      ({ path, realPath }) => isInside(allowed, realPath) || isInside(allowed, path),
    );
    if (folder === undefined) return [];
    const base = isInside(allowed, folder.realPath) ? folder.realPath : folder.path;
    let path = allowed;
    for (let at = allowed; at !== base && at !== dirname(at); at = dirname(at))
      if (protectionOf(at.slice(base.length + 1)) !== undefined) path = at;
    const isWritable = writableFolders.some(each => each === folder.path || each === folder.realPath);
    return [{ path: folder.realPath + path.slice(base.length), isWritable }];
  });
}
