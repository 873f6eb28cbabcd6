// A real overlay for tests: a folder, its copy-on-write view mounted as a session's holder does it (without the
// network, whose making and unmaking is most of the time), and a way to look in.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { refreshView } from '../../../sandbox/holder.ts';
import type { OverlayFolder } from '../../../src/overlay/changeset.ts';
import { removeTree } from '../../../src/base/removeTree.ts';
import { scratch } from './scratch.ts';

export interface LiveOverlay extends AsyncDisposable {
  readonly folder: OverlayFolder;
  /** A folder for whatever the broker keeps: journals, trash, checkpoints. */
  readonly state: string;
  /** Where the merged folder can be read and written, while it is mounted. */
  readonly merged: string;
  /** The process that keeps it mounted. */
  readonly holder: number;
  mount(): Promise<void>;
  unmount(): Promise<void>;
  /** What a session does while its view stays mounted. */
  refresh(): Promise<void>;
}

/** Linux 6.6 and newer keep extended attributes of users in memory, which an upper layer needs. */
function keepsLayersInMemory(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 6);
}

const script = `cd "$1" && mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work,userxattr "$2" &&
cd / && echo ready && exec cat`;

/** Makes a folder by `fill`, and mounts an overlay over it. */
export async function liveOverlay(fill: (lower: string) => void): Promise<LiveOverlay> {
  const root = scratch('real');
  const layers = keepsLayersInMemory()
    ? scratch('layers')
    : mkdtempSync(path.join(tmpdir(), 'cordon-layers-'));
  const [lower, state, control] = [path.join(root, 'real'), path.join(root, 'state'), layers];
  for (const each of [lower, state]) mkdirSync(each);
  fill(lower);
  // What is there when a session begins is older than it, also by a clock that ticks a hundred times a second.
  await wait(15);
  for (const name of ['upper', 'work']) mkdirSync(path.join(control, name));
  symlinkSync(lower, path.join(control, 'lower'));
  let holder: ChildProcess | undefined;
  const overlay = {
    folder: { lower, upper: path.join(control, 'upper') },
    state,
    get merged() {
      if (!holder) throw new Error('not mounted');
      return `/proc/${holder.pid}/root${lower}`;
    },
    get holder() {
      if (!holder?.pid) throw new Error('not mounted');
      return holder.pid;
    },
    async mount() {
      holder = spawn(
        'unshare',
        ['--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh', control, lower],
        {
          stdio: ['pipe', 'pipe', 'inherit'],
        },
      );
      if (!holder.stdout) throw new Error('no pipe');
      await once(holder.stdout, 'data');
    },
    async unmount() {
      if (!holder || holder.exitCode !== null) return;
      const gone = once(holder, 'exit');
      holder.stdin?.end();
      await gone;
      holder = undefined;
    },
    async refresh() {
      await refreshView(overlay.holder, [lower]);
    },
    async [Symbol.asyncDispose]() {
      await overlay.unmount();
      for (const each of [root, layers]) removeTree(each);
    },
  };
  await overlay.mount();
  return overlay;
}
