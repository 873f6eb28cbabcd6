import { lstat, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../base/errors.ts';

/** What the user is asked for, and what may be chosen instead: narrower first. */
export interface FolderOffer {
  /** A folder; the file itself where the folder around it is too wide. */
  readonly folder: string;
  readonly around: readonly string[];
}

/**
 * The smallest sensible grant that opens a path: the repository around it, else the folder that holds it. `path` is
 * free of links as far as it exists. `check` throws for what may not be granted; when nothing may, its words are returned.
 */
export async function offeredFolder(
  file: string,
  check: (folder: string) => string,
): Promise<FolderOffer | string> {
  const nearest = await nearestFolder(file);
  const chain = ancestors(nearest);
  const allowed: string[] = [];
  let why = '';
  for (const folder of chain) {
    const problem = problemOf(folder, check);
    // What is around something too wide is wider still.
    if (problem !== undefined) {
      why = problem;
      break;
    }
    allowed.push(folder);
  }
  const [narrowest] = allowed;
  if (narrowest === undefined) {
    const isFile = (await lstat(file).catch(() => undefined))?.isFile() ?? false;
    const problem = isFile ? problemOf(file, check) : why;
    return problem ?? { folder: file, around: [] };
  }
  const repository = await firstWith(allowed, '.git');
  const folder = repository ?? narrowest;
  const choices = allowed.slice(0, Math.max(mostAround, allowed.indexOf(folder) + 1));
  return { folder, around: choices.filter(each => each !== folder) };
}

/** Folders offered besides. */
const mostAround = 5;

async function nearestFolder(file: string): Promise<string> {
  for (let at = file; ; at = path.dirname(at)) {
    const found = await stat(at).catch(() => undefined);
    if (found?.isDirectory() || at === path.dirname(at)) return at;
  }
}

function ancestors(folder: string): string[] {
  const above = path.dirname(folder);
  return above === folder ? [folder] : [folder, ...ancestors(above)];
}

async function firstWith(folders: readonly string[], name: string): Promise<string | undefined> {
  for (const folder of folders)
    if ((await lstat(path.join(folder, name)).catch(() => undefined)) !== undefined) return folder;
  return undefined;
}

function problemOf(folder: string, check: (folder: string) => string): string | undefined {
  try {
    check(folder);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
