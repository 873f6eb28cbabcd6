import { setTimeout as wait } from 'node:timers/promises';
import { AnchoredFolder } from '../anchoredFolder.ts';
import type { Entry } from '../entry.ts';
import { stampOf, type TreeIndex } from './treeIndex.ts';
import { walkTree } from './walkTree.ts';

/**
 * What a folder in which the agent works holds of its own, by path: what was touched since both sides were the same,
 * and `whiteout` for what is gone. The content may be the same again. Reads no file; looks at each once. `leavesOut`
 * names what does not count; nothing below it does either.
 */
export async function readTreeLayer(
  folder: string,
  index: TreeIndex,
  leavesOut: (path: string, entry: Entry) => boolean = () => false,
): Promise<Map<string, Entry | 'whiteout'>> {
  using root = new AnchoredFolder(folder);
  const layer = new Map<string, Entry | 'whiteout'>();
  const seen = new Set<string>();
  await walkTree(root, (path, entry) => {
    const known = index.find(path);
    if (!known && leavesOut(path, entry)) return false;
    seen.add(path);
    if (known?.worked !== stampOf(entry)) layer.set(path, entry);
    return true;
  });
  for (const path of index.paths) if (!seen.has(path)) layer.set(path, 'whiteout');
  return layer;
}

/**
 * Waits until what was written last is so old that whatever is written from now on carries another time: until then, two
 * writes of the same length could not be told apart.
 */
export async function untilSettled(): Promise<void> {
  await wait(20);
}
