import { dirname } from 'node:path';
import type { SandboxFacts } from './facts.ts';
import type { GrantedFolder } from './grantedFolders.ts';
import { isInside } from './inside.ts';
import type { ProgramFiles } from './programFiles.ts';
import type { LaunchRequest } from './sandbox.ts';
import { homeInside } from './stateFiles.ts';
import type { WorkspaceScan } from './workspaceScan.ts';

/** What one process sees at a path. `bind` shows a path of the host, `link` is a symlink, `memory` an empty folder. */
export type Mount =
  | {
      readonly kind: 'bind';
      readonly source: string;
      readonly target: string;
      readonly isWritable: boolean;
    }
  | { readonly kind: 'link'; readonly target: string; readonly to: string }
  | { readonly kind: 'memory'; readonly target: string };

/** What is decided for one launch, besides the facts of the session. */
export interface MountPlan {
  readonly request: LaunchRequest;
  /** Of the folders as they are now. */
  readonly scan: WorkspaceScan;
  /** What a `bare` view shows besides the folders. */
  readonly program?: ProgramFiles;
  /** Real paths of folders that are a copy-on-write view: commands may write there, and nothing needs to be kept. */
  readonly copyOnWrite: readonly string[];
  /** Real path of a folder → its clone, which is shown in its place. */
  readonly sources?: Readonly<Record<string, string>>;
  /** Of what the user granted outside of the workspace: what is shown, parents first. */
  readonly granted?: readonly GrantedFolder[];
}

// What a process sees is decided here and nowhere else, whatever puts up the walls. Pure.
// Later mounts lie over earlier ones, so the order protects us.

/** The system, read-only, or what the program of a `bare` view needs of it. Comes first. */
export function systemMounts(facts: SandboxFacts, plan: MountPlan): Mount[] {
  if (plan.request.view === 'bare')
    return (plan.program?.paths ?? []).map(({ source, target }) => readOnly(source, target));
  return [
    ...facts.system.map(({ path, link }): Mount =>
      link === undefined ? readOnly(path) : { kind: 'link', target: path, to: link },
    ),
    readOnly(facts.state.settings.folder, '/etc'),
    ...facts.state.settings.shown.map(path => readOnly(path)),
  ];
}

/** Everything else, in this order, after the kernel's own file systems. */
export function placeMounts(facts: SandboxFacts, plan: MountPlan): Mount[] {
  const { request, copyOnWrite, sources } = plan;
  const isSystem = request.view === 'system';
  return [
    // 1. Places to write that are nobody else's.
    ...(isSystem ? privateMounts(facts) : []),
    // 2. Toolchains, certificates and what the user listed, read-only.
    ...(isSystem ? parentsFirst(readablePaths(facts)).map(path => readOnly(path)) : []),
    // 3. What was granted outside of the workspace, repositories behind the folders, then the folders themselves, so
    //    that a grant around a folder does not lie over it.
    ...grantMounts(facts, plan),
    ...facts.gitDirectories.map(path =>
      bind(sourceOf(path, sources), path, isSystem && copyOnWrite.includes(path)),
    ),
    ...folderMounts(facts, plan),
    // 4. In folders that are the user's own: what must not change.
    ...protectionMounts(facts, plan),
    // 5. Over everything of the workspace: what must not be read.
    ...secretMasks(facts, plan),
    // 6. The broker's own files, last, so that nothing lies over them.
    ...(request.binds ?? []).map(({ source, target }) => readOnly(source, target)),
  ];
}

function bind(source: string, target: string, isWritable: boolean): Mount {
  return { kind: 'bind', source, target, isWritable };
}

function readOnly(source: string, target: string = source): Mount {
  return bind(source, target, false);
}

function privateMounts(facts: SandboxFacts): Mount[] {
  return [
    bind(facts.state.temporary, '/tmp', true),
    // What is shown below /tmp gets an anchor that commands can neither rename nor replace by a link: otherwise one
    // command could decide where the mounts of the next one lead.
    ...anchorsIn(facts).map((target): Mount => ({ kind: 'memory', target })),
    bind(facts.state.temporary, '/var/tmp', true),
    bind(facts.state.home, homeInside, true),
    { kind: 'link', target: '/var/run', to: '../run' },
  ];
}

/** First names below /tmp on the way to something that is shown there. */
export function anchorsIn(facts: Places): string[] {
  return [...new Set(placesIn(facts).flatMap(path => /^(\/tmp\/[^/]+)\/./.exec(path)?.[1] ?? []))];
}

