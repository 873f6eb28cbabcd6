import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { randomId } from '../src/base/ids.ts';
import { removeTree } from '../src/base/removeTree.ts';
import { gitSettings } from './gitSettings.ts';
import { ignoredSecrets } from './secretFiles.ts';
import { startTime } from './processTree.ts';
import { closeSettings, openSettings, type KeptSettings } from './keptSettings.ts';

/** What the sandbox keeps on the host, below the state directory of this workspace. */
export interface StateFiles {
  /** HOME inside. Lasts, so that caches live. */
  readonly home: string;
  /** /tmp inside: one for all commands of a session. */
  readonly temporary: string;
  /** Whether /tmp is gone with the session. */
  readonly dropsTemporary: boolean;
  /** A file that nobody may read: laid over what is hidden. */
  readonly hiddenFile: string;
  /** An empty folder: laid over hidden folders and over paths that must not come to be. */
  readonly emptyFolder: string;
  /** What is shown as /etc: this session's alone. */
  readonly settings: KeptSettings;
}

/**
 * Makes them (idempotent but for `temporary` and `settings`, which are new each time) and sweeps what dead sessions
 * left. `system` are the directories that the sandbox shows.
 */
export function prepareStateFiles(
  directory: string,
  user: { uid: number; gid: number; name: string },
  hostHome: string,
  system: readonly string[],
  keptTemporary?: string,
  /** Whom the commands are on disk, where that is somebody else than us. */
  owner?: { uid: number; gid: number },
): StateFiles {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  sweepTemporary(directory);
  // What another user's commands left in one would be out of reach for this one's.
  const home = join(directory, owner === undefined ? 'home' : `home-${owner.uid}`);
  const emptyFolder = join(directory, 'empty');
  for (const folder of [home, emptyFolder]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(emptyFolder, 0o555);
  // It lasts: a command that took its own rights away must not keep later ones from it.
  chmodSync(home, 0o700);

  const hiddenFile = join(directory, 'hidden');
  put(hiddenFile, '', 0o000);
  const made = {
    passwd:
      `root:x:0:0:root:/root:/usr/sbin/nologin\n` +
      `${user.name}:x:${user.uid}:${user.gid}:${user.name}:${homeInside}:/bin/bash\n` +
      `nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`,
    group: `root:x:0:\n${user.name}:x:${user.gid}:\nnogroup:x:65534:\n`,
    hosts: `127.0.0.1 localhost ${hostNameInside}\n::1 localhost ip6-localhost ip6-loopback\n`,
    hostname: `${hostNameInside}\n`,
    gitconfig: gitSettings(
      hostHome,
      '/etc/cordon-gitignore',
      user.uid !== (owner?.uid ?? process.getuid?.()),
    ),
    'cordon-gitignore': ignoredSecrets,
  };
  const own = `${process.pid}-${startTime(process.pid) ?? 0}-`;
  const temporary = keptTemporary ?? mkdtempSync(join(directory, `tmp-${own}`));
  chmodSync(temporary, 0o1777);
  if (owner !== undefined) for (const folder of [home, temporary]) chownSync(folder, owner.uid, owner.gid);
  return {
    home,
    temporary,
    dropsTemporary: keptTemporary === undefined,
    hiddenFile,
    emptyFolder,
    settings: openSettings(directory, own, made, system),
  };
}

/** Where HOME is inside: never the real one, so that no tool's files lie in a folder that commands can rearrange. */
export const homeInside = '/run/cordon/home';

export const hostNameInside = 'cordon';

/** Gives up the session's /tmp and /etc. What cannot be removed is left to the next sweep. */
export function removeTemporary(state: StateFiles): void {
  const steps = [
    () => closeSettings(state.settings),
    () => (state.dropsTemporary ? removeTree(state.temporary) : undefined),
  ];
  for (const step of steps) {
    try {
      step();
    } catch {
      // It costs space, nothing more; what the command said and how it ended must not be lost over it.
    }
  }
}

function sweepTemporary(directory: string): void {
  for (const name of readdirSync(directory)) {
    const [, pid, started] = /^(?:tmp|pipes|etc)-(\d+)-(\d+)-/.exec(name) ?? [];
    if (pid === undefined || String(startTime(Number(pid)) ?? 'gone') === started) continue;
    try {
      removeTree(join(directory, name));
    } catch {
      // It costs space, nothing more.
    }
  }
}

/** Two windows may do this at once: each writes a file of its own and renames it. */
function put(path: string, content: string, mode: number): void {
  const temporary = `${path}.${randomId()}`;
  writeFileSync(temporary, content, { mode: 0o600, flag: 'wx' });
  chmodSync(temporary, mode);
  renameSync(temporary, path);
}
