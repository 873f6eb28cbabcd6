import Anthropic from '@anthropic-ai/sdk';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { anthropicBackend } from '../../../src/gateway/anthropicBackend.ts';
import { openaiBackend } from '../../../src/gateway/openaiBackend.ts';
import { type AnyProvider, anyProvider, sse } from './anyProvider.ts';
import { type GatewayForTest, gatewayForTest, problems } from './gatewayForTest.ts';

// Services that misbehave, each a real HTTP server.

const key = 'sk-odd-9c1e77d20ab34f58';

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

/** What the agent's side sees: the raw status and text of one streamed request, without an SDK's retries. */
async function ask(model = 'm'): Promise<{ status: number; text: string }> {
  open = await gatewayForTest(
    anthropicBackend({ model, baseUrl: provider.url, credential: async () => key }),
  );
  return await send(open, { stream: true });
}

async function send(gateway: GatewayForTest, more: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway.origin}/v1/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.gateway.token}`, ...headers },
    body: JSON.stringify({ model: 'x', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }], ...more }),
  });
  return { status: response.status, text: await response.text() };
}

function event(type: string, fields: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

const start = event('message_start', {
  message: { usage: { input_tokens: 3, cache_read_input_tokens: 40, output_tokens: 1 } },
});
const end =
  event('message_delta', {
    delta: { stop_reason: 'end_turn' },
    usage: { input_tokens: null, output_tokens: 9 },
  }) + event('message_stop');

test('a good stream passes byte for byte, pings and comments included', async () => {
  const text = `${start}: a comment\n\nevent: ping\ndata: {"type": "ping"}\n\n${end}`;
  provider.answer = outgoing => outgoing.writeHead(200, sse).end(text);
  expect(await ask()).toEqual({ status: 200, text });
  expect(open?.events.at(-1)).toEqual({
    kind: 'usage',
    usage: { inputTokens: 3, outputTokens: 9, cacheReadTokens: 40, requests: 1 },
  });
});

test('a service that never hangs up does not keep the agent waiting', async () => {
  provider.answer = outgoing => outgoing.writeHead(200, sse).write(start + end);
  expect(await ask()).toEqual({ status: 200, text: start + end });
  expect(problems(open?.events ?? [])).toEqual([]);
});

test('tokens of several requests add up', async () => {
  provider.answer = outgoing => outgoing.writeHead(200, sse).end(start + end);
  await ask();
  await Promise.all(
    [1, 2, 3].map(async () => (open === undefined ? undefined : await send(open, { stream: true }))),
  );
  expect(open?.events.at(-1)).toMatchObject({
    usage: { inputTokens: 12, outputTokens: 36, cacheReadTokens: 160, requests: 4 },
  });
});

test('the key goes into its header and nowhere else; protocol headers pass, others do not', async () => {
  provider.answer = outgoing => outgoing.writeHead(200, sse).end(start + end);
  open = await gatewayForTest(
    anthropicBackend({ model: 'mine', baseUrl: provider.url, credential: async () => ` ${key}\n` }),
  );
  await send(
    open,
    { stream: true },
    { 'anthropic-beta': 'a-2025-01-01', 'x-evil': 'x', 'x-api-key': 'agent', cookie: 'c=1' },
  );
  const { url, headers, body } = provider.asked[0] ?? { url: '', headers: {}, body: '{}' };
  expect(url).toBe('/v1/messages');
  expect(JSON.parse(body)).toMatchObject({ model: 'mine' });
  expect(body).not.toContain(key);
  const { host, connection, 'content-length': length, ...rest } = headers;
  expect([host, connection, Number(length)]).toEqual([provider.url.slice(7), 'keep-alive', body.length]);
  expect(rest).toEqual({
    'content-type': 'application/json',
    'x-api-key': key,
    'anthropic-version': '2026-10-21',
    'anthropic-beta': 'a-2025-01-01',
    accept: '*/*',
    'accept-language': '*',
    'accept-encoding': expect.any(String),
    'sec-fetch-mode': 'cors',
    'user-agent': 'node',
    'cache-control': 'no-cache',
    pragma: 'no-cache',
  });
});

describe('a provider that repeats the key', () => {
  test('in an error does not get it to the agent or the user', async () => {
    provider.answer = outgoing =>
      outgoing
        .writeHead(401, { 'content-type': 'application/json' })
        .end(`{"error":{"message":"bad key ${key}"}}`);
    const { status, text } = await ask();
    expect({ status, leaks: (text + JSON.stringify(open?.events)).includes(key) }).toEqual({
      status: 401,
      leaks: false,
    });
    expect(text).toContain('bad key [redacted]');
  });

  test('in a stream does not either, even divided between chunks', async () => {
    provider.answer = outgoing => {
      outgoing.writeHead(200, sse);
      const text = start + event('content_block_delta', { delta: { text: `your key is ${key}!` } }) + end;
      const middle = text.indexOf(key) + 9;
      outgoing.write(text.slice(0, middle));
      setTimeout(() => outgoing.end(text.slice(middle)), 50);
    };
    const { text } = await ask();
    expect(text).not.toContain(key.slice(0, 12));
    expect(text).toContain('your key is [redacted]!');
  });

  test('in a header does not either', async () => {
    provider.answer = outgoing => outgoing.writeHead(429, { 'retry-after': key }).end();
    const { text } = await ask();
    expect(text + JSON.stringify(open?.events)).not.toContain(key);
  });
});

test('a redirect is not followed, so the key goes nowhere else', async () => {
  provider.answer = outgoing => outgoing.writeHead(307, { location: `${provider.url}/stolen` }).end();
  expect(await ask()).toMatchObject({ status: 502, text: expect.stringContaining('redirect') });
  expect(provider.asked.map(({ url }) => url)).toEqual(['/v1/messages']);
  expect(problems(open?.events ?? [])).toEqual([{ code: 'gateway.redirected' }]);
});

test.each([
  ['a web page', { 'content-type': 'text/html' }, '<html>Sign in</html>', 'gateway.invalidAnswer'],
  [
    'an answer that was not to be whole',
    { 'content-type': 'application/json' },
    '{"type":"message"}',
    'gateway.invalidAnswer',
  ],
  [
    'an error with a good status',
    { 'content-type': 'application/json' },
    '{"error":{"type":"overloaded_error","message":"x"}}',
    'gateway.overloaded',
  ],
  ['events that are not JSON', sse, 'data: hello\n\n', 'gateway.invalidAnswer'],
  ['events of another protocol', sse, 'data: [1,2]\n\n', 'gateway.unexpectedAnswer'],
  ['an endless event', sse, `data: ${'x'.repeat(9_000_000)}`, 'gateway.invalidAnswer'],
  ['nothing', sse, '', 'gateway.cut'],
])('%s instead of a stream becomes a proper error', async (_, headers, body, code) => {
  provider.answer = outgoing => outgoing.writeHead(200, headers).end(body);
  const { status, text } = await ask();
  expect(status).toBeGreaterThanOrEqual(500);
  expect(JSON.parse(text)).toMatchObject({ type: 'error', error: { message: expect.any(String) } });
  expect(problems(open?.events ?? [])).toMatchObject([{ code }]);
});

test('what fails before the first word is asked again by the SDK, and the user sees only the wait', async () => {
  provider.answer = (outgoing, times) => {
    if (times === 1)
      outgoing
        .writeHead(200, sse)
        .end(event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }));
    else if (times === 2) outgoing.destroy();
    else outgoing.writeHead(200, sse).end(start + end);
  };
  open = await gatewayForTest(
    anthropicBackend({ model: 'm', baseUrl: provider.url, credential: async () => key }),
  );
  const client = new Anthropic({
    apiKey: null,
    authToken: open.gateway.token,
    baseURL: open.origin,
    maxRetries: 4,
    logLevel: 'off',
  });
  const message = await client.messages.create({
    model: 'x',
    max_tokens: 5,
    stream: true,
    messages: [{ role: 'user', content: 'Hi' }],
  });
  const types = [];
  for await (const { type } of message) types.push(type);
  expect(types).toEqual(['message_start', 'message_delta', 'message_stop']);
  expect(problems(open.events)).toEqual([
    { code: 'gateway.overloaded', retryAfter: 0.5 },
    { code: 'gateway.cut', retryAfter: 1 },
  ]);
});

test('a rate limit of an hour is not waited out but told', async () => {
  provider.answer = outgoing => outgoing.writeHead(429, { 'retry-after': '3600' }).end('{}');
  await ask();
  expect(open?.events.filter(event => event.kind === 'problem')).toMatchObject([
    {
      code: 'gateway.rateLimited',
      remedy: 'It asks to wait 60 minutes; send the message again then, or choose another model.',
    },
  ]);
  expect(problems(open?.events ?? [])).toEqual([{ code: 'gateway.rateLimited' }]);
});

test('an error in the middle of a stream ends it with that error', async () => {
  provider.answer = outgoing =>
    outgoing
      .writeHead(200, sse)
      .end(start + event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }));
  const { status, text } = await ask();
  expect(status).toBe(200);
  expect(text.startsWith(start)).toBe(true);
  expect(text).toMatch(/event: error\ndata: .*overloaded_error/);
  expect(problems(open?.events ?? [])).toEqual([{ code: 'gateway.overloaded' }]);
});

test('an answer without end is cut', async () => {
  provider.answer = outgoing => {
    outgoing.writeHead(200, sse);
    const block = event('content_block_delta', { delta: { text: 'x'.repeat(1_000_000) } });
    const more = () => {
      while (!outgoing.destroyed && outgoing.write(block));
      if (!outgoing.destroyed) outgoing.once('drain', more);
    };
    more();
  };
  const { text } = await ask();
  expect(text.length).toBeLessThan(66_000_000);
  expect(text.slice(-1_000)).toContain('event: error');
});

test.each([
  ['https://127.0.0.1:PORT', 'gateway.noEncryption'],
  ['http://does-not-exist.invalid', /gateway\.(noSuchHost|noNetwork|badBaseUrl)/],
])('%s is a mistake with a name', async (base, code) => {
  const baseUrl = base.replace('PORT', new URL(provider.url).port);
  open = await gatewayForTest(openaiBackend({ model: 'm', baseUrl, credential: async () => '' }));
  const response = await fetch(`${open.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${open.gateway.token}` },
    body: JSON.stringify({ model: 'x', stream: true, messages: [{ role: 'user', content: 'Hi' }] }),
  });
  expect(response.status).toBe(502);
  expect(await response.json()).toMatchObject({ error: { code: expect.stringMatching(code) } });
});

test.each([
  ['empty', '', 'There is no key'],
  ['two lines', 'sk-a\nx-evil: 1', 'characters that no key has'],
  ['not ASCII', 'sk-ключ', 'characters that no key has'],
])('a key that is %s is not sent at all', async (_, bad, words) => {
  provider.answer = outgoing => outgoing.writeHead(200, sse).end(start + end);
  open = await gatewayForTest(
    anthropicBackend({ model: 'm', baseUrl: provider.url, credential: async () => bad }),
  );
  const { status, text } = await send(open, { stream: true });
  expect({ status, asked: provider.asked }).toEqual({ status: 401, asked: [] });
  expect(text).toContain(words);
  expect(text.includes(bad)).toBe(bad === '');
});

test('a keychain that fails is an error of its own, and nothing is sent', async () => {
  const credential = () => Promise.reject(new Error(`keychain says ${key}`));
  open = await gatewayForTest(anthropicBackend({ model: 'm', baseUrl: provider.url, credential }));
  const { status, text } = await send(open, { stream: true });
  expect({ status, asked: provider.asked }).toEqual({ status: 500, asked: [] });
  expect(text + JSON.stringify(open.events)).not.toContain(key);
});
