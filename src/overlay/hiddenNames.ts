import { readNames } from '../base/fileName.ts';
import type { OverlayFolder } from './changeset.ts';
import { readEntry } from './entry.ts';
import { openMergedView } from './mergedView.ts';

/** Sees what an overlay hides without naming it: the contents of folders that were replaced as a whole. */
export class HiddenNames implements AsyncDisposable {
  #view: Promise<{ readonly path: string } & Partial<AsyncDisposable>> | undefined;

  /** `merged`: where the merged folder can be read already; else it is mounted once more when that is needed. */
  constructor(
    private readonly folder: OverlayFolder,
    private readonly merged?: string,
  ) {}

  /**
   * The names in the user's folder at `path` that the overlay hides, though the upper layer holds nothing under them.
   * `mayShine` is false inside a folder that was replaced: there all of them are hidden. Undefined when the two layers
   * are merged here, or when nobody could tell. Throws `overlay.view`.
   */
  async find(
    path: string,
    held: ReadonlySet<string>,
    mayShine: boolean,
  ): Promise<readonly string[] | undefined> {
    const inside = (root: string, name?: string) =>
      [root, path, name].filter(part => part !== undefined && part !== '').join('/');
    const others = readNames(inside(this.folder.lower)).filter(name => !held.has(name));
    if (!mayShine) return others;
    const [first] = others;
    if (first === undefined) return undefined;
    const view = await (this.#view ??= this.#open());
    // One that shows is enough; a listing, unlike a look-up, never tells of names known from before.
    if (readEntry(inside(view.path, first))) return undefined;
    const shown = new Set(readNames(inside(view.path)));
    if (others.some(name => shown.has(name))) return undefined;
    const hidden = others.filter(name => readEntry(inside(this.folder.lower, name)));
    return hidden.length > 0 ? hidden : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const view = await this.#view?.catch(() => undefined);
    await view?.[Symbol.asyncDispose]?.();
  }

  #open(): Promise<{ readonly path: string } & Partial<AsyncDisposable>> {
    return this.merged === undefined
      ? openMergedView(this.folder.upper, this.folder.lower)
      : Promise.resolve({ path: this.merged });
  }
}
