import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { developerTools, pathWith } from './developerTools.ts';
import { certificateFiles, checkedExtra, checkedFolder, homesOf, userOf } from './facts.ts';
import { gitSettings } from './gitSettings.ts';
import { outsideGitDirectories } from './gitDirectories.ts';
import { defaultLimits, type Limits } from './limits.ts';
import type { SandboxOptions } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';
import { ignoredSecrets } from './secretFiles.ts';
import { programs } from './seatbeltSystem.ts';
import { discoverToolchains, type Toolchain } from './toolchains.ts';

/** All that one session's profile needs to know of the machine. Real paths: the kernel compares those. */
export interface SeatbeltFacts {
  /** Absolute path of sandbox-exec. */
  readonly sandboxExec: string;
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
    /** A folder with settings of ours for git, read-only inside. */
    readonly settings: string;
  };
  readonly limits: Limits;
}

/** Looks at everything once. Throws a `sandbox.*` CordonError when a folder or path cannot be used. */
export function gatherSeatbeltFacts(
  options: SandboxOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  sandboxExec = systemSandboxExec,
): SeatbeltFacts {
  if (!existsSync(sandboxExec)) throw sandboxErrors.unsupported('this version of macOS');
  // In the spelling that is on disk: a folder may be named in another one.
  const homes = [...new Set(homesOf(environment).map(real))];
  const home = homes[0] ?? '/nonexistent';
  const folders = options.folders
    .map(folder => checkedFolder(folder, homes, options.stateDirectory))
    .toSorted((a, b) => a.realPath.length - b.realPath.length);
  const visible = [...programs, ...folders.flatMap(each => [each.path, each.realPath])];
  const { toolchains: found, path } = discoverToolchains(environment, home, visible);
  const developer = developerTools(environment);
  const toolchains = [...found, ...(developer === undefined ? [] : [developer.toolchain])];
  mkdirSync(options.stateDirectory, { recursive: true, mode: 0o700 });
  return {
    sandboxExec,
    user: userOf(),
    homes,
    folders,
    gitDirectories: [...new Set(folders.flatMap(each => outsideGitDirectories(each.realPath, home)))].map(
      real,
    ),
    toolchains,
    toolchainPaths: [...new Set(toolchains.flatMap(each => each.paths).map(real))],
    extraReadOnlyPaths: (options.extraReadOnlyPaths ?? []).map(each => real(checkedExtra(each, homes))),
    certificateFiles: certificateFiles(environment, programs).map(real),
    path: developer === undefined ? path : pathWith(developer.bin, path),
    // Asking a git that is not there would offer the user to install one.
    state: layOutState(options, home, developer !== undefined),
    limits: { ...defaultLimits, ...options.limits },
  };
}

export const systemSandboxExec = '/usr/bin/sandbox-exec';

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

/** What lasts of one workspace besides its records. `home` is the user's. */
export function seatbeltPlace(stateDirectory: string, home: string): string {
  const key = createHash('sha256').update(real(stateDirectory)).digest('hex').slice(0, 16);
  return join(home, 'Library/Caches/Cordon', key);
}

/**
 * HOME does not lie with the other records: those are below "Application Support", and a HOME with a space in it is
 * more than many tools bear. TMPDIR is short because the name of a socket may have 104 bytes, all in all.
 */
function layOutState(options: SandboxOptions, home: string, hasGit: boolean): SeatbeltFacts['state'] {
  const place = seatbeltPlace(options.stateDirectory, home);
  for (const name of ['home', 'settings']) mkdirSync(join(place, name), { recursive: true, mode: 0o700 });
  const settings = real(join(place, 'settings'));
  const ignored = join(settings, 'gitignore');
  writeFileSync(ignored, ignoredSecrets, { mode: 0o600 });
  writeFileSync(join(settings, 'gitconfig'), gitSettings(hasGit ? home : undefined, ignored), {
    mode: 0o600,
  });
  return {
    home: real(join(place, 'home')),
    temporary: real(options.temporaryDirectory ?? mkdtempSync(join(tmpdir(), 'cordon-t-'))),
    dropsTemporary: options.temporaryDirectory === undefined,
    settings,
  };
}
