// A file system that can clone files, in a file of its own: this machine's own may not be one.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface Disk extends Disposable {
  readonly path: string;
}

/** Mounts one. Undefined, with the reason told, where this user may not, or the tools are not there. */
export function cloneableDisk(): Disk | undefined {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'cordon-disk-')));
  const [image, mounted] = [path.join(root, 'image'), path.join(root, 'disk')];
  const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: 'pipe' });
  mkdirSync(mounted);
  const clean = () => rmSync(root, { recursive: true, force: true });
  try {
    run('truncate', '--size=512M', image);
    run('mkfs.xfs', '-q', '-m', 'reflink=1', image);
    run('mount', '-o', 'loop', image, mounted);
  } catch (error) {
    clean();
    console.warn(`No file system that clones can be mounted here: ${String(error).split('\n', 1).join('')}`);
    return undefined;
  }
  return {
    path: mounted,
    [Symbol.dispose]() {
      run('umount', mounted);
      clean();
    },
  };
}