/** What is shown of the user's, besides the system. */
export function placesIn(facts: Places): string[] {
  return [
    ...facts.folders.flatMap(each => [each.path, each.realPath]),
    ...facts.gitDirectories,
    ...readablePaths(facts),
  ];
}

type Places = Pick<
  SandboxFacts,
  'folders' | 'gitDirectories' | 'toolchains' | 'extraReadOnlyPaths' | 'certificateFiles'
>;

function readablePaths(
  facts: Pick<SandboxFacts, 'toolchains' | 'certificateFiles' | 'extraReadOnlyPaths'>,
): string[] {
  return [
    ...facts.toolchains.flatMap(each => each.paths),
    ...facts.certificateFiles,
    ...facts.extraReadOnlyPaths,
  ];
}

function folderMounts(facts: SandboxFacts, { request, copyOnWrite, sources }: MountPlan): Mount[] {
  return facts.folders.flatMap(({ path, realPath }) => {
    const isWritable =
      // Programs of ours in the bare view write only where they are told to.
      (request.view === 'system' && copyOnWrite.includes(realPath)) ||
      request.writableFolders.some(each => each === path || each === realPath);
    const source = sourceOf(realPath, sources);
    return [
      bind(source, realPath, isWritable),
      ...(path === realPath ? [] : [bind(source, path, isWritable)]),
    ];
  });
}

/** Where what is shown at a real path lies: there, or in the clone of a folder around it. */
export function sourceOf(path: string, sources: MountPlan['sources']): string {
  for (const [folder, clone] of Object.entries(sources ?? {}))
    if (isInside(path, folder)) return clone + path.slice(folder.length);
  return path;
}

function grantMounts(facts: SandboxFacts, { granted = [] }: MountPlan): Mount[] {
  return granted.map(({ path, access }) =>
    access === 'none' ? readOnly(facts.state.emptyFolder, path) : bind(path, path, access === 'write'),
  );
}

function protectionMounts(
  facts: SandboxFacts,
  { request, scan, copyOnWrite, granted = [] }: MountPlan,
): Mount[] {
  const writable = [
    ...facts.folders
      .filter(({ path, realPath }) =>
        request.writableFolders.some(each => each === path || each === realPath),
      )
      .map(({ realPath }) => realPath),
    ...granted.filter(({ access }) => access === 'write').map(({ path }) => path),
  ];
  const concerns = (path: string) =>
    writable.some(folder => isInside(path, folder)) && !copyOnWrite.some(each => isInside(path, each));
  return withAliases(facts, [
    // A folder around a protected path is mounted onto itself, so that it cannot be renamed away from under it. What is
    // in a repository must not change at all: many a new file there (`commondir`, a submodule in the index) would make
    // git take its configuration from where the command wrote it.
    ...parentsFirst(scan.pinned.filter(concerns)).map(path => ({
      source: path,
      path,
      isWritable: !path.split('/').includes('.git') || isAllowed(path, request),
    })),
    ...parentsFirst(scan.protectedPaths.filter(concerns))
      .filter(path => !isAllowed(path, request))
      .map(path => ({ source: path, path, isWritable: false })),
    ...scan.guarded
      .filter(concerns)
      .filter(path => !isAllowed(path, request))
      .map(path => ({ source: facts.state.emptyFolder, path, isWritable: false })),
  ]);
}

function secretMasks(facts: SandboxFacts, { request, scan }: MountPlan): Mount[] {
  return withAliases(
    facts,
    scan.secrets
      .filter(path => !isAllowed(path, request))
      .map(path => ({ source: facts.state.hiddenFile, path, isWritable: false })),
  );
}

/** Whether the user allowed this path, or one below it, by name for this process. */
export function isAllowed(path: string, request: Pick<LaunchRequest, 'allowedPaths'>): boolean {
  return (request.allowedPaths ?? []).some(allowed => isInside(allowed, path));
}

/** The same mounts again where a folder is shown at a second path, through a link. */
function withAliases(
  facts: Pick<SandboxFacts, 'folders'>,
  mounts: readonly { readonly source: string; readonly path: string; readonly isWritable: boolean }[],
): Mount[] {
  return mounts.flatMap(({ source, path: target, isWritable }) => [
    bind(source, target, isWritable),
    ...facts.folders
      .filter(({ path, realPath }) => path !== realPath && isInside(target, realPath))
      .map(({ path, realPath }) => bind(source, path + target.slice(realPath.length), isWritable)),
  ]);
}

export function parentsFirst(paths: readonly string[]): string[] {
  return [...new Set(paths)].toSorted((a, b) => dirname(a).length - dirname(b).length || (a < b ? -1 : 1));
}
