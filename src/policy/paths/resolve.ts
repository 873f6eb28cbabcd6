import { lstatSync, readlinkSync } from 'node:fs';

/** Symbolic links followed before a path counts as a loop, as Linux does. */
const maxLinks = 40;

/**
 * Where a path leads as the kernel would walk it: links followed one by one, `..` taken after them. What does not
 * exist is appended as written. `folder` must be absolute and free of links already. Undefined when it loops, or when
 * `..` follows something that does not exist (or cannot be looked at), because then nobody knows where it would lead.
 */
export function resolvePath(folder: string, path: string): string | undefined {
  let at = path.startsWith('/') ? '' : folder === '/' ? '' : folder;
  let exists = true;
  let links = 0;
  const todo = path.split('/').toReversed();
  for (let component = todo.pop(); component !== undefined; component = todo.pop()) {
    if (component === '' || component === '.') continue;
    if (component === '..') {
      if (!exists) return undefined;
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
      continue;
    }
    const next = `${at}/${component}`;
    if (exists) {
      const found = look(next);
      if (found === 'missing') exists = false;
      else if (found !== 'plain') {
        if (++links > maxLinks) return undefined;
        if (found.startsWith('/')) at = '';
        todo.push(...found.split('/').toReversed());
        continue;
      }
    }
    at = next;
  }
  return at === '' ? '/' : at;
}

/** The target of a symbolic link, or what else is there. */
function look(path: string): string {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return 'missing';
    return found.isSymbolicLink() ? `./${readlinkSync(path)}`.replace(/^\.\/\//, '/') : 'plain';
  } catch {
    // Not a directory, not permitted, too long, a null byte: nothing below it can be told.
    return 'missing';
  }
}
