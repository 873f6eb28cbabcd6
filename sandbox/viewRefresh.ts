import { refreshView } from './holder.ts';

/** Takes part in bringing a view up to date: `remount` is to be awaited once, in the middle of whatever else it does. */
export type Attendant = (remount: () => Promise<void>) => Promise<void>;

/**
 * Lets what changed below or above a mounted view be seen in it. Files can come up in it by that, so whoever has
 * something to hide from those who look at the view attends.
 */
export class ViewRefresh {
  readonly #attending = new Set<Attendant>();

  /** `holder`: the process that keeps the view. */
  constructor(private readonly holder: number) {}

  attend(attendant: Attendant): Disposable {
    this.#attending.add(attendant);
    return { [Symbol.dispose]: () => void this.#attending.delete(attendant) };
  }

  /** Throws `overlay.refresh`. */
  async refresh(folders: readonly string[]): Promise<void> {
    let work = () => refreshView(this.holder, folders);
    for (const attendant of this.#attending) {
      const inner = work;
      work = () => attendant(inner);
    }
    await work();
  }
}
