import type { ProtectionRule } from './protectedPaths.ts';

// Patterns of names, from our tables into Seatbelt's regular expressions. Those know no flags, so that each letter is
// written in both cases: macOS finds `.ENV` under the name `.env`. Without backslashes or quotation marks they need no
// escaping in a profile. All begin after the path of a folder and concern it at any depth.

/** For a file name. Throws for what Seatbelt's expressions may not know: tables are checked when they are loaded. */
export function namePattern(name: RegExp): string {
  const source = name.source;
  const isFromStart = source.startsWith('^');
  const isToEnd = source.endsWith('$') && !source.endsWith('\\$');
  const body = source.slice(isFromStart ? 1 : 0, isToEnd ? -1 : undefined);
  return `${anywhere}${isFromStart ? '' : '[^/]*'}${translated(body)}${isToEnd ? '' : '[^/]*'}$`;
}

/** For a protected path and what lies in it, also in the repositories of submodules. */
export function protectionPattern({ path }: Pick<ProtectionRule, 'path'>): string {
  const [first = '', ...rest] = path.split('/');
  const start = first.startsWith('*') ? `[^/]*${plain(first.slice(1))}` : plain(first);
  const modules = first === '.git' ? `(${plain('/modules')}/.*)?` : '';
  return `${anywhere}${start}${modules}${rest.map(name => '/' + plain(name)).join('')}(/.*)?$`;
}

/** For a folder with this name itself, not for what lies in it. */
export function folderPattern(name: string): string {
  return `${anywhere}${plain(name)}$`;
}

/** For a path from the folder on and all that lies in it, at this one place. */
export function placePattern(path: string): string {
  return `/${plain(path)}(/.*)?$`;
}

/** For all that lies in a folder with this name, not for the folder itself. */
export function contentPattern(folder: string): string {
  return `${anywhere}${plain(folder)}/.+$`;
}

const anywhere = '/(.*/)?';

/** The text itself, in either case. */
function plain(text: string): string {
  return text.replaceAll(/[^]/g, either);
}

function either(character: string): string {
  if (/^[a-z]$/i.test(character)) return `[${character.toLowerCase()}${character.toUpperCase()}]`;
  if (/^[\w /-]$/.test(character)) return character;
  if (character === '.') return '[.]';
  throw new Error(`Seatbelt pattern: ${JSON.stringify(character)} is not known to be safe in a profile`);
}

function translated(source: string): string {
  let result = '';
  for (const [token] of source.matchAll(/\\.|\[[^\]\\]+\]|[^]/g)) {
    if (token === '\\.') result += '[.]';
    else if (/^\[[a-z0-9_-]+\]$/.test(token)) result += token.replace('a-z', 'a-zA-Z');
    else if (/^[()|+*?]$/.test(token)) result += token;
    else result += either(token.length === 1 && /[\w-]/.test(token) ? token : `\0${token}`);
  }
  return result;
}
