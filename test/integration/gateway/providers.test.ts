import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Anthropic, { APIError } from '@anthropic-ai/sdk';
import { LLMock } from '@copilotkit/aimock';
import OpenAI, { APIError as OpenaiError } from 'openai';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { anthropicBackend } from '../../../src/gateway/anthropicBackend.ts';
import type { ModelBackend } from '../../../src/gateway/gateway.ts';
import { openaiBackend } from '../../../src/gateway/openaiBackend.ts';
import { type GatewayForTest, gatewayForTest, problems, until } from './gatewayForTest.ts';

// The official SDKs, through the gateway, to a third-party mock of the providers that checks the key.

const key = 'sk-test-4f1d9a6c2b8e7035';
const mock = new LLMock({ port: 0, auth: { apiKeys: [key] } });
let open: GatewayForTest | undefined;

beforeAll(async () => {
  await mock.start();
});
afterAll(async () => {
  await mock.stop();
});
afterEach(async () => {
  const seen = JSON.stringify(open?.events ?? []);
  await open?.[Symbol.asyncDispose]();
  open = undefined;
  mock.clearFixtures();
  mock.clearRequests();
  // Whatever the test was about: no event holds the key.
  if (seen.includes(key)) throw new Error('An event holds the key.');
});

function anthropicBehind(model = 'claude-test', credential = key): ModelBackend {
  return anthropicBackend({ model, baseUrl: mock.url, credential: async () => credential });
}

function openaiBehind(model = 'gpt-test', credential = key): ModelBackend {
  return openaiBackend({ model, baseUrl: `${mock.url}/v1`, credential: async () => credential });
}

async function anthropicSdk(backend = anthropicBehind(), maxRetries = 4): Promise<Anthropic> {
  open = await gatewayForTest(backend);
  return new Anthropic({
    apiKey: null,
    authToken: open.gateway.token,
    baseURL: open.origin,
    maxRetries,
    logLevel: 'off',
  });
}

async function openaiSdk(backend = openaiBehind(), maxRetries = 4): Promise<OpenAI> {
  open = await gatewayForTest(backend);
  return new OpenAI({
    apiKey: open.gateway.token,
    baseURL: `${open.origin}/v1`,
    maxRetries,
    logLevel: 'off',
  });
}

const weather = {
  name: 'weather',
  description: 'Tells it.',
  input_schema: { type: 'object' as const, properties: {} },
};

function askAnthropic(client: Anthropic, content: string, signal?: AbortSignal) {
  const body = {
    model: 'anything',
    max_tokens: 100,
    tools: [weather],
    messages: [{ role: 'user' as const, content }],
  };
  return client.messages.stream(body, { signal }).finalMessage();
}

async function askOpenai(client: OpenAI, content: string): Promise<OpenAI.ChatCompletionChunk[]> {
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  const stream = await client.chat.completions.create({
    model: 'anything',
    stream: true,
    messages: [{ role: 'user', content }],
    tools: [
      { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } },
    ],
  });
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

async function failureOf(answer: Promise<unknown>): Promise<{ status: number | undefined; message: string }> {
  const error = await answer.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new TypeError('not an error');
  const status = error instanceof APIError || error instanceof OpenaiError ? error.status : undefined;
  return { status, message: error.message };
}

test('Anthropic: thinking, text and two parallel tool calls stream through, and the tokens are counted', async () => {
  mock.onMessage('both cities', {
    reasoning: 'Two cities, two calls.',
    content: 'I look at both.',
    toolCalls: [
      { name: 'weather', arguments: { city: 'Ulm' }, id: 'toolu_1' },
      { name: 'weather', arguments: { city: 'Bern' }, id: 'toolu_2' },
    ],
    usage: { input_tokens: 120, output_tokens: 30 },
  });
  const message = await askAnthropic(await anthropicSdk(), 'both cities');

  expect(message.content).toMatchObject([
    { type: 'thinking', thinking: 'Two cities, two calls.' },
    { type: 'text', text: 'I look at both.' },
    { type: 'tool_use', id: 'toolu_1', input: { city: 'Ulm' } },
    { type: 'tool_use', id: 'toolu_2', input: { city: 'Bern' } },
  ]);
  expect(open?.events.at(-1)).toEqual({
    kind: 'usage',
    usage: { inputTokens: 120, outputTokens: 30, cacheReadTokens: 0, requests: 1 },
  });
  expect(problems(open?.events ?? [])).toEqual([]);
});

