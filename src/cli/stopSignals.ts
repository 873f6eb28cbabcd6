import { constants } from 'node:os';

/** The first signal stops the turn and lets it end in order; a second one ends the process. */
export class StopSignals implements Disposable {
  readonly #controller = new AbortController();
  #status: number | undefined;
  readonly #listeners = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map(
    name => [name, () => this.#arrived(name)] as const,
  );

  constructor() {
    for (const [name, listener] of this.#listeners) process.on(name, listener);
  }

  /** The exit status that says which signal came, if one did. */
  get status(): number | undefined {
    return this.#status;
  }

  get aborted(): AbortSignal {
    return this.#controller.signal;
  }

  onStop(stop: () => void): void {
    if (this.aborted.aborted) stop();
    else this.aborted.addEventListener('abort', stop, { once: true });
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) process.off(name, listener);
  }

  #arrived(name: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void {
    const status = 128 + constants.signals[name];
    // Whatever runs in the sandbox ends with this process.
    if (this.#status !== undefined) process.exit(status);
    this.#status = status;
    this.#controller.abort();
  }
}
