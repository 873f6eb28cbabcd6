import { AnchoredFolder } from '../../overlay/anchoredFolder.ts';
import type { ChangeGroup } from '../../overlay/changeset.ts';
import { lookAt } from '../../overlay/tree/mirror.ts';
import { walkTree } from '../../overlay/tree/walkTree.ts';

/** Ignored outputs, each of a folder's `paths` with the number of files in it: they are counted and not listed. */
export async function countedOutputs(folder: string, paths: readonly string[]): Promise<ChangeGroup[]> {
  const results: ChangeGroup[] = [];
  for (const path of paths)
    results.push({ kind: 'ignored', name: path, paths: [path], files: await filesIn(folder, path) });
  return results;
}

async function filesIn(folder: string, path: string): Promise<number> {
  using around = new AnchoredFolder(folder);
  if (lookAt(around, path)?.kind !== 'directory') return 1;
  let files = 0;
  using root = new AnchoredFolder(`${folder}/${path}`);
  await walkTree(root, (_, entry) => {
    if (entry.kind !== 'directory') files += 1;
    return true;
  });
  return files;
}
