import { execFileSync } from 'node:child_process';

/**
 * What git is set to inside: who commits, taken from the user's own settings by name; nothing else of them is shown.
 * `ignored` is the file, as it is named inside, of what `git add` passes over. Without `hostHome` nobody is asked.
 * `isRenamed`: the user has another number inside.
 */
export function gitSettings(hostHome: string | undefined, ignored: string, isRenamed = false): string {
  const lines: string[] = [];
  for (const [key, value] of hostHome === undefined ? [] : globalGitSettings(hostHome)) {
    const [section = '', name = ''] = key.split('.');
    lines.push(`[${section}]`, `\t${name} = ${quoted(value)}`);
  }
  // Inside, the workspace may look as if it belonged to somebody else; the walls do not depend on that check.
  lines.push('[core]', `\texcludesFile = ${quoted(ignored)}`);
  // The index remembers who owns each file, and inside that is somebody else: all would look changed.
  if (isRenamed) lines.push('\tcheckStat = minimal');
  lines.push('[safe]', '\tdirectory = *', '[gc]', '\tautoDetach = false');
  return lines.join('\n') + '\n';
}

function globalGitSettings(hostHome: string): [string, string][] {
  const wanted = '^(user\\.(name|email)|init\\.defaultbranch|core\\.autocrlf|pull\\.rebase)$';
  try {
    const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: hostHome, GIT_CONFIG_NOSYSTEM: '1' };
    const out = execFileSync('git', ['config', '--global', '--null', '--get-regexp', wanted], {
      env,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 5_000,
    });
    return out
      .toString('utf8')
      .split('\0')
      .map(entry => entry.split('\n'))
      .flatMap(([key, value, ...more]) =>
        key && value !== undefined && more.length === 0 ? [[key, value]] : [],
      );
  } catch {
    return [];
  }
}

function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
