import OpenAI from 'openai';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openaiBackend } from '../../../src/gateway/openaiBackend.ts';
import { type AnyProvider, anyProvider, sse } from './anyProvider.ts';
import { type GatewayForTest, gatewayForTest, problems } from './gatewayForTest.ts';

// What servers that call themselves OpenAI-compatible do differently.

let provider: AnyProvider;
let open: GatewayForTest | undefined;

beforeEach(async () => {
  provider = await anyProvider();
});
afterEach(async () => {
  await open?.[Symbol.asyncDispose]();
  open = undefined;
  provider[Symbol.dispose]();
});

const chunk = (fields: object) =>
  `data: ${JSON.stringify({ object: 'chat.completion.chunk', ...fields })}\n\n`;
const text = chunk({ choices: [{ delta: { content: 'ok' }, finish_reason: null }] });
const stop = chunk({ choices: [{ delta: {}, finish_reason: 'stop' }] });

async function askOpenai(credential = '', body: object = {}): Promise<string> {
  open = await gatewayForTest(
    openaiBackend({ model: 'local', baseUrl: provider.url, credential: async () => credential }),
  );
  const client = new OpenAI({
    apiKey: open.gateway.token,
    baseURL: `${open.origin}/v1`,
    maxRetries: 0,
    logLevel: 'off',
  });
  const stream = await client.chat.completions.create({
    model: 'x',
    stream: true,
    messages: [{ role: 'user', content: 'Hi' }],
    ...body,
  });
  let said = '';
  for await (const { choices } of stream) said += choices[0]?.delta.content ?? '';
  return said;
}

test('servers need no key, and get none', async () => {
  provider.answer = outgoing => outgoing.writeHead(200, sse).end(`${text}${stop}data: [DONE]\n\n`);
  expect(await askOpenai('', { max_completion_tokens: 7 })).toBe('ok');
  expect(provider.asked[0]?.headers.authorization).toBeUndefined();
  expect(provider.asked[0]?.url).toBe('/v1/chat/completions');
  expect(JSON.parse(provider.asked[0]?.body ?? '')).toEqual({
    model: 'local',
    stream: true,
    messages: [{ role: 'user', content: 'Hi' }],
    max_tokens: 7,
    stream_options: { include_usage: true },
  });
});

test('servers that forget the last event are forgiven when the answer is whole', async () => {
  provider.answer = outgoing => outgoing.writeHead(200, sse).end(text + stop);
  expect(await askOpenai()).toBe('ok');
  expect(problems(open?.events ?? [])).toEqual([]);
});

test('servers that stop in the middle are not', async () => {
  provider.answer = outgoing => outgoing.writeHead(200, sse).end(text);
  await expect(askOpenai()).rejects.toThrow('broke before the answer was complete');
});

test('servers that filter the answer get a sentence for it', async () => {
  provider.answer = outgoing =>
    outgoing
      .writeHead(200, sse)
      .end(text + chunk({ choices: [{ delta: {}, finish_reason: 'content_filter' }] }));
  expect(await askOpenai()).toBe('ok');
  expect(problems(open?.events ?? [])).toEqual([{ code: 'gateway.contentFiltered' }]);
});

test('servers that fail inside the stream do not look whole', async () => {
  provider.answer = outgoing =>
    outgoing.writeHead(200, sse).end(
      text +
        chunk({
          error: { code: 502, message: 'Provider disconnected' },
          choices: [{ delta: {}, finish_reason: 'error' }],
        }),
    );
  await expect(askOpenai()).rejects.toThrow('Provider disconnected');
});

test('servers count cached tokens apart', async () => {
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 5,
    total_tokens: 105,
    prompt_tokens_details: { cached_tokens: 80 },
  };
  provider.answer = outgoing =>
    outgoing.writeHead(200, sse).end(`${text}${stop}${chunk({ choices: [], usage })}data: [DONE]\n\n`);
  await askOpenai();
  expect(open?.events.at(-1)).toMatchObject({
    usage: { inputTokens: 20, cacheReadTokens: 80, outputTokens: 5 },
  });
});
