import Anthropic from '@anthropic-ai/sdk';
import { afterEach, describe, expect, test } from 'vitest';
import type { AnswerPart } from '../../../src/gateway/anthropicAnswer.ts';
import {
  type LanguageModel,
  languageModelBackend,
  type LanguageModelRequest,
} from '../../../src/gateway/languageModelBackend.ts';
import { type GatewayForTest, gatewayForTest, problems, until } from './gatewayForTest.ts';

// Models that speak no wire protocol, such as VS Code's own, behind the official SDK.

let open: GatewayForTest | undefined;
afterEach(async () => {
  await open?.[Symbol.asyncDispose]();
  open = undefined;
});

/** A model that answers with these parts and notes what it was asked. */
function model(parts: readonly (AnswerPart | Error)[], more: Partial<LanguageModel> = {}) {
  const asked: LanguageModelRequest[] = [];
  const languageModel: LanguageModel = {
    name: 'Copilot',
    async *respond(request) {
      asked.push(request);
      for (const part of parts) {
        if (part instanceof Error) throw part;
        yield part;
      }
    },
    ...more,
  };
  return { asked, languageModel };
}

async function sdk(languageModel: LanguageModel): Promise<Anthropic> {
  open = await gatewayForTest(languageModelBackend(languageModel));
  return new Anthropic({
    apiKey: null,
    authToken: open.gateway.token,
    baseURL: open.origin,
    maxRetries: 0,
    logLevel: 'off',
  });
}

const hello: Anthropic.MessageCreateParamsNonStreaming = {
  model: 'any',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Hi' }],
};

const parts: AnswerPart[] = [
  { kind: 'text', text: 'I ' },
  { kind: 'text', text: 'look.' },
  { kind: 'toolCall', name: 'read_file', input: { path: 'a' } },
  { kind: 'toolCall', name: 'read_file', input: { path: 'b' } },
  { kind: 'text', text: 'Then more.' },
];

test('text and tool calls come out as one message, streamed or whole', async () => {
  const { languageModel } = model(parts, { countTokens: async text => text.length });
  const client = await sdk(languageModel);
  const expected = {
    content: [
      { type: 'text', text: 'I look.' },
      { type: 'tool_use', name: 'read_file', input: { path: 'a' } },
      { type: 'tool_use', name: 'read_file', input: { path: 'b' } },
      { type: 'text', text: 'Then more.' },
    ],
    stop_reason: 'tool_use',
  };
  expect(await client.messages.stream(hello).finalMessage()).toMatchObject(expected);
  expect(await client.messages.create(hello)).toMatchObject(expected);
  const usage = open?.events.at(-1);
  expect(usage).toMatchObject({ kind: 'usage', usage: { requests: 2, outputTokens: 118 } });
});

test('it is asked with the system prompt in front, roles in turn, tools, and results as text', async () => {
  const { asked, languageModel } = model([{ kind: 'text', text: 'ok' }]);
  const client = await sdk(languageModel);
  await client.messages.create({
    ...hello,
    system: [{ type: 'text', text: 'Be brief.' }],
    tools: [{ name: 'read_file', description: 'Reads.', input_schema: { type: 'object' } }],
    messages: [
      { role: 'user', content: 'Hi' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm.', signature: 's' },
          { type: 'tool_use', id: 't1', name: 'read_file', input: { path: 'a' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'A' }] },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
        ],
      },
      { role: 'user', content: 'Go on' },
    ],
  });
  expect(asked).toEqual([
    {
      messages: [
        {
          role: 'user',
          parts: [
            { kind: 'text', text: 'Be brief.' },
            { kind: 'text', text: 'Hi' },
          ],
        },
        {
          role: 'assistant',
          parts: [{ kind: 'toolCall', callId: 't1', name: 'read_file', input: { path: 'a' } }],
        },
        {
          role: 'user',
          parts: [
            { kind: 'toolResult', callId: 't1', text: 'A' },
            { kind: 'text', text: '[An attachment was left out: this model takes text only.]' },
            { kind: 'text', text: 'Go on' },
          ],
        },
      ],
      tools: [{ name: 'read_file', description: 'Reads.', inputSchema: { type: 'object' } }],
    },
  ]);
});

describe('what goes wrong is said plainly', () => {
  test.each([
    ['NoPermissions', '', 403, 'gateway.notAllowed'],
    ['NotFound', '', 404, 'gateway.noModel'],
    ['Blocked', '', 400, 'gateway.contentFiltered'],
    ['', 'Your monthly quota is exhausted', 402, 'gateway.noCredit'],
    ['', 'something odd', 502, 'gateway.providerFailed'],
  ])('%s %s', async (code, message, status, problem) => {
    const { languageModel } = model([Object.assign(new Error(message), { code })]);
    const client = await sdk(languageModel);
    await expect(client.messages.stream(hello).finalMessage()).rejects.toMatchObject({ status });
    expect(problems(open?.events ?? [])).toEqual([{ code: problem }]);
  });

  test('also after the first words, and then the answer does not look whole', async () => {
    const { languageModel } = model([
      { kind: 'text', text: 'I ' },
      Object.assign(new Error('x'), { code: 'Blocked' }),
    ]);
    const client = await sdk(languageModel);
    await expect(client.messages.stream(hello).finalMessage()).rejects.toThrow('refused this request');
    expect(problems(open?.events ?? [])).toEqual([{ code: 'gateway.contentFiltered' }]);
  });
});

test('stopping reaches the model at once', async () => {
  let stopped = false;
  const { languageModel } = model([], {
    async *respond(_, signal) {
      yield { kind: 'text', text: 'I ' };
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
      stopped = true;
    },
  });
  const client = await sdk(languageModel);
  const stream = client.messages.stream(hello);
  stream.on('text', () => stream.abort());
  await expect(stream.finalMessage()).rejects.toThrow(/abort/i);
  await until(() => stopped);
  expect(problems(open?.events ?? [])).toEqual([]);
});
