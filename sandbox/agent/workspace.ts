import { lstat, realpath } from 'node:fs/promises';
import path from 'node:path';

/** Where a path given by the model leads. */
export type ResolvedPath =
  /** `path` is absolute as the user knows it; `real` has every symlink resolved and is inside the folders. */
  | { readonly kind: 'inside'; readonly path: string; readonly real: string; readonly exists: boolean }
  /** Not to be seen from in here: only the broker can read it, if the user lets it. `path` is absolute. */
  | { readonly kind: 'outside'; readonly path: string; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string };

/** The workspace folders as the sandbox shows them. The kernel is the wall; this says in words what it would say in numbers. */
export interface Workspace {
  /** Where relative paths start and commands run. */
  readonly cwd: string;
  /** Absolute, `cwd` among them. */
  readonly folders: readonly string[];
  resolve(given: string): Promise<ResolvedPath>;
  /** Short for people and models: relative to `cwd` where it is below it. */
  shorten(absolute: string): string;
}

/** What a path may be long at most, in UTF-16 units; the kernel counts bytes and is stricter. */
export const maxPath = 4_096;

/** `folders` are absolute; the first is where relative paths start. */
export async function openWorkspace(folders: readonly [string, ...string[]]): Promise<Workspace> {
  const cwd = folders[0];
  // A folder that is a symlink is bound at both of its paths.
  const roots = [
    ...new Set([...folders, ...(await Promise.all(folders.map(async folder => await realpath(folder))))]),
  ];
  return {
    cwd,
    folders,
    async resolve(given) {
      if (given.includes('\0')) return refused('The path holds a null byte. Give a plain path.');
      if (given === '') return refused('The path is empty.');
      const absolute = path.resolve(cwd, given);
      if (absolute.length > maxPath) return refused('The path is too long. No such file can exist.');
      if (!roots.some(root => isWithin(root, absolute)))
        return outside(absolute, `${given} is outside the workspace folders (${folders.join(', ')}).`);
      try {
        const { real, exists, isBroken } = await realOfNearest(absolute);
        // The target of a link that leads out does not exist in here.
        if (isBroken || !roots.some(root => isWithin(root, real)))
          return outside(
            absolute,
            `${given} is a link, or is below one, that leads outside the workspace folders.`,
          );
        return { kind: 'inside', path: absolute, real, exists };
      } catch (error) {
        return refused(`${given} cannot be reached: ${fileProblem(error)}.`);
      }
    },
    shorten(absolute) {
      const relative = path.relative(cwd, absolute);
      if (relative === '') return '.';
      return relative === '..' || relative.startsWith(`..${path.sep}`) ? absolute : relative;
    },
  };
}

function refused(message: string): ResolvedPath {
  return { kind: 'refused', message };
}

function outside(path: string, message: string): ResolvedPath {
  return { kind: 'outside', path, message };
}

function isWithin(root: string, candidate: string): boolean {
  return candidate === root || candidate.startsWith(root.endsWith(path.sep) ? root : root + path.sep);
}

/** Resolves links as far as the path exists; what comes below does not exist yet and is kept as given. */
async function realOfNearest(
  absolute: string,
): Promise<{ real: string; exists: boolean; isBroken: boolean }> {
  const missing: string[] = [];
  let isBroken = false;
  for (let at = absolute; ; at = path.dirname(at)) {
    try {
      return { real: path.join(await realpath(at), ...missing), exists: missing.length === 0, isBroken };
    } catch (error) {
      if (!isMissing(error) || path.dirname(at) === at) throw error;
      isBroken ||= await lstat(at).then(
        stat => stat.isSymbolicLink(),
        () => false,
      );
      missing.unshift(path.basename(at));
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

const problems: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'reading it is not permitted (files that usually hold secrets are hidden from the sandbox)',
  EPERM: 'it is not permitted',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  ELOOP: 'its links go in a circle',
  ENAMETOOLONG: 'the name is too long',
};

/** A file system error in words. */
export function fileProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return problems[code] ?? (code === '' ? error.message : code);
}
