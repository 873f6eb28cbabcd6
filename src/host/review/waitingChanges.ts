import { Emitter } from '../../base/emitter.ts';
import { messageOf } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { ChangeTotals } from '../../protocol/panel.ts';
import type { ChangedPath, FolderReview, ReviewedChange } from '../../session/changes/changesEngine.ts';
import type { WorkingCopy } from '../../session/changes/workingCopy.ts';
import { linesOf, shownChanges } from './changeRows.ts';
import { samePath } from './samePath.ts';

interface Options {
  /** The conversation that is shown. */
  readonly conversationId: () => string;
  /** Its copy of the workspace; undefined where it has none. */
  readonly copyOf: (conversationId: string) => Promise<WorkingCopy | undefined>;
  readonly log: Log;
}

/** The changes of the conversation that is shown, as they were when last looked at. */
export class WaitingChanges implements Disposable {
  readonly changed = new Emitter<void>();

  #conversationId = '';
  #folders: readonly FolderReview[] = [];
  #isDirect = false;
  /** Ignored outputs that the user wants listed. */
  #included: readonly ChangedPath[] = [];
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #isStale = false;

  constructor(private readonly options: Options) {}

  get conversationId(): string {
    return this.#conversationId;
  }

  /** The agent works in the user's own files: what they were is kept, and they are as it left them. */
  get isDirect(): boolean {
    return this.#isDirect;
  }

  get folders(): readonly FolderReview[] {
    return this.#folders;
  }

  /** All of them, folders and both halves of renames included. */
  get changes(): readonly ReviewedChange[] {
    return this.#folders.flatMap(({ changes }) => changes);
  }

  get totals(): ChangeTotals {
    const shown = shownChanges(this.changes).map(({ change }) => change);
    const sum = (count: (change: ReviewedChange) => number) =>
      shown.reduce((total, change) => total + count(change), 0);
    return {
      files: shown.length,
      added: sum(change => linesOf(change).added),
      removed: sum(change => linesOf(change).removed),
      protected: sum(({ protectedBecause }) => (protectedBecause === undefined ? 0 : 1)),
    };
  }

  get included(): readonly ChangedPath[] {
    return this.#included;
  }

  find(path: ChangedPath): ReviewedChange | undefined {
    return this.#folders
      .find(({ folder }) => folder === path.folder)
      ?.changes.find(change => samePath(change, path));
  }

  copy(): Promise<WorkingCopy | undefined> {
    return this.options.copyOf(this.#conversationId);
  }

  include(paths: readonly ChangedPath[]): Promise<void> {
    this.#included = [...this.#included, ...paths];
    return this.refresh();
  }

  excludeAll(): Promise<void> {
    this.#included = [];
    return this.refresh();
  }

  /** Looks again in a moment; many calls are one look. */
  refreshSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.refresh(), patience);
  }

  /** Resolves when what is known is at least as new as this call. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#looking) {
      this.#isStale = true;
      await this.#looking;
      return;
    }
    this.#looking = this.#lookUntilFresh();
    await this.#looking;
  }

  async #lookUntilFresh(): Promise<void> {
    try {
      do {
        this.#isStale = false;
        await this.#look();
      } while (this.#isStale);
    } finally {
      this.#looking = undefined;
    }
  }

  async #look(): Promise<void> {
    const conversationId = this.options.conversationId();
    if (conversationId !== this.#conversationId) {
      this.#conversationId = conversationId;
      this.#included = [];
      this.#folders = [];
    }
    try {
      const copy = await this.options.copyOf(conversationId);
      this.#isDirect = copy?.kind === 'direct';
      this.#folders = (await copy?.changes.review(this.#included)) ?? [];
    } catch (error) {
      // The panel says why there is no copy; here it only means that nothing can be listed.
      this.options.log.warn(`The changes cannot be listed: ${messageOf(error)}`);
      this.#folders = [];
    }
    this.changed.emit();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** Milliseconds; a turn often writes several files at once. */
const patience = 300;
