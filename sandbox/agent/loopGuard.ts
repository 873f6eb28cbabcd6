/** Sees a model that runs in circles: the same call that fails again and again. */
export class LoopGuard {
  readonly #failures = new Map<string, number>();

  /** Takes note of how a call ended; true when the turn should end, because it failed for the third time. */
  isStuck(name: string, json: string, ok: boolean): boolean {
    if (ok) return false;
    const call = `${name}\n${json}`;
    const times = (this.#failures.get(call) ?? 0) + 1;
    this.#failures.set(call, times);
    return times >= maxSameFailures;
  }

  /** Something was changed, so that what failed before may work now. */
  reset(): void {
    this.#failures.clear();
  }
}

export const maxSameFailures = 3;
