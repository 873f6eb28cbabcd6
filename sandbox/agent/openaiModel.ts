import OpenAI, { APIConnectionError, APIError } from 'openai';
import type {
  ChatCompletionAssistantMessageParam,
  ChatCompletionChunk,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import { randomId } from '../../src/base/ids.ts';
import { modelRetries } from '../../src/protocol/model.ts';
import {
  argumentsObject,
  type AssistantPart,
  type ModelAnswer,
  type ModelClient,
  type ModelDelta,
  type ModelEndpoint,
  type ModelMessage,
  type ToolCallPart,
} from './model.ts';
import { cutStream, invalidAnswer, refusedByService, unreachable } from './modelErrors.ts';

/** A model behind the Chat Completions protocol: OpenAI itself and the many services and local servers that speak it. */
export function openaiModel(endpoint: ModelEndpoint): ModelClient {
  const client = new OpenAI({
    // Said outright, so that the SDK looks for nothing in the environment.
    apiKey: endpoint.token,
    baseURL: endpoint.baseUrl,
    organization: null,
    project: null,
    webhookSecret: null,
    adminAPIKey: null,
    // The gateway says when, by the headers that both SDKs obey.
    maxRetries: modelRetries,
    logLevel: 'off',
  });
  return {
    async answer(request, onDelta, signal) {
      let begun = false;
      try {
        const stream = await client.chat.completions.create(
          {
            model: endpoint.model,
            stream: true,
            messages: [
              // `system` and not `developer`: local servers know only the former, OpenAI takes both.
              { role: 'system', content: request.system.join('\n\n') },
              ...request.messages.flatMap(message => chatMessages(message)),
            ],
            tools: request.tools.map(tool => ({
              type: 'function',
              function: { ...tool, parameters: { ...tool.parameters } },
            })),
          },
          { signal },
        );
        begun = true;
        return await collect(stream, onDelta, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof APIConnectionError) throw begun ? cutStream(error) : unreachable(error);
        if (error instanceof APIError) throw refusedByService(error.status, serviceMessage(error), error);
        if (error instanceof SyntaxError) throw invalidAnswer('it is not JSON', error);
        if (begun && (error instanceof TypeError || (error instanceof Error && 'cause' in error)))
          throw cutStream(error);
        throw error;
      }
    },
  };
}

function chatMessages(message: ModelMessage): ChatCompletionMessageParam[] {
  if (message.role === 'assistant') {
    const text = message.parts.map(part => (part.kind === 'text' ? part.text : '')).join('');
    const calls = message.parts.filter(part => part.kind === 'toolCall');
    const given: ChatCompletionAssistantMessageParam = {
      role: 'assistant',
      content: text === '' && calls.length > 0 ? null : text,
    };
    if (calls.length > 0)
      given.tool_calls = calls.map(call => ({
        id: call.callId,
        type: 'function',
        // Servers parse what they get back; broken JSON of the model's would break the whole conversation.
        function: { name: call.name, arguments: JSON.stringify(argumentsObject(call.json)) },
      }));
    return [given];
  }
  // Results first: each must follow the call it answers before anything else is said.
  const results = message.parts
    .filter(part => part.kind === 'toolResult')
    .map((part): ChatCompletionMessageParam => ({
      role: 'tool',
      tool_call_id: part.callId,
      content: part.text,
    }));
  const text = message.parts.flatMap(part => (part.kind === 'text' ? [part.text] : [])).join('\n\n');
  return text === '' ? results : [...results, { role: 'user', content: text }];
}

/** Beyond the protocol: where reasoning models of DeepSeek, vLLM, Ollama and OpenRouter put their thoughts. */
type Delta = ChatCompletionChunk.Choice.Delta & { reasoning_content?: unknown; reasoning?: unknown };

/** A call while it streams in. */
interface OpenCall {
  readonly index: number;
  readonly serverId: string | undefined;
  readonly call: { -readonly [K in keyof ToolCallPart]: ToolCallPart[K] };
}

async function collect(
  stream: AsyncIterable<ChatCompletionChunk>,
  onDelta: (delta: ModelDelta) => void,
  signal: AbortSignal,
): Promise<ModelAnswer> {
  let text = '';
  let refused = false;
  let finish: string | null = null;
  const calls: OpenCall[] = [];
  for await (const chunk of stream) {
    // Services that answer 200 and then fail put the error into the stream.
    if ('error' in chunk && chunk.error) throw refusedByService(undefined, messageIn(chunk.error), undefined);
    const choice = chunk.choices?.[0];
    if (choice === undefined) continue;
    const delta: Delta | undefined = choice.delta;
    const thought = delta?.reasoning_content ?? delta?.reasoning;
    if (typeof thought === 'string' && thought !== '') onDelta({ kind: 'thought', text: thought });
    const said = delta?.content ?? delta?.refusal;
    if (delta?.refusal) refused = true;
    if (typeof said === 'string' && said !== '') {
      text += said;
      onDelta({ kind: 'text', text: said });
    }
    for (const part of delta?.tool_calls ?? []) {
      const index = part.index ?? 0;
      let open = calls.findLast(known => known.index === index);
      // Some servers send several whole calls under one index; a new id is a new call.
      if (open === undefined || (part.id && open.serverId !== part.id)) {
        // Some give no id, or the same one twice.
        const isTaken = calls.some(({ call }) => call.callId === part.id);
        const callId = part.id && !isTaken ? part.id : `call_${randomId().slice(0, 12)}`;
        open = { index, serverId: part.id, call: { kind: 'toolCall', callId, name: '', json: '' } };
        calls.push(open);
      }
      const { call } = open;
      const isNamed = call.name !== '';
      call.name += part.function?.name ?? '';
      if (!isNamed && call.name !== '') onDelta({ kind: 'toolCall', callId: call.callId, name: call.name });
      call.json += part.function?.arguments ?? '';
    }
    finish = choice.finish_reason ?? finish;
  }
  signal.throwIfAborted();
  if (finish === null) throw cutStream();
  const parts: AssistantPart[] = [
    ...(text === '' ? [] : [{ kind: 'text' as const, text }]),
    ...calls.map(({ call }) => call),
  ];
  return { parts, stop: refused ? 'refusal' : stopOf(finish, calls.length > 0) };
}

function stopOf(finish: string, hasCalls: boolean): ModelAnswer['stop'] {
  switch (finish) {
    case 'length':
      return 'maxTokens';
    case 'content_filter':
      return 'refusal';
    default:
      // Several servers say `stop` even when they call tools.
      return hasCalls ? 'toolCalls' : 'end';
  }
}

function serviceMessage(error: APIError): string {
  return messageIn(error.error) || error.message;
}

function messageIn(body: unknown): string {
  const given = body as { message?: unknown; error?: { message?: unknown } } | null | undefined;
  const message = given?.error?.message ?? given?.message ?? body;
  return typeof message === 'string' ? message : '';
}
