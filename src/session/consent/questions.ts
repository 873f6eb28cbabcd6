import { randomId } from '../../base/ids.ts';
import type { Transcript } from '../transcript/transcript.ts';

/** The agent's questions to the user that wait for words. One that ends without an answer settles with null. */
export class Questions {
  readonly #open = new Map<string, (answer: string | null) => void>();

  constructor(private readonly transcript: Transcript) {}

  get isWaiting(): boolean {
    return this.#open.size > 0;
  }

  ask(question: string, options: readonly string[], signal: AbortSignal): Promise<string | null> {
    if (signal.aborted || this.#open.size >= maxOpen) return Promise.resolve(null);
    const id = randomId();
    const { promise, resolve } = Promise.withResolvers<string | null>();
    const settle = (answer: string | null) => {
      if (!this.#open.delete(id)) return;
      signal.removeEventListener('abort', withdraw);
      this.transcript.tell({ type: 'questionSettled', id, answer });
      resolve(answer);
    };
    const withdraw = () => settle(null);
    signal.addEventListener('abort', withdraw, { once: true });
    this.#open.set(id, settle);
    this.transcript.tell({ type: 'question', question: { id, question, options: [...options] } });
    return promise;
  }

  /** False when the question is no longer open. */
  answer(id: string, answer: string): boolean {
    const settle = this.#open.get(id);
    settle?.(answer);
    return settle !== undefined;
  }

  settleAll(): void {
    for (const settle of this.#open.values()) settle(null);
  }
}

const maxOpen = 10;
