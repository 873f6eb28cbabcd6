import type { ChangedPath } from '../../session/changes/changesEngine.ts';

export function samePath(one: ChangedPath, other: ChangedPath): boolean {
  return one.folder === other.folder && one.path === other.path;
}
