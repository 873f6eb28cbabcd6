import { execFile } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { promisify } from 'node:util';
import { isInside } from './inside.ts';
import type { CopyOnWriteView } from './sandbox.ts';

/**
 * Those of the paths at which a copy-on-write view has an ordinary file, with no link on the way to it. `paths` are
 * files of the user's own folders: a command may have removed them from its view, or a folder around them, or put a
 * link in its place, and a mount would then make such a file wherever that leads.
 */
export async function shownInView(
  paths: readonly string[],
  view: CopyOnWriteView | undefined,
): Promise<readonly string[]> {
  // A clone is looked at itself.
  if (view?.holder === undefined) return paths;
  const shown: string[] = [];
  for (const path of paths) {
    const folder = view.folders.find(each => isInside(path, each));
    if (folder === undefined) shown.push(path);
    else if (await isFile(waysTo(path, folder), view)) shown.push(path);
  }
  return shown;
}

/** The path and all folders on the way to it from `folder`, outermost first. */
export function waysTo(path: string, folder: string): string[] {
  const names = path.slice(folder.length + 1).split('/');
  return names.map((_, at) => `${folder}/${names.slice(0, at + 1).join('/')}`);
}

async function isFile(ways: readonly string[], view: CopyOnWriteView): Promise<boolean> {
  try {
    return ways.every((way, at) => {
      const stat = lstatSync(`/proc/${view.holder}/root${way}`, { throwIfNoEntry: false });
      return at + 1 < ways.length ? stat?.isDirectory() : stat?.isFile();
    });
  } catch {
    // A command took the right to enter a folder away, and may give it back. The holder may enter it.
    return await isFileToHolder(ways, view);
  }
}

async function isFileToHolder(ways: readonly string[], { enter }: CopyOnWriteView): Promise<boolean> {
  const [program = '', ...args] = [...(enter ?? []), 'stat', '--format=%F', '--', ...ways];
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
  // It fails when one of them is not there, and says what the others are.
  const { stdout } = await promisify(execFile)(program, args, { env, cwd: '/' }).catch(missing);
  const kinds = stdout.split('\n').slice(0, -1);
  return (
    kinds.length === ways.length &&
    kinds.every((kind, at) =>
      at + 1 < ways.length ? kind === 'directory' : /^regular (empty )?file$/.test(kind),
    )
  );
}

/** Only "there is no such file" is an answer. Whatever else went wrong, nothing is known, and nothing may start. */
function missing(error: unknown): { stdout: string } {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  const isAnswer = said
    .split('\n')
    .every(line => /^stat: .*: (No such file or directory|Not a directory)$/.test(line));
  if (isAnswer) return { stdout: '' };
  throw error;
}
