import { readdirSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import type { Boundary } from './boundary.ts';
import { insideFolder } from './boundary.ts';
import { isCredentialName } from './credentials.ts';
import { resolvePath } from './resolve.ts';

/** Which files a recursive command opens. */
export interface TreeScope {
  /** Undefined when every name may come; else true for a name that is opened. */
  readonly opens: ((name: string) => boolean) | undefined;
  /** It goes into linked folders, whatever their name. */
  readonly followsLinks: boolean;
  /** It opens what links of a fitting name point to. */
  readonly opensLinks?: boolean;
  readonly skipsHidden: boolean;
  /** Paths are split at blanks afterwards, so that names with blanks or quotes in them would come apart. */
  readonly splits?: boolean;
}

/**
 * What a recursive command would come across below a folder. `tooLarge`: there are more entries than are looked at,
 * and nothing was found so far; the sandbox masks credentials there, so that this need not be asked inside it.
 */
export type TreeHazard =
  | { readonly kind: 'none' }
  | { readonly kind: 'credential'; readonly path: string }
  | { readonly kind: 'leadsOutside'; readonly path: string }
  | { readonly kind: 'oddName'; readonly path: string }
  | { readonly kind: 'tooLarge' };

/** Entries looked at in one tree. */
const maxEntries = 2_500;
/** How long an answer is used again, in milliseconds. */
const freshFor = 1_000;

/** Looks through a folder that is inside the workspace and free of links. */
export function treeHazard(boundary: Boundary, root: string, scope: TreeScope): TreeHazard {
  let left = maxEntries;
  const queue = [root];
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    for (const entry of entries(folder)) {
      if (--left < 0) return { kind: 'tooLarge' };
      const { name } = entry;
      if (scope.skipsHidden && name.startsWith('.')) continue;
      const path = `${folder === '/' ? '' : folder}/${name}`;
      if (scope.splits && /[\s'"\\]/.test(name)) return { kind: 'oddName', path };
      // Packages carry keys for their tests, and git's own files none; going through them would only ask needlessly.
      if (entry.isDirectory()) {
        if (name !== 'node_modules' && name !== '.git') queue.push(path);
      } else if (entry.isSymbolicLink()) {
        if (!scope.followsLinks && !(scope.opensLinks && (scope.opens === undefined || scope.opens(name))))
          continue;
        const target = resolvePath(folder, name);
        if (target === undefined || insideFolder(boundary, target) === undefined)
          return { kind: 'leadsOutside', path };
      }
      if (isCredentialName(name) && !entry.isDirectory() && (scope.opens === undefined || scope.opens(name)))
        return { kind: 'credential', path };
    }
  }
  return { kind: 'none' };
}

const listings = new Map<string, { readonly at: number; readonly found: Dirent[] }>();

/** Directory contents, remembered for a moment so that many lines in a row do not read the same folder again. */
function entries(folder: string): Dirent[] {
  const now = performance.now();
  const known = listings.get(folder);
  if (known && now - known.at < freshFor) return known.found;
  let found: Dirent[] = [];
  try {
    found = readdirSync(folder, { withFileTypes: true });
  } catch {
    // What cannot be listed cannot be read through either.
  }
  if (listings.size > 500) listings.clear();
  listings.set(folder, { at: now, found });
  return found;
}
