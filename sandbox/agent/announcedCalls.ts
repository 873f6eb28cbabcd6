import type { SessionUpdate, ToolCallLocation, ToolKind } from '@agentclientprotocol/sdk';
import { randomId } from '../../src/base/ids.ts';
import type { Broker } from './broker.ts';

/** What the panel shows of a call before it runs. */
export interface CallFacts {
  readonly name: string;
  readonly kind: ToolKind;
  readonly title: string;
  readonly locations?: ToolCallLocation[];
  readonly rawInput?: unknown;
}

/**
 * The calls of one answer as the broker knows them: told once when they begin, again when they are known whole. They
 * have ids of our own, because some servers use theirs again.
 */
export class AnnouncedCalls {
  readonly #ids = new Map<string, string>();

  constructor(private readonly broker: Broker) {}

  /** Tells of the call, or more of one that was told of. Resolves with its id towards the broker. */
  async tell(callId: string, facts: CallFacts): Promise<string> {
    const known = this.#ids.get(callId);
    const toolCallId = known ?? randomId();
    this.#ids.set(callId, toolCallId);
    const update: SessionUpdate =
      known === undefined
        ? { sessionUpdate: 'tool_call', toolCallId, status: 'pending', ...facts }
        : { sessionUpdate: 'tool_call_update', toolCallId, ...facts };
    await this.broker.update(update);
    return toolCallId;
  }

  /** Ends a call that will not run after all. */
  async drop(callId: string): Promise<void> {
    const toolCallId = this.#ids.get(callId);
    if (toolCallId !== undefined)
      await this.broker.update({ sessionUpdate: 'tool_call_update', toolCallId, status: 'failed' });
  }
}
