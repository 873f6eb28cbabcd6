import { realpathSync } from 'node:fs';
import { resolvePath } from './resolve.ts';
import { credentialIn, isCredentialName } from './credentials.ts';

/** What is inside: the workspace folders, and the user's home for `~`. Paths absolute. */
export interface Boundary {
  /** As given and with links resolved; empty means that nothing is inside. */
  readonly folders: readonly { readonly given: string; readonly real: string }[];
  readonly home: string;
  readonly realHome: string;
}

/** Where a path leads. */
export type Place =
  | { readonly kind: 'inside'; readonly path: string }
  | { readonly kind: 'credential'; readonly path: string; readonly name: string; readonly isInside: boolean }
  /** Outside, but the same on every machine and telling nothing. */
  | { readonly kind: 'harmless'; readonly path: string }
  | { readonly kind: 'outside'; readonly path: string }
  | { readonly kind: 'unknown' };

/** Files outside that reading cannot harm, by exact path. */
const harmless = new Set([
  '/dev/null',
  '/dev/fd/0',
  '/dev/fd/63',
  '/dev/stdin',
  '/etc/os-release',
  '/usr/lib/os-release',
  '/etc/debian_version',
  '/etc/lsb-release',
  '/etc/issue',
  '/proc/cpuinfo',
  '/proc/meminfo',
  '/proc/version',
  '/proc/loadavg',
  '/proc/uptime',
]);

/** Resolves the folders once; a folder that is not there counts as written. */
export function boundaryOf(folders: readonly string[], home: string): Boundary {
  return {
    folders: folders.map(given => ({ given: trimmed(given), real: real(trimmed(given)) })),
    home: trimmed(home),
    realHome: real(trimmed(home)),
  };
}

/** Judges a literal path as seen from a folder that is free of links. */
export function placeOf(boundary: Boundary, folder: string, path: string): Place {
  if (path.includes('\0')) return { kind: 'unknown' };
  if (harmless.has(path)) return { kind: 'harmless', path };
  const resolved = resolvePath(folder, path);
  if (resolved === undefined) return { kind: 'unknown' };
  const inside = insideFolder(boundary, resolved);
  // The written name counts as well: what is called `.env` is one, even as a link to something else.
  const written = path.slice(path.lastIndexOf('/') + 1);
  const name =
    credentialIn((inside ?? resolved).split('/')) ?? (isCredentialName(written) ? written : undefined);
  if (name !== undefined) return { kind: 'credential', path: resolved, name, isInside: inside !== undefined };
  return inside === undefined ? { kind: 'outside', path: resolved } : { kind: 'inside', path: resolved };
}

/** The path relative to the workspace folder that holds it; undefined when none does. `path` is free of links. */
export function insideFolder(boundary: Boundary, path: string): string | undefined {
  for (const { real: folder } of boundary.folders) {
    if (path === folder) return '';
    if (folder === '/' || path.startsWith(`${folder}/`))
      return path.slice(folder.length + (folder === '/' ? 0 : 1));
  }
  return undefined;
}

function real(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

function trimmed(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') || '/' : path;
}
