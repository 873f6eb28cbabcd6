import { execFileSync } from 'node:child_process';
import { readFileSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { real, statOf } from './look.ts';

/** The user whose folder this is, where that is somebody else than root, who runs Cordon. */
export interface FolderOwner {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

/** Whom the processes behind the walls are, on disk. */
export type Ownership =
  /** Whoever runs Cordon. */
  | { readonly kind: 'own' }
  /** Root runs Cordon, in folders of this other user: what runs in them runs as that user. */
  | { readonly kind: 'other'; readonly owner: FolderOwner }
  /** The same, but it cannot be; commands run as root's nobody and cannot change what is others'. `why`: whole sentences. */
  | { readonly kind: 'unclear'; readonly why: string };

/** Looks at the folders as they are now; what is not there is nobody's. An ordinary user's processes are always that user's. */
export function ownershipOf(folders: readonly string[]): Ownership {
  if (process.geteuid?.() !== 0) return { kind: 'own' };
  const found = folders.flatMap(folder => {
    const stat = statOf(folder);
    return stat === undefined ? [] : [{ folder, stat }];
  });
  const other = found.find(({ stat }) => stat.uid !== 0);
  if (other === undefined) return { kind: 'own' };
  const { folder, stat } = other;
  const third = found.find(each => each.stat.uid !== stat.uid);
  if (third !== undefined)
    return unclear(
      `${folder} belongs to the user with the number ${stat.uid}, and ${third.folder} to the one with the number ${third.stat.uid}; commands cannot run as both.`,
    );
  if (!isKnown('uid', stat.uid)) return unclear(`${folder} belongs to a user who is not known here.`);
  const owner = { uid: stat.uid, ...namesOf(stat) };
  const closed = folders.find(each => wayTo(each, owner) === 'closed');
  if (closed !== undefined) return unclear(`The owner of ${closed} may not enter the folders around it.`);
  return { kind: 'other', owner };
}

/**
 * What commands cannot do in these folders, or in those that may be written `besides`, because of whom they belong to,
 * in whole sentences; undefined where there is nothing to say.
 */
export function ownershipNote(
  folders: readonly string[],
  backend: 'bubblewrap' | 'podman',
  besides: readonly string[] = [],
): string | undefined {
  const ownership = ownershipOf(folders);
  if (ownership.kind === 'own') return undefined;
  if (ownership.kind === 'unclear') return `${ownership.why} ${cannotChange}`;
  const { name, uid } = ownership.owner;
  const other = besides.find(folder => statOf(folder)?.uid !== uid);
  if (other !== undefined)
    return `${other} does not belong to ${name}, who owns the workspace and as whom commands run: they can change there what ${name} may.`;
  return backend === 'podman'
    ? `${folders.join(', ')} belongs to ${name} (number ${uid}), and Podman, started by root, runs commands as nobody else. ${cannotChange}`
    : undefined;
}

const cannotChange = 'So commands in the sandbox cannot change what is not root’s.';

/** The owner as whom commands run; undefined where they run as whoever runs Cordon. */
export function otherOwner(folders: readonly string[]): FolderOwner | undefined {
  const ownership = ownershipOf(folders);
  return ownership.kind === 'other' ? ownership.owner : undefined;
}

/**
 * How the owner gets to a path: `open` by itself; `shown` when root has to show it, because it lies in folders that are
 * closed and root's alone; `closed` when a folder on the way is somebody's who could lead root astray.
 */
export function wayTo(path: string, owner: Pick<FolderOwner, 'uid' | 'gid'>): 'open' | 'shown' | 'closed' {
  const target = real(path);
  const isOpen = (folder: string) => {
    const stat = statOf(folder);
    return stat !== undefined && may(enter, stat, owner);
  };
  if ([path, target].every(each => foldersTo(each).every(isOpen))) return 'open';
  return foldersTo(target).every(isRootsAlone) ? 'shown' : 'closed';
}

/** Whether the owner, once there, may enter a folder or read a file. */
export function mayUse(path: string, owner: Pick<FolderOwner, 'uid' | 'gid'>): boolean {
  const stat = statOf(path);
  return stat !== undefined && may(stat.isDirectory() ? enter : read, stat, owner);
}

const [read, enter] = [4, 1];

/** By permissions alone. */
function may(
  what: number,
  stat: Pick<Stats, 'uid' | 'gid' | 'mode'>,
  { uid, gid }: Pick<FolderOwner, 'uid' | 'gid'>,
): boolean {
  const place = stat.uid === uid ? 0o100 : stat.gid === gid ? 0o010 : 0o001;
  return (stat.mode & (what * place)) !== 0;
}

function foldersTo(path: string): string[] {
  const folders: string[] = [];
  for (let at = dirname(path); ; at = dirname(at)) {
    folders.unshift(at);
    if (at === dirname(at)) return folders;
  }
}

/** Whether nobody else can put anything in the place of what lies in the folder. */
export function isRootsAlone(folder: string): boolean {
  const stat = statOf(folder);
  if (stat?.uid !== 0) return false;
  const isSticky = (stat.mode & 0o1000) !== 0;
  return (stat.mode & 0o022) === 0 || isSticky;
}

/** The name and main group of a user. One without an entry gets the folder's group, if that is not root's. */
function namesOf({ uid, gid }: Stats): { gid: number; name: string } {
  const group = Number(asked('--group', uid));
  const fallback = gid === 0 ? uid : gid;
  return {
    gid: Number.isInteger(group) && group > 0 && isKnown('gid', group) ? group : fallback,
    name: asked('--user', uid)?.replaceAll(/[:\n]/g, '') || 'user',
  };
}

function asked(what: '--group' | '--user', uid: number): string | undefined {
  const args = what === '--user' ? ['--user', '--name'] : [what];
  try {
    return execFileSync('id', [...args, '--', String(uid)], {
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 5_000,
    })
      .toString('utf8')
      .trim();
  } catch {
    return undefined;
  }
}

/** What the kernel has no name for here shows as one overflow number, which is nobody's. */
function isKnown(kind: 'uid' | 'gid', id: number): boolean {
  if (id === Number(text(`/proc/sys/kernel/overflow${kind}`))) return false;
  return idRanges(kind).some(({ first, count }) => id >= first && id < first + count);
}

/** The user or group numbers that there are in the user namespace of this process. */
export function idRanges(kind: 'uid' | 'gid'): { readonly first: number; readonly count: number }[] {
  return text(`/proc/self/${kind}_map`)
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => {
      const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
      return { first, count };
    });
}

function text(path: string): string {
  return readFileSync(path, 'utf8');
}

function unclear(why: string): Ownership {
  return { kind: 'unclear', why };
}
