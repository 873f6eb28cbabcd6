import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { chmod, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { encodePath, readNames } from './fileName.ts';

/**
 * Removes a file or a whole tree, also where a command took its own rights away (`chmod 000`), as overlayfs itself does
 * in its work directory. Never follows a link. Missing is fine.
 */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    openUp(path);
    rmSync(path, { recursive: true, force: true });
  }
}

/** The same without keeping this thread from anything else. */
export async function removeTreeSlowly(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await openUpSlowly(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function openUpSlowly(path: string): Promise<void> {
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true }))
    if (entry.isDirectory()) await openUpSlowly(join(path, entry.name));
}

function openUp(path: string): void {
  if (!lstatSync(encodePath(path), { throwIfNoEntry: false })?.isDirectory()) return;
  chmodSync(encodePath(path), 0o700);
  for (const name of readNames(path)) openUp(join(path, name));
}
