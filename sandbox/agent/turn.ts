import type { StopReason } from '@agentclientprotocol/sdk';
import { randomId } from '../../src/base/ids.ts';
import { AnnouncedCalls } from './announcedCalls.ts';
import type { Broker } from './broker.ts';
import { estimateTokens, tokensOf } from './context.ts';
import type { Conversation } from './conversation.ts';
import { LoopGuard, maxSameFailures } from './loopGuard.ts';
import type { ModelAnswer, ModelClient, ModelDelta, ToolCallPart, UserPart } from './model.ts';
import { describeTools, factsBefore } from './toolbox.ts';
import { isTooLong } from './modelErrors.ts';
import { orAborted } from './orAborted.ts';
import { type CallEnvironment, runCalls } from './runCalls.ts';

/** Everything one turn works with. The conversation is changed in place and stays valid however the turn ends. */
export interface TurnOptions extends CallEnvironment {
  readonly conversation: Conversation;
  readonly model: ModelClient;
  readonly broker: Broker;
  /** The system prompt, steadiest part first. */
  readonly system: readonly string[];
  /** Tokens that one request may have, answer not counted. */
  readonly inputTokens: number;
  readonly maxRequests: number;
}

/** Calls of one answer that are run. More is a model that lost its way. */
const maxCalls = 30;

/**
 * Asks the model, does what it asks for, and asks again, until it is done. The user's message is already in the
 * conversation. Resolves with `cancelled` at once when the signal aborts; rejects when the model gives no answer.
 */
export async function runTurn(options: TurnOptions, signal: AbortSignal): Promise<StopReason> {
  const { conversation, broker } = options;
  const tools = describeTools();
  const overhead = estimateTokens(JSON.stringify(tools) + options.system.join());
  const guard = new LoopGuard();
  for (let requests = 0; requests < options.maxRequests; requests++) {
    conversation.fit(options.inputTokens - overhead);
    const announced = new AnnouncedCalls(broker);
    const answer = await askModel(options, tools, announced, signal);
    if (answer === 'cancelled') return 'cancelled';
    const hasContent = conversation.addAnswer(answer.parts);
    const calls = answer.parts.filter(part => part.kind === 'toolCall');
    if (answer.stop === 'maxTokens' || answer.stop === 'refusal') {
      // The last call may be half written; none is run.
      for (const call of calls) await announced.drop(call.callId);
      if (calls.length > 0)
        conversation.addResults(
          calls.map(call => notRun(call, 'the answer was cut off before it was whole')),
        );
      return answer.stop === 'maxTokens' ? 'max_tokens' : 'refusal';
    }
    if (calls.length === 0) {
      if (answer.stop === 'paused' && hasContent) continue;
      if (!hasContent) await say(broker, 'The model ended its turn without saying anything.');
      return 'end_turn';
    }
    const outcomes = await runCalls(calls.slice(0, maxCalls), announced, options, signal);
    conversation.addResults([
      ...outcomes.map(({ call, ok, text }) => ({
        kind: 'toolResult' as const,
        callId: call.callId,
        ok,
        text,
      })),
      ...calls.slice(maxCalls).map(call => notRun(call, `at most ${maxCalls} calls are run at once`)),
    ]);
    if (signal.aborted) return 'cancelled';
    if (outcomes.some(outcome => outcome.didChange)) guard.reset();
    const stuck = outcomes.find(({ call, counts, ok }) => guard.isStuck(call.name, call.json, ok || !counts));
    if (stuck !== undefined) {
      const words = `I stopped because the same call of ${stuck.call.name} failed ${maxSameFailures} times. The last time: ${firstLine(stuck.text)}`;
      conversation.addAnswer([{ kind: 'text', text: words }]);
      await say(broker, words);
      return 'end_turn';
    }
  }
  return 'max_turn_requests';
}

async function askModel(
  { conversation, model, broker, system }: TurnOptions,
  tools: ReturnType<typeof describeTools>,
  announced: AnnouncedCalls,
  signal: AbortSignal,
): Promise<ModelAnswer | 'cancelled'> {
  const messageId = randomId();
  const thoughtId = randomId();
  let said = '';
  let begun = 0;
  let sent: Promise<unknown> = Promise.resolve();
  const tellOf = (delta: ModelDelta): Promise<unknown> => {
    switch (delta.kind) {
      case 'text':
        return broker.update({
          sessionUpdate: 'agent_message_chunk',
          messageId,
          content: { type: 'text', text: delta.text },
        });
      case 'thought':
        return broker.update({
          sessionUpdate: 'agent_thought_chunk',
          messageId: thoughtId,
          content: { type: 'text', text: delta.text },
        });
      case 'toolCall':
        return begun++ < maxCalls ? announced.tell(delta.callId, factsBefore(delta.name)) : sent;
    }
  };
  try {
    const answering = model.answer(
      { system, tools, messages: conversation.messages },
      delta => {
        if (signal.aborted) return;
        if (delta.kind === 'text') said += delta.text;
        sent = tellOf(delta);
        // A broken connection ends the process elsewhere.
        sent.catch(() => {});
      },
      signal,
    );
    const answer = await orAborted(answering, signal);
    // One wait for all: messages leave in order.
    await sent;
    return answer;
  } catch (error) {
    // What the user saw stays part of the conversation.
    if (said.trim() !== '') conversation.addAnswer([{ kind: 'text', text: said }]);
    if (signal.aborted) return 'cancelled';
    // The estimate was too low for this model. Without this every later prompt would fail the same way.
    if (isTooLong(error)) conversation.fit(Math.floor(tokensOf(conversation.messages) * 0.6));
    throw error;
  }
}

async function say(broker: Broker, text: string): Promise<void> {
  await broker.update({
    sessionUpdate: 'agent_message_chunk',
    messageId: randomId(),
    content: { type: 'text', text },
  });
}

function notRun(call: ToolCallPart, why: string): Extract<UserPart, { kind: 'toolResult' }> {
  return {
    kind: 'toolResult',
    callId: call.callId,
    ok: false,
    text: `Not run: ${why}.`,
  };
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
