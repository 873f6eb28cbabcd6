/** Text that waits to be written, by conversation and item. Asks for `write` once, a fixed time after the first piece. */
export class PendingText {
  readonly #texts = new Map<string, Map<string, string>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    /** Milliseconds. */
    private readonly delay: number,
    private readonly write: () => void,
  ) {}

  get isEmpty(): boolean {
    return this.#texts.size === 0;
  }

  add(conversation: string, piece: { id: string; text: string }): void {
    const items = this.#texts.get(conversation) ?? new Map<string, string>();
    this.#texts.set(conversation, items);
    items.set(piece.id, (items.get(piece.id) ?? '') + piece.text);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.write();
    }, this.delay);
  }

  /** What waits for this item is no longer wanted. */
  drop(conversation: string, item: string): void {
    const items = this.#texts.get(conversation);
    items?.delete(item);
    if (items?.size === 0) this.#texts.delete(conversation);
  }

  forget(conversation: string): void {
    this.#texts.delete(conversation);
  }

  *entries(): Generator<{ conversation: string; item: string; text: string }> {
    for (const [conversation, items] of this.#texts) {
      for (const [item, text] of items) yield { conversation, item, text };
    }
  }

  clear(): void {
    this.#texts.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
