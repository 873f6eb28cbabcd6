import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { promisify } from 'node:util';
import { randomId } from '../src/base/ids.ts';
import { type FolderOwner, wayTo } from './folderOwner.ts';
import { waysFolder } from './holder.ts';
import { isInside } from './inside.ts';
import { real } from './look.ts';
import { sandboxErrors } from './sandboxErrors.ts';

/** Path of the host → where it is shown in the holder's file system; absent where the owner gets to it by itself. */
export type WaysTo = ReadonlyMap<string, string>;

/**
 * Bubblewrap runs as the owner of the workspace there, and cannot show what it does not get to: root's folders are
 * closed to others, and Cordon's own state lies in them. So root shows it, piece by piece, in a folder that only the
 * holder's file system has; nothing on the disk is opened up for that.
 */
export class Ways {
  /** Of one holder. */
  #enter: readonly string[] = [];
  #made = new Map<string, string>();
  #working: Promise<unknown> = Promise.resolve();
  readonly #id = randomId();
  #count = 0;

  constructor(private readonly owner: FolderOwner) {}

  /** `enter` joins the holder as its root. Throws `sandbox.noWay` for what must not be shown, or cannot. */
  async to(paths: readonly string[], enter: readonly string[]): Promise<WaysTo> {
    const work = this.#working.then(() => this.#make(paths, enter));
    this.#working = work.catch(() => undefined);
    return await work;
  }

  async #make(paths: readonly string[], enter: readonly string[]): Promise<WaysTo> {
    if (enter.join('\0') !== this.#enter.join('\0')) this.#made = new Map();
    this.#enter = enter;
    const ways = new Map<string, string>();
    const wanted: { readonly key: string; readonly source: string; readonly place: string }[] = [];
    const shown: { readonly source: string; readonly place: string }[] = [];
    for (const path of [...new Set(paths)].toSorted((one, other) => one.length - other.length)) {
      const way = wayTo(path, this.owner);
      if (way === 'open') continue;
      const source = real(path);
      if (way === 'closed') {
        // In a folder of the owner's that is shown, the owner finds its way.
        const around = shown.find(each => isInside(source, each.source));
        if (around === undefined) throw sandboxErrors.noWay(path, this.owner.name);
        ways.set(path, around.place + source.slice(around.source.length));
        continue;
      }
      // Something else may have come to lie there since.
      const { dev, ino } = statSync(source);
      const key = `${dev} ${ino} ${source}`;
      const known = this.#made.get(key) ?? wanted.find(each => each.key === key)?.place;
      const place = known ?? `${waysFolder}/${this.#id}-${(this.#count += 1)}`;
      if (known === undefined) wanted.push({ key, source, place });
      ways.set(path, place);
      shown.push({ source, place });
    }
    if (wanted.length > 0) await show(wanted, enter);
    for (const { key, place } of wanted) this.#made.set(key, place);
    return ways;
  }
}

async function show(
  wanted: readonly { readonly source: string; readonly place: string }[],
  [program = '', ...args]: readonly string[],
): Promise<void> {
  const pairs = wanted.flatMap(({ source, place }) => [source, place]);
  try {
    await promisify(execFile)(program, [...args, '/bin/sh', '-c', script, 'ways', ...pairs], {
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
      timeout: 10_000,
    });
  } catch (error) {
    throw sandboxErrors.noWays(error);
  }
}

const script = `
set -e
while [ $# -gt 0 ]; do
  if [ -d "$1" ]; then mkdir "$2"; else : > "$2"; fi
  mount --rbind "$1" "$2"
  shift 2
done
`;
