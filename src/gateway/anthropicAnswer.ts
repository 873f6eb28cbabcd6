import { randomId } from '../base/ids.ts';

/** One piece of an answer, for models that the gateway serves itself. Text comes in as many pieces as there are. */
export type AnswerPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'toolCall'; readonly name: string; readonly input: Readonly<Record<string, unknown>> };

export interface AnswerOptions {
  readonly model: string;
  readonly streamed: boolean;
  /** Tokens of question and answer, asked for at the end; zeros where nobody counted. */
  readonly countTokens?: () => Promise<{ input_tokens: number; output_tokens: number }>;
}

/**
 * Speaks the Anthropic Messages protocol for a model that does not: the parts become one message, streamed as the
 * provider would or whole. When the parts fail the stream fails with them; nothing pretends to be a whole answer.
 */
export async function anthropicAnswer(
  parts: AsyncIterable<AnswerPart>,
  options: AnswerOptions,
): Promise<Response> {
  const events = messageEvents(parts, options);
  if (!options.streamed) return Response.json(await wholeMessage(events));
  // The first part is awaited here, so that a model that refuses at once still answers with an error.
  const opening = [await events.next(), await events.next()];
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = opening.shift() ?? (await events.next());
      if (next.done === true) return controller.close();
      controller.enqueue(
        encoder.encode(`event: ${next.value.type}\ndata: ${JSON.stringify(next.value)}\n\n`),
      );
    },
    async cancel() {
      await events.return(undefined);
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

type MessageEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

async function* messageEvents(
  parts: AsyncIterable<AnswerPart>,
  options: AnswerOptions,
): AsyncGenerator<MessageEvent, void> {
  yield {
    type: 'message_start',
    message: {
      id: `msg_${randomId()}`,
      type: 'message',
      role: 'assistant',
      model: options.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 0, output_tokens: 0 },
    },
  };
  let index = -1;
  let inText = false;
  let stopReason = 'end_turn';
  for await (const part of parts) {
    const startsBlock = part.kind === 'toolCall' || !inText;
    if (startsBlock) {
      if (inText) yield { type: 'content_block_stop', index };
      index += 1;
    }
    if (part.kind === 'text') {
      if (startsBlock)
        yield { type: 'content_block_start', index, content_block: { type: 'text', text: '' } };
      yield { type: 'content_block_delta', index, delta: { type: 'text_delta', text: part.text } };
      inText = true;
    } else {
      const content_block = { type: 'tool_use', id: `toolu_${randomId()}`, name: part.name, input: {} };
      yield { type: 'content_block_start', index, content_block };
      const delta = { type: 'input_json_delta', partial_json: JSON.stringify(part.input) };
      yield { type: 'content_block_delta', index, delta };
      yield { type: 'content_block_stop', index };
      inText = false;
      stopReason = 'tool_use';
    }
  }
  if (inText) yield { type: 'content_block_stop', index };
  const usage = (await options.countTokens?.()) ?? { input_tokens: 0, output_tokens: 0 };
  yield {
    type: 'message_delta',
    delta: { stop_reason: stopReason, stop_sequence: null },
    usage,
  };
  yield { type: 'message_stop' };
}

/** The same message in one piece, for a request that asked for no stream. */
async function wholeMessage(events: AsyncIterable<MessageEvent>): Promise<unknown> {
  let message: Record<string, unknown> = {};
  let usage: Record<string, unknown> = {};
  const content: Record<string, unknown>[] = [];
  for await (const event of events as AsyncIterable<WireEvent>) {
    const last = content.at(-1);
    if (event.type === 'message_start') {
      usage = event.message.usage;
      message = event.message;
    } else if (event.type === 'content_block_start') {
      content.push({ ...event.content_block });
    } else if (event.type === 'content_block_delta' && last !== undefined) {
      if (event.delta.type === 'text_delta') last['text'] = `${String(last['text'])}${event.delta.text}`;
      else last['input'] = JSON.parse(event.delta.partial_json);
    } else if (event.type === 'message_delta') {
      message = { ...message, ...event.delta };
      usage = { ...usage, ...event.usage };
    }
  }
  return { ...message, content, usage };
}

/** The shapes that `messageEvents` makes. */
type WireEvent =
  | { type: 'message_start'; message: { usage: Record<string, unknown> } & Record<string, unknown> }
  | { type: 'content_block_start'; content_block: Record<string, unknown> }
  | {
      type: 'content_block_delta';
      delta: { type: 'text_delta'; text: string } | { type: 'input_json_delta'; partial_json: string };
    }
  | { type: 'message_delta'; delta: Record<string, unknown>; usage: Record<string, unknown> }
  | { type: 'content_block_stop' | 'message_stop' };
