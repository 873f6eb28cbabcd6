import { posix } from 'node:path';
import { denying } from '../finding.ts';
import { resolvePath } from '../paths/resolve.ts';
import type { Boundary } from '../paths/boundary.ts';
import { baseName } from './baseName.ts';
import type { DenyCheck } from './denied.ts';

/** Folders without which the machine does not run. */
const essential =
  /^\/(?:|bin|boot|dev|etc|lib(?:32|64|x32)?|proc|root|run|sbin|srv|sys|usr(?:\/(?:bin|lib(?:32|64)?|sbin|share|local))?|var(?:\/lib)?|opt|home|Users|System|Library|Applications|private|Volumes|mnt|media|nix|snap)$/;

/** Removing, emptying, moving away or giving away `/`, a home folder, or a folder of the system. */
export const removal: DenyCheck = (words, { command, context }) => {
  const [name = '', ...rest] = words;
  const tool = baseName(name);
  const targets = targetsOf(tool, rest);
  for (const target of targets) {
    const hit = vital(target, command.folders ?? ['/'], context.boundary);
    if (hit !== undefined)
      return denying('denied.removal', `This would destroy ${hit}: ${target}`, command.span);
  }
  return undefined;
};

function targetsOf(tool: string, rest: readonly string[]): readonly string[] {
  const operands = rest.filter(word => !word.startsWith('-') || word === '-');
  const afterDashes = rest.includes('--') ? rest.slice(rest.indexOf('--') + 1) : [];
  const options = rest.filter(word => word.startsWith('-'));
  const recursive = options.some(option => /^-[a-zA-Z]*[rR]/.test(option) || option.startsWith('--rec'));
  switch (tool) {
    case 'rm':
    case 'srm':
    case 'unlink':
    case 'rmdir':
    case 'shred':
    case 'trash':
    case 'trash-put':
    case 'rimraf':
    case 'del':
    case 'wipe':
      return [...operands, ...afterDashes];
    case 'mv':
      return operands.slice(0, -1);
    case 'chmod':
    case 'chown':
    case 'chgrp':
    case 'setfacl':
    case 'chattr':
      return recursive ? operands.slice(1) : [];
    case 'find':
    case 'fd':
      return rest.some(word => /^-(?:delete|x|X)$|^--exec/.test(word)) || runsRemoval(rest)
        ? pathsOfFind(rest)
        : [];
    case 'rsync':
      return options.some(option => option.startsWith('--del')) ? operands.slice(-1) : [];
    case 'npx':
    case 'bunx':
    case 'pnpx':
      return /^(?:rimraf|del-cli|rm-cli|trash-cli|shx)$/.test(operands[0] ?? '') ? operands.slice(1) : [];
    case 'rd':
    case 'perl':
    case 'git':
      return [];
    case 'truncate':
      return operands;
    case 'tar':
      return options.some(option => /remove-files/.test(option)) ? operands : [];
    default:
      return [];
  }
}

function runsRemoval(rest: readonly string[]): boolean {
  const at = rest.findIndex(word => /^-(?:exec|execdir|ok|okdir)$/.test(word));
  return (
    at >= 0 &&
    rest
      .slice(at + 1)
      .some(
        word =>
          /^(?:rm|unlink|shred|rmdir|srm|truncate|dd|chmod|chown|mv)$/.test(baseName(word)) ||
          /\b(?:rm|shred|unlink)\b/.test(word),
      )
  );
}

/** Where find starts; a test for names below narrows what goes, unless it takes everything. */
function pathsOfFind(rest: readonly string[]): readonly string[] {
  const starts: string[] = [];
  for (const word of rest) {
    if (/^-[HLP]$/.test(word)) continue;
    if (/^[-(!]/.test(word)) break;
    starts.push(word);
  }
  return starts.length > 0 ? starts : ['.'];
}

/** Says which vital thing a removed path is, or holds; undefined when none. */
function vital(target: string, folders: readonly string[], boundary: Boundary): string | undefined {
  for (const folder of folders) {
    const path = landing(target, folder, boundary);
    if (path === undefined) continue;
    if (essential.test(path)) return path === '/' ? 'the whole file system' : 'a folder of the system';
    if (
      path === boundary.home ||
      path === boundary.realHome ||
      /^\/(?:home|Users)\/[^/]+$/.test(path) ||
      path === '/var/root'
    )
      return 'a home folder';
    if (boundary.realHome.startsWith(`${path}/`) || boundary.home.startsWith(`${path}/`))
      return 'the folder that holds the home folder';
  }
  return undefined;
}

/** The folder that would be emptied or removed: `X/*`, `X/.`, `X/{*,.*}` all stand for X. */
function landing(target: string, folder: string, boundary: Boundary): string | undefined {
  let path = target.replace(/^~(?=\/|$)/, boundary.home);
  if (/^~[\w-]+\/?\*?$/.test(path)) return '/root';
  const everything =
    /(?:^|\/)(?:\*|\.\*|\*\.\*|\.\[[^\]]*\]\*|\.\?\?\*|\{[*.,]+\}|\[[^\]]*\]\*|\?\*|\*\*)\/?$/;
  while (everything.test(path)) {
    path = path.replace(everything, match => (match.startsWith('/') ? '/' : '.'));
    if (path === '') path = '.';
  }
  // A wildcard in the middle that can stand for any folder of the root or of the homes.
  if (/^\/+[^/]*[*?[][^/]*$/.test(path)) return '/';
  if (/^\/(?:home|Users)\/+[^/]*[*?[]/.test(path)) return '/home';
  if (/[*?[]/.test(path)) return undefined;
  return resolvePath(path.startsWith('/') ? '/' : folder, path) ?? posix.resolve(folder, path);
}
