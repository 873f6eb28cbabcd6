import { lstatSync, readFileSync, statSync } from 'node:fs';

/**
 * Settings of a repository that make git's reading commands run a program, read other places, or fetch. A repository
 * can bring them along (an unpacked archive, a bare repository in a sub-folder), so that they are looked for first.
 */
const running: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  {
    pattern: /^core\.fsmonitor=(?!(?:true|false|0|1|no|yes|off|on|)$)/,
    what: 'core.fsmonitor runs a program',
  },
  {
    pattern: /^core\.(?:pager|worktree|attributesfile|excludesfile|sshcommand|alternaterefscommand)=/,
    what: 'a core setting runs a program or leads elsewhere',
  },
  { pattern: /^pager\./, what: 'pager runs a program' },
  { pattern: /^diff\.external=|^diff\..*\.(?:command|textconv)=/, what: 'diff runs a program' },
  { pattern: /^diff\.orderfile=|^blame\.ignorerevsfile=|^mailmap\.file=/, what: 'another file is read' },
  { pattern: /^filter\./, what: 'filter runs a program' },
  { pattern: /^include(?:if\..*)?\.path=/, what: 'include brings in other settings' },
  { pattern: /^(?:gpg|log\.showsignature)/, what: 'signatures are checked by a program' },
  { pattern: /^remote\..*\.promisor=|^extensions\.partialclone=/, what: 'missing objects are fetched' },
  { pattern: /^extensions\.worktreeconfig=(?!false)/, what: 'another settings file counts' },
  { pattern: /^(?:alias|column|interactive|trailer|sequence)\..*=.*[!|]/, what: 'a setting runs a program' },
];

/**
 * Says what in the settings of the repository around a folder would run something, in a few words; undefined when
 * there is no repository or nothing of the kind. What cannot be read counts as something.
 */
export function repositoryHazard(folder: string): string | undefined {
  for (let at = folder; ; at = at.slice(0, at.lastIndexOf('/'))) {
    const directory = gitDirectory(at === '' ? '/' : at);
    if (directory === 'unreadable') return 'its settings cannot be read';
    if (directory !== undefined) return hazardIn(directory);
    if (at === '' || at === '/') return undefined;
  }
}

function gitDirectory(folder: string): string | undefined {
  try {
    const dot = `${folder}/.git`;
    const found = lstatSync(dot, { throwIfNoEntry: false });
    if (found?.isDirectory()) return dot;
    if (found?.isFile()) {
      const target = /^gitdir: (.*)$/m.exec(readFileSync(dot, 'utf8'))?.[1];
      return target === undefined ? 'unreadable' : target.startsWith('/') ? target : `${folder}/${target}`;
    }
    if (found !== undefined) return 'unreadable';
    // A folder that itself looks like a repository is one for git.
    const bare = ['HEAD', 'objects', 'refs'].every(
      name => lstatSync(`${folder}/${name}`, { throwIfNoEntry: false }) !== undefined,
    );
    return bare ? folder : undefined;
  } catch {
    return 'unreadable';
  }
}

function hazardIn(directory: string): string | undefined {
  const common = readIfThere(`${directory}/commondir`)?.trim();
  const main = common === undefined ? directory : common.startsWith('/') ? common : `${directory}/${common}`;
  const settings = readSettings(`${main}/config`);
  if (settings === 'unreadable') return 'its settings cannot be read';
  const hazard = settings.flatMap(setting => running.filter(({ pattern }) => pattern.test(setting)))[0];
  return hazard?.what;
}

const remembered = new Map<string, { readonly stamp: string; readonly settings: readonly string[] }>();

/** The settings as `section.name=value`, section and name in small letters; kept as long as the file does not change. */
function readSettings(path: string): readonly string[] | 'unreadable' {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return [];
    const stamp = `${found.mtimeMs} ${found.ctimeMs} ${found.size} ${found.ino}`;
    const known = remembered.get(path);
    if (known?.stamp === stamp) return known.settings;
    if (found.size > 200_000 || !found.isFile()) return 'unreadable';
    const settings = parseSettings(readFileSync(path, 'utf8'));
    if (remembered.size > 200) remembered.clear();
    remembered.set(path, { stamp, settings });
    return settings;
  } catch {
    return 'unreadable';
  }
}

function parseSettings(text: string): string[] {
  const settings: string[] = [];
  let section = '';
  for (const raw of text.replaceAll(/\\\r?\n/g, '').split('\n')) {
    let line = raw.trim();
    const header = /^\[([^\]"]*?)(?:\s+"((?:[^"\\]|\\.)*)"\s*)?\]/.exec(line);
    if (header) {
      section = header[1]?.toLowerCase() + (header[2] === undefined ? '' : `.${header[2]}`);
      // A setting may follow on the same line.
      line = line.slice(header[0].length).trim();
    }
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const equals = line.indexOf('=');
    const name = (equals < 0 ? line : line.slice(0, equals)).trim().toLowerCase();
    const value =
      equals < 0
        ? 'true'
        : line
            .slice(equals + 1)
            .trim()
            .replaceAll('"', '');
    settings.push(`${section.toLowerCase() === section ? section : section.toLowerCase()}.${name}=${value}`);
  }
  return settings;
}

function readIfThere(path: string): string | undefined {
  try {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
