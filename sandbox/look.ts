import { readdirSync, realpathSync, statSync, type Stats } from 'node:fs';

// Looks at the disk that never throw: what cannot be looked at is not there, for us and for the sandbox.

/** The names in a folder; none where it cannot be listed. */
export function listed(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** The path with every link resolved; as it stands where that cannot be told. */
export function real(path: string): string {
  try {
    // The system's own is several times as fast, and every path of PATH comes by here.
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

export function isFolder(path: string): boolean {
  return statOf(path)?.isDirectory() ?? false;
}

export function exists(path: string): boolean {
  return statOf(path) !== undefined;
}

/** Undefined for what is not there, or lies in a folder that this user may not enter. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
