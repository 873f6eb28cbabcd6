import type { Limits } from './limits.ts';
import { limitMessages } from './limits.ts';
import { lookAtProcesses, type ProcessFamily, type ProcessSeen } from './processFamily.ts';

/** A command that is followed, with what it may use. */
export interface Followed {
  readonly family: ProcessFamily;
  readonly limits: Pick<Limits, 'processes' | 'memory'>;
  /** Called with those that live, at each look. */
  seen(living: readonly ProcessSeen[]): void;
  /** Ends it with the sentence that tells why. */
  endFor(limit: string): void;
}

/** Looks at the machine's processes while commands run: who belongs to which, and whether one of them uses too much. */
export class FamilyWatch implements Disposable {
  readonly #followed = new Set<Followed>();
  #timer: NodeJS.Timeout | undefined;
  #look: Promise<void> | undefined;

  /** Follows until the returned function is called. */
  follow(followed: Followed): () => void {
    this.#followed.add(followed);
    // What makes itself a daemon mostly does so at once.
    const early = soon.map(milliseconds => setTimeout(() => void this.#next(), milliseconds).unref());
    this.#timer ??= setInterval(() => void this.#next(), between).unref();
    return () => {
      for (const each of early) clearTimeout(each);
      this.#followed.delete(followed);
      if (this.#followed.size === 0) this[Symbol.dispose]();
    };
  }

  /** Looks now, and closely where that can be. Rejects where processes cannot be listed. */
  async look(): Promise<void> {
    await this.#look?.catch(() => undefined);
    await this.#lookOnce(true).catch(() => this.#lookOnce(false));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #next(): Promise<void> {
    this.#look ??= this.#lookOnce(false).finally(() => (this.#look = undefined));
    try {
      await this.#look;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      for (const each of this.#followed)
        each.endFor(`It was ended because its processes could not be looked at: ${why}`);
    }
  }

  async #lookOnce(isClose: boolean): Promise<void> {
    const all = await lookAtProcesses(isClose);
    for (const followed of this.#followed) {
      const living = followed.family.update(all);
      followed.seen(living);
      const { processes, memory } = followed.limits;
      if (living.length > processes) followed.endFor(limitMessages.processes(processes));
      else if (living.some(each => each.memory > memory)) followed.endFor(limitMessages.memory(memory));
    }
  }
}

/** Milliseconds after a start, and between looks. */
const soon = [30, 120, 400];
const between = 1_000;
