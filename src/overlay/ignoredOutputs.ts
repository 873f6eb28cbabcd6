import { closeSync, readFileSync } from 'node:fs';
import ignore, { type Ignore } from 'ignore';
import type { OverlayFolder } from './changeset.ts';
import { openToRead } from './content.ts';
import { readUpperEntry } from './entry.ts';
import { inUpper } from './inUpper.ts';

/** By which pattern a path is ignored, and the folder whose `.gitignore` holds it. */
export interface IgnoredBy {
  readonly pattern: string;
  readonly folder: string;
}

/**
 * Which paths the `.gitignore` files call outputs. Those of the user's folder count for every path. Those that the
 * overlay brings, and a few that are outputs everywhere, count only for what is new: else an added line could hide a
 * change to a file of the user's.
 */
export class IgnoredOutputs {
  readonly #real = new Map<string, Ignore | undefined>();
  readonly #overlaid = new Map<string, Ignore | undefined>();

  constructor(private readonly folder: OverlayFolder) {}

  /** `path` is relative with `/`; none of its parents may be ignored itself. */
  find(path: string, isDirectory: boolean, isNew: boolean): IgnoredBy | undefined {
    const real = this.#search(path, isDirectory, folder => this.#realRules(folder));
    if (real || !isNew) return real;
    const overlaid = this.#search(path, isDirectory, folder => this.#overlaidRules(folder));
    if (overlaid) return overlaid;
    const { ignored, rule } = usualOutputs.test(path + (isDirectory ? '/' : ''));
    return ignored ? { pattern: rule?.pattern ?? path, folder: '' } : undefined;
  }

  #search(
    path: string,
    isDirectory: boolean,
    rulesOf: (folder: string) => Ignore | undefined,
  ): IgnoredBy | undefined {
    // The deepest file that says anything decides.
    for (let end = path.lastIndexOf('/'); ; end = path.lastIndexOf('/', end - 1)) {
      const folder = end < 0 ? '' : path.slice(0, end);
      const rules = rulesOf(folder);
      if (rules) {
        const { ignored, unignored, rule } = rules.test(path.slice(end + 1) + (isDirectory ? '/' : ''));
        if (ignored) return { pattern: rule?.pattern ?? '*', folder };
        if (unignored) return undefined;
      }
      if (end < 0) return undefined;
    }
  }

  #realRules(folder: string): Ignore | undefined {
    return remembered(this.#real, folder, () => {
      const files = [join(this.folder.lower, folder, '.gitignore')];
      if (folder === '') files.unshift(join(this.folder.lower, '.git/info', 'exclude'));
      return rulesIn(files);
    });
  }

  #overlaidRules(folder: string): Ignore | undefined {
    return remembered(this.#overlaid, folder, () => {
      const path = join('', folder, '.gitignore').slice(1);
      try {
        return inUpper(this.folder, path, place => {
          const entry = readUpperEntry(place);
          if (entry === 'whiteout') return undefined;
          return entry?.kind === 'file' ? rulesIn([place]) : this.#realRules(folder);
        });
      } catch {
        // The folder is not in the overlay any more.
        return this.#realRules(folder);
      }
    });
  }
}

/** Of what is new: outputs that nobody means to review, also where no file says that they are ignored. */
const usualOutputs = ignore({ allowRelativePaths: true, ignorecase: false }).add([
  'node_modules/',
  '__pycache__/',
  '.venv/',
]);

function remembered<T>(known: Map<string, T>, key: string, find: () => T): T {
  if (!known.has(key)) known.set(key, find());
  return known.get(key) as T;
}

function rulesIn(files: readonly string[]): Ignore | undefined {
  const texts = files.flatMap(file => {
    // A link could name anything, and git does not follow one here either.
    const entry = readUpperEntry(file);
    if (!entry || entry === 'whiteout' || entry.kind !== 'file' || entry.size > 1024 * 1024) return [];
    const opened = openToRead(file);
    try {
      return [readFileSync(opened, 'utf8')];
    } finally {
      closeSync(opened);
    }
  });
  return texts.length > 0
    ? ignore({ allowRelativePaths: true, ignorecase: false }).add(texts.join('\n'))
    : undefined;
}

function join(root: string, folder: string, name: string): string {
  return folder === '' ? `${root}/${name}` : `${root}/${folder}/${name}`;
}
