/**
 * The paths in at most about `max` lines: as they are if they fit, else the deepest folders are folded into one line
 * `folder/ (12 files)`, level by level. Paths use `/` and come back sorted as given.
 */
export function foldPaths(paths: readonly string[], max: number): string[] {
  if (paths.length <= max) return [...paths];
  const deepest = paths.reduce((most, path) => Math.max(most, path.split('/').length), 1);
  for (let depth = deepest - 1; depth > 1; depth--) {
    const folded = foldBelow(paths, depth);
    if (folded.length <= max) return folded;
  }
  const top = foldBelow(paths, 1);
  return top.length <= max
    ? top
    : [...top.slice(0, max), `… and ${(top.length - max).toLocaleString('en-US')} more`];
}

/** Keeps paths of up to `depth` parts; longer ones are counted at their folder of that depth. */
function foldBelow(paths: readonly string[], depth: number): string[] {
  const lines = new Map<string, number>();
  for (const path of paths) {
    const parts = path.split('/');
    if (parts.length <= depth) lines.set(path, 0);
    else {
      const folder = `${parts.slice(0, depth).join('/')}/`;
      lines.set(folder, (lines.get(folder) ?? 0) + 1);
    }
  }
  return [...lines].map(([line, count]) =>
    count === 0 ? line : `${line} (${count.toLocaleString('en-US')} files)`,
  );
}
