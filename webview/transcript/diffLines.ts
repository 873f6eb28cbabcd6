/** One line of a unified diff as it is drawn. Line numbers count from 1. */
export type DiffLine =
  | { readonly kind: 'hunk'; readonly text: string }
  | { readonly kind: 'added'; readonly text: string; readonly line: number }
  | { readonly kind: 'removed'; readonly text: string; readonly line: number }
  | { readonly kind: 'context'; readonly text: string; readonly line: number }
  /** `\ No newline at end of file` and the like. */
  | { readonly kind: 'note'; readonly text: string };

/** The lines of unified diff hunks (without file headers). What does not fit the format is kept as a note. */
export function diffLines(patch: string): DiffLine[] {
  const lines: DiffLine[] = [];
  let before = 0;
  let after = 0;
  for (const raw of patch.split('\n')) {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(raw);
    const text = raw.slice(1);
    if (hunk !== null) {
      before = Number(hunk[1]);
      after = Number(hunk[2]);
      lines.push({ kind: 'hunk', text: raw });
    } else if (raw.startsWith('+')) lines.push({ kind: 'added', text, line: after++ });
    else if (raw.startsWith('-')) lines.push({ kind: 'removed', text, line: before++ });
    else if (raw.startsWith(' ')) {
      lines.push({ kind: 'context', text, line: after++ });
      before++;
    } else if (raw !== '') lines.push({ kind: 'note', text: raw });
  }
  return lines;
}
