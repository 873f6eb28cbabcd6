import { readdirSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { isCredentialName } from './credentials.ts';

/** A path whose components are literal text or patterns, as split from a word. */
export type PathPattern = readonly { readonly text: string; readonly pattern: RegExp | undefined }[];

/** Directory entries looked at before a pattern counts as too wide to follow. */
const maxEntries = 4_000;

/**
 * Turns text and glob parts into components. Undefined when a part is not followed (a bracket with a slash or a
 * character class). Quoted stars are text and stay text.
 */
export function pathPattern(
  parts: readonly { readonly glob: boolean; readonly text: string }[],
): PathPattern | undefined {
  const components: { text: string; source: string; glob: boolean }[] = [
    { text: '', source: '', glob: false },
  ];
  for (const part of parts) {
    if (part.glob) {
      const source = globSource(part.text);
      const last = components.at(-1);
      if (source === undefined || last === undefined) return undefined;
      last.text += part.text;
      last.source += source;
      last.glob = true;
      continue;
    }
    part.text.split('/').forEach((text, index) => {
      if (index > 0) components.push({ text: '', source: '', glob: false });
      const last = components.at(-1);
      if (last === undefined) return;
      last.text += text;
      last.source += text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
    });
  }
  return components.map(({ text, source, glob }) => ({
    text,
    pattern: glob ? new RegExp(`^(?:${source})$`, 's') : undefined,
  }));
}

/** A single glob such as `*.ts`, as tools take it for file names; undefined when it is not followed. */
export function namePattern(glob: string): RegExp | undefined {
  const source = globSource(glob);
  return source === undefined ? undefined : new RegExp(`^(?:${source})$`, 's');
}

/** True when a pattern for one component is written so that it picks out credentials (a bare `*` does not). */
export function aimsAtCredentials(pattern: RegExp): boolean {
  const broad = pattern.test('x7q') && pattern.test('q9.x7');
  return !broad && samples.some(name => pattern.test(name));
}

/**
 * The existing paths that a pattern below `folder` finds and that need a look of their own: symbolic links, and names
 * of credentials; with `bare`, also names that would be options. Undefined when there are too many entries to tell, or `..` follows a pattern.
 */
export function strikingMatches(
  folder: string,
  components: PathPattern,
  bare: boolean,
): string[] | undefined {
  const striking: string[] = [];
  let budget = maxEntries;
  const visit = (at: string, index: number): boolean => {
    const component = components[index];
    if (component === undefined) return true;
    const last = index === components.length - 1;
    if (component.pattern === undefined) {
      if (component.text === '..') return false;
      return visit(
        component.text === '' || component.text === '.' ? at : `${at}/${component.text}`,
        index + 1,
      );
    }
    for (const entry of entries(at)) {
      if (--budget < 0) return false;
      if (entry.name.startsWith('.') && !component.text.startsWith('.')) continue;
      if (!component.pattern.test(entry.name)) continue;
      const path = `${at}/${entry.name}`;
      // Bare, at the beginning of a word, such a name is an option.
      if (index === 0 && at === (folder === '/' ? '' : folder) && bare && entry.name.startsWith('-'))
        striking.push(entry.name);
      if (entry.isSymbolicLink() || isCredentialName(entry.name)) striking.push(path);
      if (!last && (entry.isDirectory() || entry.isSymbolicLink()) && !visit(path, index + 1)) return false;
    }
    return true;
  };
  return visit(folder === '/' ? '' : folder, 0) ? striking : undefined;
}

/** The names in a folder that a pattern finds and that would be split or read as an option when used bare. */
export function oddMatches(folder: string, components: PathPattern): boolean {
  const last = components.at(-1);
  if (last?.pattern === undefined || components.length > 1) return true;
  const { pattern } = last;
  return entries(folder).some(entry => pattern.test(entry.name) && /[\s*?[\]\\]|^-/.test(entry.name));
}

function entries(folder: string): Dirent[] {
  try {
    return readdirSync(folder === '' ? '/' : folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

const samples = [
  '.env',
  '.env.local',
  '.env.production',
  '.envrc',
  'id_rsa',
  'id_ed25519',
  'id_ecdsa',
  'id_dsa',
  'x7q.pem',
  'x7q.key',
  'x7q.p12',
  'x7q.pfx',
  'x7q.jks',
  '.npmrc',
  '.pypirc',
  '.netrc',
  '.git-credentials',
  '.pgpass',
  '.ssh',
  '.aws',
  '.gnupg',
  '.kube',
  '.docker',
  '.azure',
];

function globSource(glob: string): string | undefined {
  let source = '';
  for (let at = 0; at < glob.length; at++) {
    const character = glob[at] ?? '';
    if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '[') {
      const bracket = /^\[([!^]?)(\]?[^\][\\/]*)\]/.exec(glob.slice(at));
      if (!bracket) return undefined;
      const [whole, negated = '', members = ''] = bracket;
      // A range out of order matches nothing in bash and is an error here.
      if (/(.)-(.)/gs.test(members) && [...members.matchAll(/(.)-(.)/gs)].some(([, a = '', b = '']) => a > b))
        return undefined;
      source += `[${negated ? '^/' : ''}${members.replaceAll(/[\\\]^]/g, String.raw`\$&`)}]`;
      at += whole.length - 1;
    } else if (character === '\\') return undefined;
    else source += character.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
  }
  return source;
}
