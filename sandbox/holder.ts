import { execFile, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { CordonError, messageOf } from '../src/base/errors.ts';
import { type FolderOwner, idRanges } from './folderOwner.ts';

/**
 * A process that keeps namespaces alive for a session: a user namespace in which it is root (and outside of which it
 * is nothing), a network of its own with loopback only, and a view of the file system in which folders may be
 * copy-on-write. Commands join it and put up their own walls from there. It ends with the broker: it waits on a pipe
 * that closes with this process, however that ends.
 */
export interface Holder extends AsyncDisposable {
  readonly pid: number;
  /** Program and arguments that join its namespaces as its root; put in front of Bubblewrap. See also `enterAs`. */
  readonly enter: readonly string[];
  readonly lives: () => boolean;
}

/** One folder to make copy-on-write. `control` holds `lower` (a link to the folder), `upper` and `work`. */
export interface OverlayMount {
  readonly control: string;
  readonly folder: string;
  /** Nothing of it is kept: then the kernel need not bring what is written to the disk, nor the whole disk up to date at the end. */
  readonly isDropped?: boolean;
}

/**
 * Makes new namespaces. With `isForOthers` all users of the machine have a name in them, which only root can give: then
 * others than root can be at work there. Rejects with `overlay.unavailable` where the kernel does not let this user
 * mount this.
 */
export async function startHolder(
  bwrap: string,
  mounts: readonly OverlayMount[],
  isForOthers = false,
): Promise<Holder> {
  const nsenter = findNsenter();
  const args = holderArguments(mounts, isForOthers);
  const child = spawn(bwrap, args, {
    ...spawnOptions,
    stdio: [...spawnOptions.stdio, ...(isForOthers ? (['pipe', 'pipe'] as const) : [])],
  });
  const holder = watch(child, nsenter);
  if (isForOthers) {
    holder.catch(() => undefined);
    try {
      await nameEverybody(child);
    } catch (error) {
      child.kill('SIGKILL');
      throw unavailable(`users could not be named in it: ${messageOf(error)}`);
    }
  }
  return await holder;
}

/** Pure. */
export function holderArguments(mounts: readonly OverlayMount[], isForOthers: boolean): string[] {
  return [
    // Root in a namespace of its own, so that it may mount. Bubblewrap brings loopback up.
    ['--unshare-user', '--uid', '0', '--gid', '0', '--cap-add', 'ALL', '--unshare-net'],
    // Bubblewrap can give a name to one user only; it says where it waits for us to do it, and until when.
    isForOthers ? ['--info-fd', '3', '--userns-block-fd', '4'] : [],
    // The machine as it is, devices included; each command gets its walls afterwards.
    ['--dev-bind', '/', '/'],
    // A place of its own in which root can show others what they do not get to: see ways.ts.
    isForOthers ? ['--perms', '0711', '--size', String(2 ** 20), '--tmpfs', waysFolder] : [],
    ['--die-with-parent', '--'],
    ['/bin/sh', '-c', script, 'holder', ...mounts.flatMap(mountWords)],
  ].flat();
}

/** There everywhere, shown to no command, and never part of a workspace. Only the holder and what joins it see ours. */
export const waysFolder = '/sys/kernel';

/** Everybody keeps their number. Does nothing when the holder has ended. */
async function nameEverybody(child: ChildProcess): Promise<void> {
  const pid = await pidFrom(child.stdio[3] as Readable);
  if (pid === undefined) return;
  for (const kind of ['uid', 'gid'] as const) {
    const lines = idRanges(kind).map(({ first, count }) => `${first} ${first} ${count}\n`);
    try {
      // The kernel takes it in one piece, once.
      writeFileSync(`/proc/${pid}/${kind}_map`, lines.join(''));
    } catch (error) {
      // It waits, and would outlive the one that we started.
      process.kill(pid, 'SIGKILL');
      throw error;
    }
  }
  const go = child.stdio[4] as Writable;
  go.on('error', () => undefined);
  go.end('go');
}

function pidFrom(info: Readable): Promise<number | undefined> {
  return new Promise(resolve => {
    let text = '';
    info.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      const pid = /"child-pid": (\d+)\D/.exec(text)?.[1];
      if (pid !== undefined) resolve(Number(pid));
    });
    info.once('close', () => resolve(undefined));
    info.once('error', () => resolve(undefined));
  });
}