test('OpenAI: parallel tool calls stream through, and the tokens are asked for and counted', async () => {
  mock.onMessage('both cities', {
    toolCalls: [
      { name: 'weather', arguments: { city: 'Ulm' }, id: 'call_1' },
      { name: 'weather', arguments: { city: 'Bern' }, id: 'call_2' },
    ],
    usage: { prompt_tokens: 50, completion_tokens: 9, total_tokens: 59 },
  });
  const chunks = await askOpenai(await openaiSdk(), 'both cities');

  const calls = chunks.flatMap(chunk => chunk.choices[0]?.delta.tool_calls ?? []);
  expect(calls.filter(call => call.id).map(call => call.id)).toEqual(['call_1', 'call_2']);
  expect(open?.events.at(-1)).toEqual({
    kind: 'usage',
    usage: { inputTokens: 50, outputTokens: 9, cacheReadTokens: 0, requests: 1 },
  });
});

test('the provider gets the real key and the configured model, and nothing of the session', async () => {
  mock.onMessage('hello', { content: 'hi' });
  const client = await anthropicSdk();
  await askAnthropic(client, 'hello');

  const seen = mock.getLastRequest();
  expect(seen?.body).toMatchObject({ model: 'claude-test' });
  expect(JSON.stringify(seen)).not.toContain(open?.gateway.token);
  expect(Object.keys(seen?.headers ?? {}).filter(name => /stainless|user-agent|cookie/.test(name))).toEqual([
    'user-agent',
  ]);
  expect(seen?.headers['user-agent']).not.toMatch(/anthropic/i);
});

test('an answer that is not streamed passes too', async () => {
  mock.onMessage('hello', { content: 'hi', usage: { input_tokens: 7, output_tokens: 2 } });
  const client = await anthropicSdk();
  const message = await client.messages.create({
    model: 'x',
    max_tokens: 10,
    messages: [{ role: 'user', content: 'hello' }],
  });
  expect(message.content).toMatchObject([{ type: 'text', text: 'hi' }]);
  expect(open?.events.at(-1)).toMatchObject({ usage: { inputTokens: 7, outputTokens: 2, requests: 1 } });
});

test('a rate limit is waited out as long as the provider asks, and the user reads how long', async () => {
  mock.onMessage('hello', { content: 'hi' });
  mock.prependFixture({
    match: { userMessage: 'hello', sequenceIndex: 0 },
    response: { error: { message: 'Slow down.', type: 'rate_limit_error' }, status: 429, retryAfter: 1 },
  });
  const client = await anthropicSdk();
  const started = Date.now();
  const message = await askAnthropic(client, 'hello');
  expect(message.content).toMatchObject([{ text: 'hi' }]);
  expect(Date.now() - started).toBeGreaterThan(950);
  expect(problems(open?.events ?? [])).toEqual([{ code: 'gateway.rateLimited', retryAfter: 1 }]);
});

test('an overloaded provider is asked again four times, and then the user is told that it is over', async () => {
  mock.onMessage('hello', { error: { message: 'Overloaded', type: 'overloaded_error' }, status: 529 });
  const failure = await failureOf(askAnthropic(await anthropicSdk(), 'hello'));
  expect(failure.status).toBe(529);
  expect(failure.message).toContain('is overloaded or down at the moment');
  expect(problems(open?.events ?? [])).toEqual([
    { code: 'gateway.overloaded', retryAfter: 0.5 },
    { code: 'gateway.overloaded', retryAfter: 1 },
    { code: 'gateway.overloaded', retryAfter: 2 },
    { code: 'gateway.overloaded', retryAfter: 4 },
    { code: 'gateway.overloaded' },
  ]);
});

