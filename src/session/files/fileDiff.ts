import { structuredPatch } from 'diff';
import type { FileDiff } from '../../protocol/transcript.ts';

/**
 * What a change did to a text file, as unified hunks. `before` and `after` are null where there is no file. The patch is
 * empty where the two differ too much to compare in reasonable time.
 */
export function fileDiff(path: string, before: string | null, after: string | null): FileDiff {
  const lines = (text: string | null) => (text === null || text === '' ? 0 : text.split('\n').length);
  const patch = structuredPatch(path, path, before ?? '', after ?? '', undefined, undefined, {
    context: 3,
    timeout,
  });
  if (!patch) return { path, patch: '', added: lines(after), removed: lines(before) };
  let added = 0;
  let removed = 0;
  const text: string[] = [];
  for (const hunk of patch.hunks) {
    text.push(
      `@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@`,
      ...hunk.lines,
    );
    for (const line of hunk.lines) {
      if (line.startsWith('+')) added++;
      else if (line.startsWith('-')) removed++;
    }
  }
  const whole = text.join('\n');
  return { path, patch: whole.length > maxPatch ? cutAtLine(whole) : whole, added, removed };
}

/** An empty range is named by the line before it, as in every unified diff. */
function range(start: number, lines: number): string {
  return `${lines === 0 ? start - 1 : start},${lines}`;
}

/** Milliseconds after which two very different files are just called that. */
const timeout = 1_000;
const maxPatch = 200_000;

function cutAtLine(patch: string): string {
  return patch.slice(0, patch.lastIndexOf('\n', maxPatch));
}
