// What an agent may do to a folder, as data, for tests that do the same in two places.
import {
  appendFileSync,
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import * as fc from 'fast-check';
import { decodePath, encodePath } from '../../../src/base/fileName.ts';

export type Operation =
  | { readonly do: 'write'; readonly path: string; readonly text: string }
  | { readonly do: 'append'; readonly path: string; readonly text: string }
  | { readonly do: 'remove'; readonly path: string }
  | { readonly do: 'rename'; readonly path: string; readonly to: string }
  | { readonly do: 'makeFolder'; readonly path: string }
  | { readonly do: 'chmod'; readonly path: string; readonly mode: number }
  | { readonly do: 'symlink'; readonly path: string; readonly target: string }
  | { readonly do: 'hardLink'; readonly path: string; readonly to: string }
  | { readonly do: 'folderForFile'; readonly path: string; readonly inner: string }
  | { readonly do: 'fileForFolder'; readonly path: string; readonly text: string }
  /** Removed and made anew, so that the overlay makes it opaque. */
  | { readonly do: 'freshFolder'; readonly path: string; readonly inner: string };

const names = [
  'a',
  'b',
  'C',
  'docs',
  'src',
  '-rf',
  'with space',
  'ünï',
  'new\nline',
  'quo\'te"',
  'raw\uDCFF',
  '*',
];
const name = fc.constantFrom(...names);
const path = fc.oneof(
  { weight: 3, arbitrary: fc.array(name, { minLength: 1, maxLength: 3 }).map(parts => parts.join('/')) },
  // Where things are, most of the time.
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constantFrom('a', 'src', 'src/docs', 'docs'), name).map(parts => parts.join('/')),
  },
  { weight: 1, arbitrary: fc.constantFrom('a', 'src', 'src/docs', 'docs') },
);
const text = fc.constantFrom('', 'one\n', 'two\nlines\n', 'no newline', '\0binary', 'x'.repeat(99));
const mode = fc.constantFrom(0o644, 0o755, 0o600, 0o444, 0o700, 0o664);
const target = fc.oneof(path, fc.constantFrom('..', '/etc/passwd', '../../outside', 'missing'));

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), path, text }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('append' as const), path, text }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), path }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('rename' as const), path, to: path }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('makeFolder' as const), path }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('chmod' as const), path, mode }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('symlink' as const), path, target }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hardLink' as const), path, to: path }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('folderForFile' as const), path, inner: name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fileForFolder' as const), path, text }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('freshFolder' as const), path, inner: name }) },
);

/** Does it below the root. Returns what the system refused, which must be the same everywhere. */
export function perform(root: string, operation: Operation): string | undefined {
  const at = (path: string) => encodePath(`${root}/${path}`);
  try {
    // A link on the way could lead out of the view and into this machine's own files.
    if (throughLink(root, operation.path) || ('to' in operation && throughLink(root, operation.to)))
      return 'link';
    switch (operation.do) {
      case 'write':
        writeFileSync(at(operation.path), operation.text);
        return undefined;
      case 'append':
        appendFileSync(at(operation.path), operation.text);
        return undefined;
      case 'remove':
        lstatSync(at(operation.path));
        removeAll(root, operation.path);
        return undefined;
      case 'rename':
        move(root, operation.path, operation.to);
        return undefined;
      case 'makeFolder':
        mkdirSync(at(operation.path));
        return undefined;
      case 'chmod':
        if (lstatSync(at(operation.path)).isDirectory() && (operation.mode & 0o700) !== 0o700)
          return 'closed';
        chmodSync(at(operation.path), operation.mode);
        return undefined;
      case 'symlink':
        symlinkSync(encodePath(operation.target), at(operation.path));
        return undefined;
      case 'hardLink':
        linkSync(at(operation.path), at(operation.to));
        return undefined;
      case 'folderForFile':
        unlinkSync(at(operation.path));
        mkdirSync(at(operation.path));
        writeFileSync(at(`${operation.path}/${operation.inner}`), 'inside\n');
        return undefined;
      case 'fileForFolder':
        readdirSync(at(operation.path));
        removeAll(root, operation.path);
        writeFileSync(at(operation.path), operation.text);
        return undefined;
      case 'freshFolder':
        readdirSync(at(operation.path));
        removeAll(root, operation.path);
        mkdirSync(at(operation.path));
        writeFileSync(at(`${operation.path}/${operation.inner}`), 'fresh\n');
        return undefined;
    }
  } catch (error) {
    const code: unknown = Reflect.get(error as object, 'code');
    if (typeof code !== 'string') throw error;
    return code;
  }
}

