import Anthropic, { APIConnectionError, APIError } from '@anthropic-ai/sdk';
import type {
  ContentBlockParam,
  MessageParam,
  RawMessageStreamEvent,
  TextBlockParam,
  ToolUnion,
} from '@anthropic-ai/sdk/resources/messages/messages';
import * as z from 'zod';
import { modelRetries } from '../../src/protocol/model.ts';
import {
  argumentsObject,
  type AssistantPart,
  type ModelAnswer,
  type ModelClient,
  type ModelDelta,
  type ModelEndpoint,
  type ModelMessage,
  type ModelRequest,
} from './model.ts';
import { cutStream, invalidAnswer, refusedByService, unreachable } from './modelErrors.ts';

/** A model behind the Anthropic Messages protocol. Thinking goes back to the provider as it came. */
export function anthropicModel(endpoint: ModelEndpoint): ModelClient {
  const client = new Anthropic({
    // Said outright, so that the SDK looks for no credential and no address anywhere else.
    apiKey: null,
    authToken: endpoint.token,
    baseURL: endpoint.baseUrl,
    // The gateway says when, by the headers that both SDKs obey.
    maxRetries: modelRetries,
    logLevel: 'off',
  });
  return {
    async answer(request, onDelta, signal) {
      let begun = false;
      try {
        const stream = await client.messages.create(
          {
            model: endpoint.model,
            max_tokens: endpoint.maxOutputTokens,
            stream: true,
            system: systemBlocks(request.system),
            tools: toolBlocks(request),
            messages: messagesWithCache(request.messages),
          },
          { signal },
        );
        begun = true;
        return await collect(stream, onDelta, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof APIConnectionError) throw begun ? cutStream(error) : unreachable(error);
        if (error instanceof APIError) throw refusedByService(error.status, serviceMessage(error), error);
        if (begun && !(error instanceof SyntaxError) && isNetworkFailure(error)) throw cutStream(error);
        if (error instanceof SyntaxError) throw invalidAnswer('it is not JSON', error);
        throw error;
      }
    },
  };
}

const ephemeral = { cache_control: { type: 'ephemeral' as const } };

function systemBlocks(parts: readonly string[]): TextBlockParam[] {
  return parts.map((text, index) => ({
    type: 'text',
    text,
    ...(index === parts.length - 1 ? ephemeral : {}),
  }));
}

function toolBlocks(request: ModelRequest): ToolUnion[] {
  return request.tools.map((tool, index) => ({
    name: tool.name,
    description: tool.description,
    input_schema: { ...tool.parameters, type: 'object' as const },
    ...(index === request.tools.length - 1 ? ephemeral : {}),
  }));
}

/** The last block of the last message is where the provider may cache up to. */
function messagesWithCache(messages: readonly ModelMessage[]): MessageParam[] {
  return messages.map((message, index) => {
    const content = message.parts.map(part => block(part)).filter(given => given !== undefined);
    const last = content.at(-1);
    if (index === messages.length - 1 && (last?.type === 'text' || last?.type === 'tool_result'))
      content[content.length - 1] = { ...last, ...ephemeral };
    return { role: message.role, content };
  });
}

function block(part: ModelMessage['parts'][number]): ContentBlockParam | undefined {
  switch (part.kind) {
    case 'text':
      // The provider refuses empty text.
      return part.text.trim() === '' ? undefined : { type: 'text', text: part.text };
    case 'toolCall':
      return { type: 'tool_use', id: part.callId, name: part.name, input: argumentsObject(part.json) };
    case 'toolResult':
      return { type: 'tool_result', tool_use_id: part.callId, is_error: !part.ok, content: part.text };
    case 'thinking':
      return part.raw as ContentBlockParam;
  }
}

/** A content block while it streams in. */
type Draft =
  | { kind: 'text'; text: string }
  | { kind: 'toolCall'; callId: string; name: string; json: string }
  | { kind: 'thinking'; raw: { type: 'thinking'; thinking: string; signature: string } }
  | { kind: 'redacted'; raw: { type: 'redacted_thinking'; data: string } };

