import { startTime } from './processTree.ts';
import type { WaitingBubblewrap } from './startBubblewrap.ts';

/**
 * Keeps one Bubblewrap started in advance, so that the next command need not wait for that: starting programs is half
 * of what a launch costs us.
 */
export class Standby implements Disposable {
  #spare: { readonly bubblewrap: WaitingBubblewrap; readonly enter: readonly string[] } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** `start` begins one in the namespaces that `enter` joins. */
  constructor(private readonly start: (enter: readonly string[]) => Promise<WaitingBubblewrap>) {}

  /** One in the namespaces that `enter` joins: that in waiting, or else a new one. */
  async take(enter: readonly string[]): Promise<WaitingBubblewrap> {
    clearTimeout(this.#timer);
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare === undefined) return await this.start(enter);
    if (spare.enter === enter && lives(spare.bubblewrap)) return spare.bubblewrap;
    spare.bubblewrap.child.kill('SIGKILL');
    return await this.start(enter);
  }

  /** Has one ready soon: not at once, the command that just started goes first. */
  refill(enter: readonly string[]): void {
    clearTimeout(this.#timer);
    if (this.#spare !== undefined || this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#prepare(enter), patience).unref();
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#spare?.bubblewrap.child.kill('SIGKILL');
    this.#spare = undefined;
  }

  async #prepare(enter: readonly string[]): Promise<void> {
    // Whoever takes the next finds out what is wrong.
    const bubblewrap = await this.start(enter).catch(() => undefined);
    if (bubblewrap === undefined) return;
    if (this.#spare !== undefined || this.#isClosed) bubblewrap.child.kill('SIGKILL');
    else this.#spare = { bubblewrap, enter };
  }
}

/** Milliseconds. */
const patience = 50;

/** As the kernel has it: we hear of an end only later. */
function lives({ child }: WaitingBubblewrap): boolean {
  return child.pid !== undefined && startTime(child.pid) !== undefined;
}
