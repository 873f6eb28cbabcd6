import { lstatSync, type BigIntStats } from 'node:fs';
import { encodePath, readTarget } from '../base/fileName.ts';

/** What lies at one path. Modes are the lower 12 bits. */
export type Entry =
  | { readonly kind: 'file'; readonly mode: number; readonly size: number; readonly stamp: Stamp }
  | { readonly kind: 'symlink'; readonly target: string; readonly stamp: Stamp }
  | { readonly kind: 'directory'; readonly mode: number; readonly stamp: Stamp }
  /** A pipe, socket or device: never carried from one side to the other. */
  | { readonly kind: 'special'; readonly stamp: Stamp };

/** Tells whether something was touched since, without reading it. */
export interface Stamp {
  /** The inode, its size and the time of its last write. Survives renaming and linking. */
  readonly identity: string;
  /** Nanoseconds since the epoch; nobody but the kernel can set these. */
  readonly modifiedAt: bigint;
  readonly changedAt: bigint;
  /** When the inode was made, in nanoseconds; 0n where the file system does not say. */
  readonly createdAt: bigint;
}

/** What lies at the path, itself and not what a link there names; undefined when there is nothing. */
export function readEntry(path: string): Entry | undefined {
  const stats = lstat(path);
  return stats && entryOf(stats, path);
}

/** The same for a path in an overlay's upper layer, where a device 0/0 says "deleted". */
export function readUpperEntry(path: string): Entry | 'whiteout' | undefined {
  const stats = lstat(path);
  if (!stats) return undefined;
  return stats.isCharacterDevice() && stats.rdev === 0n ? 'whiteout' : entryOf(stats, path);
}

function lstat(path: string): BigIntStats | undefined {
  try {
    return lstatSync(encodePath(path), { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    // A parent that is not a directory: nothing lies here.
    if (error instanceof Error && 'code' in error && error.code === 'ENOTDIR') return undefined;
    throw error;
  }
}

export function entryOf(stats: BigIntStats, path: string): Entry {
  const stamp = stampOf(stats);
  const mode = Number(stats.mode) & 0o7777;
  if (stats.isFile()) return { kind: 'file', mode, size: Number(stats.size), stamp };
  if (stats.isDirectory()) return { kind: 'directory', mode, stamp };
  if (stats.isSymbolicLink()) return { kind: 'symlink', target: readTarget(path), stamp };
  return { kind: 'special', stamp };
}

function stampOf(stats: BigIntStats): Stamp {
  return {
    identity: `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}`,
    modifiedAt: stats.mtimeNs,
    changedAt: stats.ctimeNs,
    createdAt: stats.birthtimeNs,
  };
}
