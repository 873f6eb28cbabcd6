import { isAbsolute } from 'node:path';
import { execa } from 'execa';
import { isInside } from '../../sandbox/inside.ts';
import { real } from '../../sandbox/look.ts';
import { otherOwner } from '../../sandbox/folderOwner.ts';

/**
 * Runs git on a repository of the user's or of the broker's, outside of every sandbox: no hooks, no watcher, no
 * transport but local folders, no prompt, none of the caller's variables. Never for a repository that the agent can
 * write. Root runs it as whom the repository belongs to: a repository tells git what to run. Rejects when git fails.
 */
export function hostGit(repository: string, args: readonly string[], signal?: AbortSignal) {
  const settings = [
    'core.hooksPath=/dev/null',
    'core.fsmonitor=false',
    'fetch.fsckObjects=true',
    'transfer.fsckObjects=true',
    'protocol.allow=never',
    'protocol.file.allow=always',
    'log.showSignature=false',
  ];
  const { HOME = '/nonexistent', XDG_CONFIG_HOME } = process.env;
  const PATH = pathOutside(repository, process.env['PATH'] ?? '/usr/bin:/bin');
  const owner = otherOwner([repository]);
  const own = { HOME, ...(XDG_CONFIG_HOME === undefined ? {} : { XDG_CONFIG_HOME }) };
  return execa('git', [...settings.flatMap(each => ['-c', each]), ...args], {
    cwd: repository,
    ...(owner === undefined ? {} : { uid: owner.uid, gid: owner.gid }),
    env: {
      PATH,
      // Root's own settings are closed to others.
      ...(owner === undefined ? own : { HOME: '/nonexistent' }),
      LC_ALL: 'C',
      GIT_TERMINAL_PROMPT: '0',
      GIT_NO_LAZY_FETCH: '1',
    },
    extendEnv: false,
    stdin: 'ignore',
    maxBuffer: 64 * 1024 * 1024,
    ...(signal ? { cancelSignal: signal } : {}),
  });
}

/** Without what is relative to wherever git runs, or lies in the repository's own folder: files of the agent's, perhaps. */
function pathOutside(repository: string, path: string): string {
  return path
    .split(':')
    .filter(entry => isAbsolute(entry) && !isInside(real(entry), real(repository)))
    .join(':');
}

/** Names of commits that the user's repository has: of its branches, and of what is checked out. */
export async function knownCommits(repository: string, signal?: AbortSignal): Promise<string[]> {
  const branches = ['for-each-ref', '--format=%(objectname)', '--count=200', 'refs/heads'];
  const head = ['rev-parse', '--verify', '--quiet', '--end-of-options', 'HEAD^{commit}'];
  const texts = await Promise.all(
    [branches, head].map(args =>
      hostGit(repository, args, signal).then(
        ({ stdout }) => stdout,
        () => '',
      ),
    ),
  );
  return [...new Set(texts.join('\n').split('\n'))].filter(isObjectName);
}

export function isObjectName(text: string): boolean {
  return /^[0-9a-f]{40,64}$/.test(text);
}
