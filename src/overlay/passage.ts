import { execa } from 'execa';
import { chmod, chown, mkdir, mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { otherOwner } from '../../sandbox/folderOwner.ts';
import { randomId } from '../base/ids.ts';

/** Where commits lie on their way from the sandbox into a repository. Disposing removes it. */
export interface Passage extends AsyncDisposable {
  /** A file that does not exist yet: what git in the sandbox says is written there by the broker. */
  readonly bundle: string;
  /** A bare repository that does not exist yet, for git as whoever owns the other one. */
  readonly between: string;
  /** The bundle is whole; git may read it now. */
  seal(): Promise<void>;
  /** The bare repository finds there what it need not have itself. */
  borrow(objects: string): Promise<void>;
}

/** `directory` is of the broker's. Where git runs as another user, it is another one, which that user can get to. */
export async function openPassage(repository: string, directory: string): Promise<Passage> {
  const owner = otherOwner([repository]);
  const id = randomId();
  const alternates = 'objects/info/alternates';
  if (owner === undefined) {
    const [bundle, between] = [path.join(directory, `${id}.bundle`), path.join(directory, `${id}.git`)];
    return {
      bundle,
      between,
      seal: async () => undefined,
      borrow: async objects => await writeFile(path.join(between, alternates), `${objects}\n`),
      async [Symbol.asyncDispose]() {
        for (const each of [bundle, between]) await rm(each, { recursive: true, force: true });
      },
    };
  }
  const { uid, gid } = owner;
  const outer = await mkdtemp('/tmp/cordon-commits-');
  // Root's, so that nothing is put in the place of what lies in it.
  await chmod(outer, 0o711);
  const inner = path.join(outer, 'repository');
  await mkdir(inner, { mode: 0o700 });
  await chown(inner, uid, gid);
  const bundle = path.join(outer, 'bundle');
  const between = path.join(inner, `${id}.git`);
  // Root does nothing in a folder in which the other user may put links.
  const asOwner = { uid, gid, cwd: '/', extendEnv: false, env: { PATH: '/usr/bin:/bin' } } as const;
  return {
    bundle,
    between,
    seal: async () => await chown(bundle, uid, gid),
    borrow: async objects =>
      void (await execa('tee', ['--', path.join(between, alternates)], {
        ...asOwner,
        input: `${objects}\n`,
      })),
    async [Symbol.asyncDispose]() {
      await execa('rm', ['-rf', '--', between], asOwner).catch(() => undefined);
      await rm(bundle, { force: true });
      for (const each of [inner, outer]) await rmdir(each).catch(() => undefined);
    },
  };
}
