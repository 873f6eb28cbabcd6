import { diffArrays } from 'diff';

/** One run of lines that differ. Line numbers count from 1; `removed` or `added` may be empty. */
export interface Hunk {
  /** Where it begins in either text. Of an empty side: the line before which its lines would be. */
  readonly beforeLine: number;
  readonly afterLine: number;
  /** Whole lines with their line ends, as the text has them. */
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** The hunks between two contents. Null when it would take too long to find them (2 s): take the file whole then. */
export function hunksOf(before: Buffer, after: Buffer): Hunk[] | null {
  const parts = diffArrays(lines(before), lines(after), { timeout: 2_000 });
  if (!parts) return null;
  const hunks: Hunk[] = [];
  let [beforeLine, afterLine] = [1, 1];
  let open: { beforeLine: number; afterLine: number; removed: string[]; added: string[] } | undefined;
  for (const { value, added, removed } of parts) {
    if (added || removed) {
      if (!open) hunks.push((open = { beforeLine, afterLine, removed: [], added: [] }));
      (added ? open.added : open.removed).push(...value);
    } else open = undefined;
    if (!added) beforeLine += value.length;
    if (!removed) afterLine += value.length;
  }
  return hunks;
}

/** The first content with only those hunks made, by their places in `hunksOf`. */
export function withHunks(before: Buffer, hunks: readonly Hunk[], chosen: ReadonlySet<number>): Buffer {
  const old = lines(before);
  const pieces: string[] = [];
  let line = 1;
  for (const [index, hunk] of hunks.entries()) {
    pieces.push(...old.slice(line - 1, hunk.beforeLine - 1));
    pieces.push(...(chosen.has(index) ? hunk.added : hunk.removed));
    line = hunk.beforeLine + hunk.removed.length;
  }
  pieces.push(...old.slice(line - 1));
  return Buffer.from(pieces.join(''), 'latin1');
}

/** Each with its line end. One character a byte, so that no encoding is guessed at and none is lost. */
export function lines(content: Buffer): string[] {
  return content.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
