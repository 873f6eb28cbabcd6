import { existsSync } from 'node:fs';
import { randomId } from '../../base/ids.ts';
import { identityOf } from '../../overlay/applySteps.ts';
import type { Entry } from '../../overlay/entry.ts';
import { IgnoredOutputs } from '../../overlay/ignoredOutputs.ts';
import type { ChangedPath } from './changesEngine.ts';
import type { OverlayedFolder } from './overlayedFolder.ts';

/** What was written since. `others`: ignored outputs, of which only the topmost are looked at. */
export interface Written {
  readonly files: readonly ChangedPath[];
  readonly others: number;
}

/** Moments of which it is remembered what the copy held then, to tell what was written after them. */
export class Marks {
  readonly #marks = new Map<string, ReadonlyMap<string, string>>();

  constructor(private readonly folders: readonly OverlayedFolder[]) {}

  /** Returns its name. */
  async set(): Promise<string> {
    const id = randomId();
    this.#marks.set(id, await this.#snapshot());
    for (const old of [...this.#marks.keys()].slice(0, -mostMarks)) this.#marks.delete(old);
    return id;
  }

  /** Forgets the mark. Nothing was written after one that is not known. */
  async writtenSince(mark: string): Promise<Written> {
    const before = this.#marks.get(mark);
    this.#marks.delete(mark);
    if (before === undefined) return { files: [], others: 0 };
    const now = await this.#snapshot();
    const touched = new Set(
      [...before.keys(), ...now.keys()].filter(key => before.get(key) !== now.get(key)),
    );
    const files: ChangedPath[] = [];
    let others = 0;
    for (const key of touched) {
      const state = now.get(key) ?? before.get(key) ?? '';
      const [folder = '', inner = ''] = JSON.parse(key) as string[];
      if (state.startsWith(outputMark)) others += 1;
      else if (state !== 'directory') files.push({ folder, path: inner });
    }
    // The sooner it is noted what the agent worked from, the surer a later change of the user's is known for one.
    if (touched.size > 0) for (const folder of this.folders) await folder.note();
    return { files, others };
  }

  /** Every path that the copy holds, with what tells its state; of ignored outputs the topmost alone. */
  async #snapshot(): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (const folder of this.folders) {
      const ignored = new IgnoredOutputs(folder.layers);
      const isOutput = (inner: string, entry: Entry | 'whiteout') =>
        inner === '.git' ||
        inner.endsWith('/.git') ||
        ignored.find(
          inner,
          entry !== 'whiteout' && entry.kind === 'directory',
          !existsSync(`${folder.layers.lower}/${inner}`),
        ) !== undefined;
      const layer = await folder.layer((inner, entry) => !isOutput(inner, entry));
      for (const [inner, entry] of layer)
        found.set(
          JSON.stringify([folder.path, inner]),
          isOutput(inner, entry) ? outputMark + writtenAt(entry) : stateOf(entry),
        );
    }
    return found;
  }
}

/** Of commands that run at the same time. */
const mostMarks = 64;

const outputMark = 'output ';

function stateOf(entry: Entry | 'whiteout'): string {
  return entry === 'whiteout' ? entry : identityOf(entry);
}

function writtenAt(entry: Entry | 'whiteout'): string {
  return entry === 'whiteout' ? entry : String(entry.stamp.modifiedAt);
}
