import { mergeContents } from '../../overlay/merge.ts';
import { withHunks } from '../../overlay/hunks.ts';
import type {
  ChangedPath,
  ChangesEngine,
  Choice,
  Obstruction,
  ReviewedChange,
} from '../../session/changes/changesEngine.ts';
import { samePath } from './samePath.ts';

/** A change that the user wants: whole, or these hunks of it, as they were shown. */
export interface Wanted {
  readonly change: ReviewedChange;
  readonly hunks?: readonly number[];
  /** Of both sides, when the hunks were shown. Absent: that of the change. */
  readonly version?: string;
}

/** An editor of this window that holds more than the disk. */
export interface UnsavedEditor {
  readonly text: string;
  /** False where its text cannot be compared with the file's bytes. */
  readonly isUtf8: boolean;
  /** Puts a text in its place, as one step that can be undone. False when the user typed meanwhile. */
  put(text: string): Promise<boolean>;
}

interface Options {
  readonly changes: ChangesEngine;
  /** What waits now, protected folders around a file included. */
  readonly waiting: () => readonly ReviewedChange[];
  readonly unsavedEditor: (file: ChangedPath) => UnsavedEditor | undefined;
  /** Asks for one protected path, saying what it could do. Absent: they are left out. */
  readonly confirm?: (path: ChangedPath, because: string) => Promise<boolean>;
}

/** What became of what was wanted. Whatever is in none of these lists waits as before. */
export interface TakenOver {
  readonly accepted: readonly ChangedPath[];
  /** Of them, those that were joined with what the user changed. */
  readonly merged: readonly ChangedPath[];
  /** Joined with the unsaved text of an editor: to be saved there. */
  readonly inEditors: readonly ChangedPath[];
  /** Protected, and not confirmed. */
  readonly leftOut: readonly ChangedPath[];
  /** Nothing was done for these. */
  readonly obstructions: readonly Obstruction[];
}

/**
 * Takes changes over. What is in somebody's way stays out and is told, the rest goes on: nothing of the user's is
 * overwritten, neither on the disk nor in an editor.
 */
export async function takeOver(options: Options, wanted: readonly Wanted[]): Promise<TakenOver> {
  return await new TakingOver(options).run(wanted);
}

class TakingOver {
  readonly #accepted: ChangedPath[] = [];
  readonly #merged: ChangedPath[] = [];
  readonly #inEditors: ChangedPath[] = [];
  readonly #leftOut: ChangedPath[] = [];
  readonly #obstructions: Obstruction[] = [];
  readonly #confirmed = new Map<string, boolean>();

  constructor(private readonly options: Options) {}

