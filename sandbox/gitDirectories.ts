import { lstatSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { exists, isFolder, real } from './look.ts';
import { isInside } from './inside.ts';

/**
 * Repositories that a workspace folder belongs to but does not hold: of the repository around a sub-folder, and of
 * the one behind a worktree or a submodule. Absolute real paths of `.git` directories outside of the folder.
 *
 * A `.git` file is the repository's own word, so it could name any folder of the user's. It is believed only where
 * the place it names points back, as git itself writes it. A `.git` that is a link is not believed at all: it could
 * lead to credentials as well.
 */
export function outsideGitDirectories(folder: string, home: string): string[] {
  const dotGit = findDotGit(folder, home);
  if (dotGit === undefined) return [];
  const stat = lstatSync(dotGit, { throwIfNoEntry: false });
  const directories = stat?.isDirectory()
    ? [dotGit].filter(isRepository)
    : stat?.isFile()
      ? linkedDirectories(dotGit)
      : [];
  return [...new Set(directories.map(real))].filter(each => !isInside(each, folder));
}

/** The nearest `.git` at or above the folder; never HOME's own repository, which holds everything. */
function findDotGit(folder: string, home: string): string | undefined {
  for (let at = folder; at !== dirname(at) && !isInside(home, at); at = dirname(at)) {
    const candidate = join(at, '.git');
    if (exists(candidate)) return candidate;
  }
  return undefined;
}

function linkedDirectories(dotGit: string): string[] {
  const named = /^gitdir: (.+)$/m.exec(text(dotGit))?.[1];
  if (named === undefined) return [];
  const directory = isAbsolute(named) ? named : resolve(dirname(dotGit), named);
  if (!isFolder(directory) || !exists(join(directory, 'HEAD'))) return [];

  // A worktree: `<common>/worktrees/<name>` holds `gitdir`, the path of this very `.git` file.
  const back = text(join(directory, 'gitdir')).trim();
  if (back !== '') {
    if (real(isAbsolute(back) ? back : resolve(directory, back)) !== real(dotGit)) return [];
    const common = resolve(directory, text(join(directory, 'commondir')).trim() || '.');
    return isRepository(common) && isInside(real(directory), real(common)) ? [common] : [];
  }

  // A submodule: the configuration of `<super>/.git/modules/<name>` names this worktree.
  const worktree = /^\s*worktree\s*=\s*(.+?)\s*$/m.exec(text(join(directory, 'config')))?.[1];
  if (worktree === undefined || !isRepository(directory)) return [];
  return real(resolve(directory, worktree)) === real(dirname(dotGit)) ? [directory] : [];
}

function isRepository(path: string): boolean {
  return ['HEAD', 'objects', 'refs'].every(name => exists(join(path, name)));
}

function text(path: string): string {
  try {
    return statSync(path).size > 1_000_000 ? '' : readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
