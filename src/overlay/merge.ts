import { diff3Merge } from 'node-diff3';
import { lines } from './hunks.ts';

/**
 * Joins what two sides made of one file. Undefined where both changed the same lines (or touching ones) differently, or
 * where a side is no text: then somebody has to choose.
 */
export function mergeContents(base: Buffer, ours: Buffer, theirs: Buffer): Buffer | undefined {
  if ([base, ours, theirs].some(content => content.includes(0) || content.length > largest)) return undefined;
  const regions = diff3Merge(lines(ours), lines(base), lines(theirs), { excludeFalseConflicts: true });
  const merged: string[] = [];
  for (const { ok } of regions) {
    if (!ok) return undefined;
    merged.push(...ok);
  }
  // A last line without an end, with another line after it now, would run into that one.
  if (merged.slice(0, -1).some(line => !line.endsWith('\n'))) return undefined;
  return Buffer.from(merged.join(''), 'latin1');
}

/** Bytes. Beyond it the time it takes is felt, and hardly a person wrote it. */
const largest = 4 * 1024 * 1024;