  async run(wanted: readonly Wanted[]): Promise<TakenOver> {
    const toApply: Choice[] = [];
    for (const each of wanted) {
      if (!(await this.#isAllowed(each.change, each.change.protectedBecause))) continue;
      const editor = this.options.unsavedEditor(each.change);
      if (editor) await this.#intoEditor(each, editor);
      else toApply.push(...this.#choices(each));
    }
    await this.#apply(toApply);
    return {
      accepted: this.#accepted,
      merged: this.#merged,
      inEditors: this.#inEditors,
      leftOut: this.#leftOut,
      obstructions: this.#obstructions,
    };
  }

  async #apply(choices: readonly Choice[]): Promise<void> {
    let rest = unique(choices);
    // Each round takes at least one path out, or confirms one.
    for (let round = 0; rest.length > 0 && round <= 2 * choices.length; round++) {
      const outcome = await this.options.changes.accept(rest);
      this.#accepted.push(...outcome.accepted);
      if (outcome.kind === 'accepted') {
        this.#merged.push(...outcome.merged);
        return;
      }
      const before = rest;
      rest = rest.filter(choice => !outcome.accepted.some(done => samePath(done, choice)));
      for (const obstruction of outcome.obstructions) rest = await this.#without(rest, obstruction);
      if (rest.length === before.length && rest.every(choice => before.includes(choice))) return;
    }
  }

  /** The choices that are left when something is in the way of one, or what is confirmed beside them. */
  async #without(choices: Choice[], obstruction: Obstruction): Promise<Choice[]> {
    const { folder, path, kind, words } = obstruction;
    const own = choices.find(choice => samePath(choice, obstruction));
    if (kind === 'protected') {
      if (await this.#isAllowed({ folder, path }, words.replace(/^it /, '')))
        return [
          ...choices.filter(choice => choice !== own),
          { ...(own ?? { folder, path }), isConfirmed: true },
        ];
    } else this.#obstruct(obstruction, kind, words);
    // What comes along with a choice stands in the way of all that bring it along.
    const waiting = this.options.waiting();
    const drags = (choice: Choice) => {
      const change = waiting.find(each => samePath(each, choice));
      const isInside = choice.path.startsWith(`${path}/`) || path.startsWith(`${choice.path}/`);
      return choice.folder === folder && (change?.renamed === path || isInside);
    };
    return choices.filter(choice => choice !== own && (own !== undefined || !drags(choice)));
  }

  /** Asks once for each path. */
  async #isAllowed({ folder, path }: ChangedPath, because: string | undefined): Promise<boolean> {
    if (because === undefined) return true;
    const key = JSON.stringify([folder, path]);
    const known = this.#confirmed.get(key);
    if (known !== undefined) return known;
    const isAllowed = (await this.options.confirm?.({ folder, path }, because)) ?? false;
    this.#confirmed.set(key, isAllowed);
    if (!isAllowed) this.#leftOut.push({ folder, path });
    return isAllowed;
  }

  /** With the protected folders around a file that was confirmed: they are nothing without it. */
  #choices({ change, hunks, version = change.version }: Wanted): Choice[] {
    const { folder, path } = change;
    const isConfirmed = change.protectedBecause !== undefined;
    const around = this.options
      .waiting()
      .filter(each => each.folder === folder && each.is === 'directory' && path.startsWith(`${each.path}/`))
      .filter(each => each.protectedBecause !== undefined);
    return [
      { folder, path, version, isConfirmed, ...(hunks ? { hunks } : {}) },
      ...around.map((each): Choice => ({ folder, path: each.path, isConfirmed: true })),
    ];
  }

  async #intoEditor(wanted: Wanted, editor: UnsavedEditor): Promise<void> {
    const { change, hunks, version = change.version } = wanted;
    const { changes } = this.options;
    const sides = await changes.sides(change);
    if (sides.version !== version)
      return this.#obstruct(change, 'changed', 'it has changed since you looked at it');
    const isText = editor.isUtf8 && sides.hunks !== null && change.is === 'file' && change.was === 'file';
    if (!isText) return this.#obstruct(change, 'conflict', 'you have unsaved edits in it');
    const joined =
      hunks === undefined
        ? await changes.mergeInto(change, editor.text)
        : mergeHunks(sides.before ?? nothing, sides.hunks, hunks, editor.text);
    if (joined === null)
      return this.#obstruct(change, 'conflict', 'your unsaved edits are in the same lines');
    if (!(await editor.put(joined)))
      return this.#obstruct(change, 'changed', 'you typed in it meanwhile; accept it again');
    this.#inEditors.push({ folder: change.folder, path: change.path });
    // Hunks of it are gone from the list when the user has saved; the rest of the file still waits.
    if (hunks !== undefined) return;
    // Should the editor be closed unsaved, going back brings it again.
    await changes.checkpoint(`Before taking "${change.path}" into an editor at ${new Date().toISOString()}`);
    await changes.taken([change]);
  }

  /** One reason a path; a conflict says more than that something changed. */
  #obstruct({ folder, path }: ChangedPath, kind: Obstruction['kind'], words: string): void {
    const at = this.#obstructions.findIndex(each => samePath(each, { folder, path }));
    if (at < 0) this.#obstructions.push({ folder, path, kind, words });
    else if (kind === 'conflict') this.#obstructions[at] = { folder, path, kind, words };
  }
}

const nothing = new Uint8Array();

function mergeHunks(
  before: Uint8Array,
  hunks: Parameters<typeof withHunks>[1],
  chosen: readonly number[],
  editorText: string,
): string | null {
  const base = Buffer.from(before);
  const theirs = withHunks(base, hunks, new Set(chosen));
  return mergeContents(base, Buffer.from(editorText), theirs)?.toString('utf8') ?? null;
}

function unique(choices: readonly Choice[]): Choice[] {
  return choices.filter((choice, at) => choices.findIndex(each => samePath(each, choice)) === at);
}