test('a spent quota looks like a rate limit to SDKs but is not asked again', async () => {
  mock.onMessage('hello', {
    error: {
      message: 'You exceeded your current quota',
      type: 'insufficient_quota',
      code: 'insufficient_quota',
    },
    status: 429,
  });
  const failure = await failureOf(askOpenai(await openaiSdk(), 'hello'));
  expect(failure.status).toBe(429);
  expect(problems(open?.events ?? [])).toEqual([{ code: 'gateway.noCredit' }]);
  expect(mock.getRequests()).toHaveLength(1);
});

test.each([
  [
    'Anthropic',
    async () => askAnthropic(await anthropicSdk(anthropicBehind('m', 'sk-wrong-0000000000')), 'hello'),
  ],
  ['OpenAI', async () => askOpenai(await openaiSdk(openaiBehind('m', 'sk-wrong-0000000000')), 'hello')],
])('%s: a wrong key is one plain sentence, said at once, without the key', async (_, ask) => {
  const failure = await failureOf(ask());
  expect(failure.status).toBe(401);
  expect(failure.message).toContain('did not accept the key');
  expect(failure.message).not.toContain('sk-wrong');
  expect(problems(open?.events ?? [])).toEqual([{ code: 'gateway.wrongKey' }]);
});

test('a model that does not exist is named as the problem', async () => {
  mock.onMessage('hello', { error: { message: 'model: claude-none', type: 'not_found_error' }, status: 404 });
  const failure = await failureOf(askAnthropic(await anthropicSdk(), 'hello'));
  expect(failure).toMatchObject({
    status: 404,
    message: expect.stringContaining('knows no model of that name'),
  });
  expect(problems(open?.events ?? [])).toEqual([{ code: 'gateway.noModel' }]);
});

test.each([
  ['Anthropic', async () => askAnthropic(await anthropicSdk(), 'long')],
  ['OpenAI', async () => askOpenai(await openaiSdk(), 'long')],
])('%s: a stream that breaks in the middle ends with an error, never as if it were whole', async (_, ask) => {
  const content = Array.from({ length: 200 }, (_, index) => `word${index}`).join(' ');
  mock.onMessage('long', { content }, { truncateAfterChunks: 8, chunkSize: 10, latency: 30 });
  const failure = await failureOf(ask());
  expect(failure.message).toContain('broke before the answer was complete');
  expect(problems(open?.events ?? [])).toEqual([{ code: 'gateway.cut' }]);
});

test('hanging up ends the request at the provider at once', async () => {
  let hungUp = false;
  const provider = createServer((incoming, outgoing) => {
    incoming.resume();
    outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
    const timer = setInterval(() => outgoing.write('event: ping\ndata: {"type":"ping"}\n\n'), 20);
    outgoing.on('close', () => {
      clearInterval(timer);
      hungUp = true;
    });
  }).listen(0, '127.0.0.1');
  await once(provider, 'listening');
  const { port } = provider.address() as AddressInfo;
  const client = await anthropicSdk(
    anthropicBackend({ model: 'm', baseUrl: `http://127.0.0.1:${port}`, credential: async () => key }),
  );
  const stop = new AbortController();
  const stream = await client.messages.create(
    { model: 'x', max_tokens: 100, stream: true, messages: [{ role: 'user', content: 'hello' }] },
    { signal: stop.signal },
  );
  expect(hungUp).toBe(false);
  stop.abort();
  for await (const event of stream) expect(event.type).toBe('ping');
  await until(() => hungUp);
  expect(problems(open?.events ?? [])).toEqual([]);
  provider.close();
});