/** From what joins a holder as its root: what joins it as this user, who has no other groups and no privileges. Pure. */
export function enterAs(enter: readonly string[], { uid, gid }: Pick<FolderOwner, 'uid' | 'gid'>): string[] {
  const asRoot = enter.lastIndexOf('--preserve-credentials');
  if (asRoot === -1) throw new Error('There is no holder to join.');
  return [...enter.slice(0, asRoot), '--setuid', String(uid), '--setgid', String(gid), '--'];
}

/** Another keeper for the namespaces of a process that is in them. */
export function joinHolder(pid: number): Promise<Holder> {
  const nsenter = findNsenter();
  const [program = '', ...args] = enterCommand(nsenter, pid);
  return watch(spawn(program, [...args, '/bin/sh', '-c', script, 'joined'], spawnOptions), nsenter);
}

/**
 * Lets what changed below or above a mounted view be seen in it: the kernel forgets what it knew of names and files,
 * save for those that a process has open. `pid` is in the holder's namespaces; about 2 ms. Throws `overlay.refresh`.
 */
export async function refreshView(pid: number, folders: readonly string[]): Promise<void> {
  const nsenter = findNsenter();
  const enter = ['--target', String(pid), '--user', '--mount', '--preserve-credentials', '--'];
  for (const folder of folders) {
    try {
      await execute(nsenter, [...enter, 'mount', '-o', 'remount', folder], {
        cwd: '/',
        env: environment,
        timeout: 10_000,
      });
    } catch (cause) {
      throw new CordonError(
        'overlay.refresh',
        `The copy-on-write view of ${folder} could not be brought up to date.`,
        'Open the conversation anew: what it changed is kept.',
        { cause },
      );
    }
  }
}

const execute = promisify(execFile);

// Paths with commas, colons or blanks never become part of a mount option: they are reached through the links in the
// control folder. `$$` is the process number as the host counts: process numbers are not the holder's own.
const script = `
set -e
while [ $# -gt 0 ]; do
  cd "$1"
  mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work,userxattr"$3" "$2"
  shift 3
done
cd /
# What is mounted here from now on is mounted for the commands that run, too: see lateSecrets.ts.
[ "$0" = joined ] || mount --make-rshared /
echo "holding $$"
exec cat > /dev/null
`;

function mountWords({ control, folder, isDropped }: OverlayMount): string[] {
  return [control, folder, isDropped === true ? ',volatile' : ''];
}

const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/** Not in our process group: what a terminal sends to that must not end the view. */
const spawnOptions = {
  cwd: '/',
  env: environment,
  detached: true,
  stdio: ['pipe', 'pipe', 'pipe'],
} satisfies SpawnOptions;

function enterCommand(nsenter: string, pid: number): string[] {
  return [nsenter, '--target', String(pid), '--user', '--mount', '--net', '--preserve-credentials', '--'];
}

/** Absolute path of nsenter(1). Throws `overlay.unavailable` where there is none. */
export function findNsenter(): string {
  const nsenter = ['/usr/bin/nsenter', '/bin/nsenter', '/usr/sbin/nsenter'].find(path => existsSync(path));
  if (nsenter === undefined) throw unavailable('nsenter (package util-linux) is not installed');
  return nsenter;
}

async function watch(child: ChildProcess, nsenter: string): Promise<Holder> {
  const gone = new Promise<void>(resolve => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  child.stdin?.on('error', () => undefined);
  const complaint = collect(child.stderr);
  const pid = await Promise.race([holdingPid(child.stdout), gone.then(() => undefined)]);
  if (pid === undefined) {
    child.kill('SIGKILL');
    throw unavailable(await complaint());
  }
  return {
    pid,
    enter: enterCommand(nsenter, pid),
    lives: () => child.exitCode === null && child.signalCode === null,
    async [Symbol.asyncDispose]() {
      child.stdin?.end();
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function holdingPid(stdout: Readable | null): Promise<number | undefined> {
  return new Promise(resolve => {
    let text = '';
    stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      const pid = /^holding (\d+)$/m.exec(text)?.[1];
      if (pid !== undefined) resolve(Number(pid));
    });
    stdout?.once('close', () => resolve(undefined));
  });
}

function collect(stream: Readable | null): () => Promise<string> {
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = new Promise<void>(resolve => stream?.once('close', () => resolve()));
  return async () => {
    await closed;
    return Buffer.concat(chunks).toString('utf8').trim().slice(0, 1_000);
  };
}

function unavailable(why: string): CordonError {
  return new CordonError(
    'overlay.unavailable',
    `A copy-on-write view of the workspace is not to be had here (${why}).`,
    'Cordon needs Linux 5.11 or newer, and a state directory on a file system such as ext4, XFS or btrfs.',
  );
}
