import { lstatSync } from 'node:fs';
import path from 'node:path';
import { randomId } from '../../base/ids.ts';
import { openTrash } from '../../store/trash.ts';

/** What a change outside of the workspace is about to overwrite or delete, kept until it is known what became of it. */
export interface Kept {
  /** It was overwritten or deleted: it is in the trash. */
  done(): void;
  /** It was not. */
  undone(): void;
}

/**
 * Puts a file of a granted folder into the trash, before the file tools change it there: those are the user's own files,
 * and no review comes after. Nothing is kept of what does not exist yet. Throws when it cannot be kept; then nothing
 * should be changed.
 *
 * @param file absolute, without links, in `folder`
 */
export function keepOutside(
  trashDirectory: string,
  { folder, file, why }: { folder: string; file: string; why: 'overwritten' | 'deleted' },
): Kept {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile()) return { done() {}, undone() {} };
  const batch = randomId();
  const inTrash = <T>(work: (trash: ReturnType<typeof openTrash>) => T): T => {
    using trash = openTrash(trashDirectory);
    return work(trash);
  };
  inTrash(trash => {
    const { content, size } = trash.store(file);
    const item = {
      folder,
      path: path.relative(folder, file),
      why,
      kind: 'file',
      mode: stat.mode & 0o7777,
    } as const;
    trash.note(batch, [{ ...item, content, size }]);
  });
  return {
    done: () => inTrash(trash => trash.keep(batch)),
    undone: () => inTrash(trash => trash.forget(batch)),
  };
}
