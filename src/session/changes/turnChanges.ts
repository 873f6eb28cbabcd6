import type { ChangedFiles } from '../../protocol/transcript.ts';
import { messageOf } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { WorkingCopy } from './workingCopy.ts';

/** The checkpoint of the moment before a turn; `itemId` is the user's message that began it. */
export function turnCheckpoint(itemId: string): string {
  return `turn ${itemId}`;
}

/**
 * Keeps a conversation's copy of the workspace in step with its turns: up to date and with a checkpoint before each,
 * and what was written told after each command and turn.
 */
export class TurnChanges {
  constructor(
    private readonly copy: WorkingCopy | undefined,
    private readonly log: Log,
  ) {}

  /**
   * To be awaited before the agent begins. `isQuiet`: no command runs, so that the copy may be brought up to date.
   * Rejects when there can be no checkpoint: then nothing may run either.
   */
  async begin(itemId: string, isQuiet: boolean): Promise<void> {
    if (!this.copy) return;
    if (isQuiet) await this.copy.refresh();
    await this.copy.changes.checkpoint(turnCheckpoint(itemId));
  }

  /**
   * The user's files changed in the middle of a turn. Shown at once where no command runs: what one has open would stay
   * as it was, and pass for the new.
   */
  async follow(isQuiet: () => boolean): Promise<void> {
    if (isQuiet()) await this.copy?.refresh();
  }

  /**
   * Begins to watch what a command or turn changes. Calling the result, once, tells it; undefined where there is no
   * copy, or it cannot be told: words for the user, without which the work goes on.
   */
  async watch(): Promise<() => Promise<ChangedFiles | undefined>> {
    const mark = await this.copy?.changes.mark().catch(() => undefined);
    return async () => (mark === undefined ? undefined : await this.#changedSince(mark));
  }

  /**
   * To be awaited before anything that may change the user's own files; call the result, once, when it is over. Rejects
   * when what they hold cannot be kept: then nothing may be changed.
   */
  async changing(): Promise<() => Promise<void>> {
    const ended = await this.copy?.beforeChange?.();
    return async () => {
      try {
        await ended?.();
      } catch (error) {
        this.log.warn(`What was changed could not be noted: ${messageOf(error)}`);
      }
    };
  }

  async #changedSince(mark: string): Promise<ChangedFiles | undefined> {
    try {
      const { files, others } = (await this.copy?.changes.changedSince(mark)) ?? { files: [], others: 0 };
      const paths = files.map(({ folder, path }) => `${folder}/${path}`);
      return { files: paths.slice(0, 200), count: paths.length, others };
    } catch (error) {
      this.log.warn(`What was changed could not be told: ${messageOf(error)}`);
      return undefined;
    }
  }
}
