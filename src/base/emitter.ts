/** The smallest event source: listeners are called in the order they came; one that throws does not stop the next. */
export class Emitter<T> {
  readonly #listeners = new Set<(value: T) => void>();

  /** Adds a listener; the returned object takes it away again. */
  on(listener: (value: T) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  emit(value: T): void {
    let failure: unknown;
    for (const listener of this.#listeners) {
      try {
        listener(value);
      } catch (error) {
        failure ??= error;
      }
    }
    // A listener's defect belongs to the process's error handler, not to whoever happened to emit.
    if (failure !== undefined)
      queueMicrotask(() => {
        throw failure;
      });
  }
}
