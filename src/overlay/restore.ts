import { parentOf, type DesiredChange } from './applySteps.ts';
import type { Discarded } from './discarded.ts';
import { readEntry } from './entry.ts';

/**
 * What putting items of the trash back asks of their folder: they take the place of whatever lies there now. What was
 * made goes, and permissions are as they were.
 */
export function restoreChanges<Item extends Discarded>(
  folder: string,
  items: readonly Item[],
  contentPath: (item: Item) => string,
): DesiredChange[] {
  const changes = new Map<string, DesiredChange>();
  const addFolder = (path: string, mode: number) => {
    if (path === '' || changes.has(path)) return;
    addFolder(parentOf(path), 0o755);
    const now = readEntry(`${folder}/${path}`);
    if (now?.kind !== 'directory')
      changes.set(path, { path, expected: now ?? null, desired: { kind: 'directory', mode } });
  };
  const outerFirst = items.toSorted((one, other) => one.path.length - other.path.length);
  for (const item of outerFirst) {
    const { path, mode } = item;
    if (item.why === 'made' || item.why === 'mode') {
      const expected = readEntry(`${folder}/${path}`);
      const desired =
        item.why === 'made' ? ({ kind: 'nothing' } as const) : ({ kind: 'mode', mode } as const);
      if (expected) changes.set(path, { path, expected, desired });
      continue;
    }
    if (item.kind === 'directory') {
      addFolder(path, mode);
      continue;
    }
    addFolder(parentOf(path), 0o755);
    changes.set(path, {
      path,
      expected: readEntry(`${folder}/${path}`) ?? null,
      desired:
        item.kind === 'symlink'
          ? { kind: 'symlink', target: item.content }
          : { kind: 'file', mode, content: { path: contentPath(item) } },
    });
  }
  return [...changes.values()];
}
