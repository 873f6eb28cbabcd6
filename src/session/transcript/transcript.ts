import { messageOf } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { applyEvent, keptOutput } from '../../protocol/transcript.ts';
import type { Conversation, SessionEvent, TranscriptItem } from '../../protocol/transcript.ts';

/**
 * The conversation as it grows. Changes of items are gathered and told at most every 40 ms, so that neither a model
 * that streams single letters nor a command that prints without end keeps the host busy; everything else is told at
 * once, after what was gathered before it.
 */
export class Transcript {
  #told: Conversation;
  /** Items that changed since they were told: whole, or by text added at their end. */
  readonly #changed = new Map<string, { item: TranscriptItem; added: string | undefined }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    conversation: Conversation,
    private readonly onEvent: (event: SessionEvent) => void,
    private readonly log: Log,
  ) {
    this.#told = conversation;
  }

  /** As it was told so far. */
  get conversation(): Conversation {
    return this.#told;
  }

  /** The newest state, told or not. */
  item(id: string): TranscriptItem | undefined {
    return this.#changed.get(id)?.item ?? this.#told.items.findLast(item => item.id === id);
  }

  /** Adds the item, or replaces the one with the same id. */
  put(item: TranscriptItem): void {
    this.#changed.set(item.id, { item, added: undefined });
    this.#schedule();
  }

  /** Adds text to a message, a thought, or the output of a tool call. Does nothing for any other id. */
  append(id: string, text: string): void {
    const item = this.item(id);
    if (item === undefined || text === '') return;
    const grown = withText(item, text);
    if (grown === undefined) return;
    const before = this.#changed.get(id);
    // New and replaced items are told whole, with all the text they gathered meanwhile.
    const added =
      before && before.added === undefined ? undefined : ((before?.added ?? '') + text).slice(-keptOutput);
    this.#changed.set(id, { item: grown, added });
    this.#schedule();
  }

  /** Tells what is gathered, then this. */
  tell(event: SessionEvent): void {
    this.flush();
    this.#tell(event);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const changes = [...this.#changed.values()];
    this.#changed.clear();
    for (const { item, added } of changes) {
      if (added === undefined) this.#tell({ type: 'item', item });
      else this.#tell({ type: item.kind === 'toolCall' ? 'output' : 'text', id: item.id, text: added });
    }
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.flush(), gather);
  }

  #tell(event: SessionEvent): void {
    this.#told = applyEvent(this.#told, event);
    try {
      this.onEvent(event);
    } catch (error) {
      this.log.error(`A listener failed on "${event.type}": ${messageOf(error)}`);
    }
  }
}

/** Milliseconds; a person reads this as continuous. */
const gather = 40;

function withText(item: TranscriptItem, text: string): TranscriptItem | undefined {
  if (item.kind === 'assistant' || item.kind === 'thought') return { ...item, text: item.text + text };
  if (item.kind === 'toolCall') return { ...item, output: (item.output + text).slice(-keptOutput) };
  return undefined;
}
