import { randomId } from '../../base/ids.ts';
import type { AgentUpdate } from '../agent/agentMessages.ts';
import type { ToolCalls } from './toolCalls.ts';
import type { Transcript } from './transcript.ts';

/** Writes what the agent streams during one turn into the transcript. */
export class Updates {
  /** The message or thought that is being streamed; anything else that happens completes it. */
  #streaming: { id: string; kind: 'assistant' | 'thought'; length: number } | undefined;
  #planId: string | undefined;

  constructor(
    private readonly transcript: Transcript,
    private readonly calls: ToolCalls,
  ) {}

  /** Throws when the agent says more than a turn can hold. */
  apply(update: AgentUpdate): void {
    switch (update.sessionUpdate) {
      case 'agent_message_chunk':
        return this.#stream('assistant', update.content);
      case 'agent_thought_chunk':
        return this.#stream('thought', update.content);
      case 'tool_call':
      case 'tool_call_update':
        this.endMessage('complete');
        return this.calls.report(update);
      case 'plan':
        this.endMessage('complete');
        // One plan a turn: it is rewritten where it stands.
        this.#planId ??= randomId();
        return this.transcript.put({
          id: this.#planId,
          at: Date.now(),
          kind: 'plan',
          entries: update.entries,
        });
      default:
        return undefined;
    }
  }

  /** `cut` when the stream ended before the message did. */
  endMessage(state: 'complete' | 'cut'): void {
    const item = this.#streaming && this.transcript.item(this.#streaming.id);
    this.#streaming = undefined;
    if (item?.kind === 'assistant' || item?.kind === 'thought') this.transcript.put({ ...item, state });
  }

  #stream(kind: 'assistant' | 'thought', text: string): void {
    if (text === '') return;
    if (this.#streaming?.kind !== kind) {
      this.endMessage('complete');
      this.#streaming = { id: randomId(), kind, length: 0 };
      this.transcript.put({ id: this.#streaming.id, at: Date.now(), kind, text: '', state: 'streaming' });
    }
    this.#streaming.length += text.length;
    if (this.#streaming.length > maxMessage)
      throw new Error(`a message of more than ${maxMessage} characters`);
    this.transcript.append(this.#streaming.id, text);
  }
}

/** UTF-16 units of one message: no model writes this much at once. */
const maxMessage = 2_000_000;
