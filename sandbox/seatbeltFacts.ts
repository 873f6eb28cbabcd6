import { existsSync, mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { certificateFiles, checkedExtra, checkedFolder, homesOf, userOf } from './facts.ts';
import { outsideGitDirectories } from './gitDirectories.ts';
import { defaultLimits, type Limits } from './limits.ts';
import type { SandboxOptions } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';
import { programs } from './seatbeltSystem.ts';
import { discoverToolchains, type Toolchain } from './toolchains.ts';

/** All that one session's profile needs to know of the machine. Real paths: the kernel compares those. */
export interface SeatbeltFacts {
  readonly user: { readonly uid: number; readonly gid: number; readonly name: string };
  readonly homes: readonly string[];
  /** Workspace folders: as named, and where they really are. Parents before the folders inside them. */
  readonly folders: readonly { readonly path: string; readonly realPath: string }[];
  readonly gitDirectories: readonly string[];
  readonly toolchains: readonly Toolchain[];
  /** Of the toolchains, each where it really is. */
  readonly toolchainPaths: readonly string[];
  readonly extraReadOnlyPaths: readonly string[];
  readonly certificateFiles: readonly string[];
  /** PATH inside. */
  readonly path: readonly string[];
  readonly state: {
    /** HOME inside. Lasts, so that caches live. */
    readonly home: string;
    /** TMPDIR inside. */
    readonly temporary: string;
    /** Whether it is gone with the session. */
    readonly dropsTemporary: boolean;
  };
  readonly limits: Limits;
}

/** Looks at everything once. Throws a `sandbox.*` CordonError when a folder or path cannot be used. */
export function gatherSeatbeltFacts(
  options: SandboxOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): SeatbeltFacts {
  if (!existsSync(sandboxExec)) throw sandboxErrors.unsupported('this version of macOS');
  const homes = homesOf(environment);
  const home = homes[0] ?? '/nonexistent';
  const folders = options.folders
    .map(folder => checkedFolder(folder, homes, options.stateDirectory))
    .map(({ path, realPath }) => ({ path, realPath: real(realPath) }))
    .toSorted((a, b) => a.realPath.length - b.realPath.length);
  const visible = [...programs, ...folders.flatMap(each => [each.path, each.realPath])];
  const { toolchains, path } = discoverToolchains(environment, home, visible);
  mkdirSync(options.stateDirectory, { recursive: true, mode: 0o700 });
  const state = real(options.stateDirectory);
  mkdirSync(join(state, 'home'), { recursive: true, mode: 0o700 });
  return {
    user: userOf(),
    homes: [...new Set(homes.map(real))],
    folders,
    gitDirectories: [...new Set(folders.flatMap(each => outsideGitDirectories(each.realPath, home)))].map(
      real,
    ),
    toolchains,
    toolchainPaths: [...new Set(toolchains.flatMap(each => each.paths).map(real))],
    extraReadOnlyPaths: (options.extraReadOnlyPaths ?? []).map(each => real(checkedExtra(each, homes))),
    certificateFiles: certificateFiles(environment, programs).map(real),
    path,
    state: {
      home: join(state, 'home'),
      temporary: real(options.temporaryDirectory ?? mkdtempSync(join(state, 'tmp-'))),
      dropsTemporary: options.temporaryDirectory === undefined,
    },
    limits: { ...defaultLimits, ...options.limits },
  };
}

export const sandboxExec = '/usr/bin/sandbox-exec';

/** As the kernel names it: through every link, in the spelling and the Unicode form that is on disk. */
export function real(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

/** What a program of the bare view needs to start: the application that it belongs to, or the tools around it. */
export function programNeeds(program: string, toolchainPaths: readonly string[]): string[] {
  const application = /^.*?\.app(?=\/)/.exec(program)?.[0];
  if (application !== undefined) return [application];
  const prefix = [...toolchainPaths, '/opt/homebrew', '/usr/local'].find(each =>
    program.startsWith(`${each}/`),
  );
  return [prefix ?? (dirname(program) === '/' ? program : dirname(program))];
}