async function collect(
  stream: AsyncIterable<RawMessageStreamEvent>,
  onDelta: (delta: ModelDelta) => void,
  signal: AbortSignal,
): Promise<ModelAnswer> {
  const drafts = new Map<number, Draft>();
  let stop: ModelAnswer['stop'] | undefined;
  let ended = false;
  for await (const event of stream) {
    if (event.type === 'content_block_start') {
      const draft = draftOf(event.content_block);
      if (draft !== undefined) drafts.set(event.index, draft);
      if (draft?.kind === 'text' && draft.text !== '') onDelta({ kind: 'text', text: draft.text });
      if (draft?.kind === 'toolCall') onDelta({ kind: 'toolCall', callId: draft.callId, name: draft.name });
    } else if (event.type === 'content_block_delta') {
      const draft = drafts.get(event.index);
      const delta = event.delta;
      if (delta.type === 'text_delta' && draft?.kind === 'text') {
        draft.text += delta.text;
        onDelta({ kind: 'text', text: delta.text });
      } else if (delta.type === 'input_json_delta' && draft?.kind === 'toolCall') {
        draft.json += delta.partial_json;
      } else if (delta.type === 'thinking_delta' && draft?.kind === 'thinking') {
        draft.raw.thinking += delta.thinking;
        onDelta({ kind: 'thought', text: delta.thinking });
      } else if (delta.type === 'signature_delta' && draft?.kind === 'thinking') {
        draft.raw.signature += delta.signature;
      }
    } else if (event.type === 'message_delta') {
      stop = stopOf(event.delta.stop_reason) ?? stop;
    } else if (event.type === 'message_stop') {
      ended = true;
    }
  }
  // The SDK ends an aborted stream as if it were whole.
  signal.throwIfAborted();
  if (!ended) throw cutStream();
  const parts = [...drafts.entries()].sort(([a], [b]) => a - b).map(([, draft]) => partOf(draft));
  return { parts, stop: stop ?? (parts.some(part => part.kind === 'toolCall') ? 'toolCalls' : 'end') };
}

function draftOf(
  start: Extract<RawMessageStreamEvent, { type: 'content_block_start' }>['content_block'],
): Draft | undefined {
  switch (start.type) {
    case 'text':
      return { kind: 'text', text: start.text };
    case 'tool_use': {
      // Normally an empty object that the deltas fill; some compatible services send it whole.
      const whole =
        typeof start.input === 'object' && start.input !== null && Object.keys(start.input).length > 0;
      return {
        kind: 'toolCall',
        callId: start.id,
        name: start.name,
        json: whole ? JSON.stringify(start.input) : '',
      };
    }
    case 'thinking':
      return {
        kind: 'thinking',
        raw: { type: 'thinking', thinking: start.thinking, signature: start.signature ?? '' },
      };
    case 'redacted_thinking':
      return { kind: 'redacted', raw: { type: 'redacted_thinking', data: start.data } };
    default:
      // Blocks of server-side tools, which Cordon never asks for.
      return undefined;
  }
}

function partOf(draft: Draft): AssistantPart {
  switch (draft.kind) {
    case 'text':
    case 'toolCall':
      return draft;
    case 'thinking':
      return {
        kind: 'thinking',
        raw: draft.raw,
        size: draft.raw.thinking.length + draft.raw.signature.length,
      };
    case 'redacted':
      return { kind: 'thinking', raw: draft.raw, size: draft.raw.data.length };
  }
}

function stopOf(reason: string | null): ModelAnswer['stop'] | undefined {
  switch (reason) {
    case null:
      return undefined;
    case 'tool_use':
      return 'toolCalls';
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'maxTokens';
    case 'refusal':
      return 'refusal';
    case 'pause_turn':
      return 'paused';
    default:
      return 'end';
  }
}

/** The sentence of `{type: 'error', error: {message}}`; the SDK's own message leads with status and JSON. */
function serviceMessage(error: APIError): string {
  const body: unknown = error.error;
  const parsed = ErrorBody.safeParse(body);
  return parsed.success ? parsed.data.error.message : error.message;
}

const ErrorBody = z.object({ error: z.object({ message: z.string() }) });

/** What the built-in fetch throws when a body stops short. */
function isNetworkFailure(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof Error && 'code' in error);
}