/** As `mv` does it: an overlay refuses to rename a folder of the lower layer (EXDEV), and it is copied instead. */
function move(root: string, from: string, to: string): void {
  const at = (path: string) => encodePath(`${root}/${path}`);
  try {
    renameSync(at(from), at(to));
  } catch (error) {
    if (Reflect.get(error as object, 'code') !== 'EXDEV') throw error;
    if (from === to) return;
    // In the order in which the kernel would have said it.
    const refused = (code: string) => Object.assign(new Error(code), { code });
    if (to.startsWith(`${from}/`)) throw refused('EINVAL');
    if (exists(root, to)) {
      if (!lstatSync(at(to)).isDirectory()) throw refused('ENOTDIR');
      if (list(root, to).length > 0) throw refused('ENOTEMPTY');
      removeAll(root, to);
    }
    copy(root, from, to);
    removeAll(root, from);
  }
}

function copy(root: string, from: string, to: string): void {
  const at = (path: string) => encodePath(`${root}/${path}`);
  const stats = lstatSync(at(from));
  if (stats.isSymbolicLink()) symlinkSync(readlinkSync(at(from), 'buffer'), at(to));
  else if (stats.isDirectory()) {
    mkdirSync(at(to));
    for (const each of list(root, from)) copy(root, `${from}/${each}`, `${to}/${each}`);
    chmodSync(at(to), stats.mode & 0o7777);
  } else {
    writeFileSync(at(to), readFileSync(at(from)));
    chmodSync(at(to), stats.mode & 0o7777);
  }
}

function removeAll(root: string, path: string): void {
  if (lstatSync(encodePath(`${root}/${path}`)).isDirectory())
    for (const each of list(root, path)) removeAll(root, `${path}/${each}`);
  rmSync(encodePath(`${root}/${path}`), { recursive: true });
}

function exists(root: string, path: string): boolean {
  return lstatSync(encodePath(`${root}/${path}`), { throwIfNoEntry: false }) !== undefined;
}

function throughLink(root: string, path: string): boolean {
  const parts = path.split('/');
  return parts.some((_, index) =>
    lstatSync(encodePath(`${root}/${parts.slice(0, index + 1).join('/')}`), {
      throwIfNoEntry: false,
    })?.isSymbolicLink(),
  );
}

function list(root: string, path: string): string[] {
  return readdirSync(encodePath(path === '' ? root : `${root}/${path}`), { encoding: 'buffer' })
    .map(each => decodePath(each))
    .sort();
}

/** Everything below the folder, one line a path: what it is, its permissions and what it holds. */
export function picture(root: string, path = ''): string[] {
  return list(root, path).flatMap(each => {
    const inner = path === '' ? each : `${path}/${each}`;
    const stats = lstatSync(encodePath(`${root}/${inner}`));
    const label = `${JSON.stringify(inner)} ${(stats.mode & 0o7777).toString(8)}`;
    if (stats.isSymbolicLink())
      return [
        `${JSON.stringify(inner)} -> ${JSON.stringify(decodePath(readlinkSync(encodePath(`${root}/${inner}`), 'buffer')))}`,
      ];
    if (stats.isDirectory()) return [`${label} folder`, ...picture(root, inner)];
    return [`${label} ${JSON.stringify(readFileSync(encodePath(`${root}/${inner}`), 'latin1'))}`];
  });
}

/** Gives back the right to delete what is in closed folders. */
export function openUp(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    chmodSync(`${folder}/${entry.name}`, 0o755);
    openUp(`${folder}/${entry.name}`);
  }
}
