import { AnchoredFolder } from './anchoredFolder.ts';
import type { OverlayFolder } from './changeset.ts';

/**
 * Calls `use` with a place at which to read what an overlay holds at the path. The agent may be at work there: no link
 * on the way is followed, so that a folder which it swaps for one never shows the host's own files. `use` opens what it
 * needs before it first waits. Throws `overlay.moved` when the path is not there any more.
 */
export function inUpper<T>({ upper }: OverlayFolder, path: string, use: (place: string) => T): T {
  if (path === '') return use(upper);
  using anchored = new AnchoredFolder(upper);
  return anchored.at(path, use);
}
