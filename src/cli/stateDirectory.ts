import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Where the command line keeps what lasts: `$XDG_STATE_HOME/cordon`, by default `~/.local/state/cordon`. A user whose
 * home cannot be written (as in some services) gets a folder of their own below the system's temporary one.
 */
export function stateDirectory(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const named = environment['XDG_STATE_HOME'];
  const wanted = join(
    named !== undefined && isAbsolute(named) ? named : join(homedir(), '.local', 'state'),
    'cordon',
  );
  try {
    mkdirSync(wanted, { recursive: true, mode: 0o700 });
    return wanted;
  } catch {
    const own = join(tmpdir(), `cordon-${process.getuid?.() ?? 0}`);
    mkdirSync(own, { recursive: true, mode: 0o700 });
    const stat = statSync(own);
    // Anybody may make a folder there; one that is not ours is not used.
    if (stat.uid !== process.getuid?.() || (stat.mode & 0o077) !== 0)
      throw new Error(`${own} is not yours alone.`);
    return own;
  }
}

/** The part that belongs to one set of workspace folders: private HOME, sessions. */
export function workspaceDirectory(folders: readonly string[], environment = process.env): string {
  const paths = folders.map(folder => realpathSync(folder)).toSorted();
  const name = createHash('sha256').update(paths.join('\0')).digest('hex').slice(0, 16);
  return join(stateDirectory(environment), 'workspaces', name);
}
