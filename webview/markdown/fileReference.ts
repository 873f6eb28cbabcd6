/** A file, and where in it, as a model writes it: `src/app.ts`, `src/app.ts:12`, `src/app.ts:12:3`, `app.ts#L12`. */
export interface FileReference {
  readonly path: string;
  /** From 1. */
  readonly line?: number;
}

// No colon in the path: that keeps every URL scheme out. (A Windows drive is the one exception.)
const shape = /^((?:[A-Za-z]:[\\/])?[^\s:*?"<>|`#]+)(?::(\d{1,7})(?::\d{1,7})?|#L(\d{1,7})(?:-L?\d{1,7})?)?$/;

/** The target of a Markdown link as a file; null when it is anything else. */
export function linkedFile(target: string): FileReference | null {
  const match = shape.exec(target);
  const path = match?.[1];
  if (path === undefined || /^[-~/\\]{2}/.test(path) || !/[./\\]/.test(path)) return null;
  const line = Number(match?.[2] ?? match?.[3] ?? 0);
  return line > 0 ? { path, line } : { path };
}

/** Code in a sentence as a file. Stricter than a link: `a.b` is more often a property than a file. */
export function mentionedFile(code: string): FileReference | null {
  const reference = linkedFile(code);
  if (reference === null || !/[^./\\]\.[A-Za-z][A-Za-z0-9]{0,9}$/.test(reference.path)) return null;
  return reference.line !== undefined || /[/\\]/.test(reference.path) ? reference : null;
}

/** Where a path leads, given the workspace folders. Relative ones start in the folder they name, else the first. */
export function absolutePath(folders: readonly string[], path: string): string {
  const first = folders[0];
  if (first === undefined || /^(?:[/\\]|[A-Za-z]:[/\\])/.test(path)) return path;
  const plain = path.replace(/^(?:\.[/\\])+/, '');
  const named =
    folders.length > 1 ? folders.find(folder => plain.startsWith(`${baseName(folder)}/`)) : undefined;
  return named === undefined ? `${first}/${plain}` : `${named}${plain.slice(baseName(named).length)}`;
}

/** The path as the panel shows it: relative to its workspace folder, which is named when there are several. */
export function shownPath(folders: readonly string[], path: string): string {
  const folder = folders.find(candidate => path === candidate || path.startsWith(`${candidate}/`));
  if (folder === undefined) return path;
  const inside = path.slice(folder.length + 1);
  if (folders.length > 1) return inside === '' ? baseName(folder) : `${baseName(folder)}/${inside}`;
  return inside === '' ? '.' : inside;
}

function baseName(path: string): string {
  return (
    path
      .replace(/[/\\]+$/, '')
      .split(/[/\\]/)
      .at(-1) ?? path
  );
}
