import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CordonError } from '../src/base/errors.ts';
import { randomId } from '../src/base/ids.ts';
import { bytesOnDisk } from './bytesOnDisk.ts';
import { homesOf } from './facts.ts';
import { isFolder, listed, real } from './look.ts';
import { seatbeltPlace } from './seatbeltFacts.ts';

/**
 * The private HOMEs of a workspace's commands, as there are any: one, and where root works in other users' folders one
 * for each of them. `stateDirectory` as in `SandboxOptions`. Absolute paths.
 */
export function privateHomes(stateDirectory: string): string[] {
  const [home = '/nonexistent'] = homesOf(process.env);
  const place = process.platform === 'darwin' ? seatbeltPlace(stateDirectory, real(home)) : stateDirectory;
  return listed(place)
    .filter(name => /^home(-\d+)?$/.test(name))
    .map(name => join(place, name))
    .filter(isFolder);
}

/** Bytes that they take on disk; undefined when counting took too long. */
export async function privateHomeSize(stateDirectory: string): Promise<number | undefined> {
  const homes = privateHomes(stateDirectory);
  return homes.length === 0 ? 0 : await bytesOnDisk(homes);
}

/**
 * Deletes what is in them: caches, histories, settings of tools. What runs keeps what it has open; the next command
 * finds an empty HOME. Throws `home.notCleared`.
 */
export async function clearPrivateHome(stateDirectory: string): Promise<void> {
  for (const home of privateHomes(stateDirectory)) {
    const { uid, gid } = statSync(home);
    const dropped = `${home}.${randomId()}`;
    renameSync(home, dropped);
    mkdirSync(home, { mode: 0o700 });
    chmodSync(home, 0o700);
    if (process.getuid?.() === 0) chownSync(home, uid, gid);
    try {
      // Programs that go from folder to folder without looking at a path twice: a command that still runs there could
      // put a link in the place of a folder. The first is for folders that a command closed to itself.
      await run('chmod', ['-R', 'u+rwX', '--', dropped]).catch(() => undefined);
      await run('rm', ['-rf', '--', dropped]);
    } catch (cause) {
      throw new CordonError(
        'home.notCleared',
        `Not all of the private home folder could be deleted; the rest lies in ${dropped}.`,
        'No command sees it any more. Delete it yourself.',
        { cause },
      );
    }
  }
}

async function run(program: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)(program, args, { cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } });
}
