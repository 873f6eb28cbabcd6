import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { anthropicBackend } from '../../../src/gateway/anthropicBackend.ts';
import { demoBackend } from '../../../src/gateway/demo/demoBackend.ts';
import { openaiBackend } from '../../../src/gateway/openaiBackend.ts';
import { startGateway } from '../../../src/gateway/server.ts';
import { type GatewayForTest, gatewayForTest, problems } from './gatewayForTest.ts';

// Services that misbehave: a real HTTP server each, answering whatever the test wants.

const key = 'sk-odd-9c1e77d20ab34f58';

let provider: Server;
let asked: { url: string | undefined; headers: IncomingMessage['headers']; body: string }[];
let answer: (outgoing: ServerResponse, times: number) => void;
let open: GatewayForTest | undefined;

beforeEach(async () => {
  asked = [];
  provider = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      asked.push({ url: incoming.url, headers: incoming.headers, body: Buffer.concat(chunks).toString() });
      answer(outgoing, asked.length);
    });
  });
  provider.listen(0, '127.0.0.1');
  await once(provider, 'listening');
});

afterEach(async () => {
  await open?.[Symbol.asyncDispose]();
  open = undefined;
  provider.closeAllConnections();
  provider.close();
});

function address(): string {
  return `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
}

/** What the agent's side sees: the raw status and text of one streamed request, without an SDK's retries. */
async function ask(model = 'm'): Promise<{ status: number; text: string }> {
  open = await gatewayForTest(anthropicBackend({ model, baseUrl: address(), credential: async () => key }));
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
const sse = { 'content-type': 'text/event-stream' };

test('a good stream passes byte for byte, pings and comments included', async () => {
  const text = `${start}: a comment\n\nevent: ping\ndata: {"type": "ping"}\n\n${end}`;
  answer = outgoing => outgoing.writeHead(200, sse).end(text);
  expect(await ask()).toEqual({ status: 200, text });
  expect(open?.events.at(-1)).toEqual({
    kind: 'usage',
    usage: { inputTokens: 3, outputTokens: 9, cacheReadTokens: 40, requests: 1 },
  });
});

test('a service that never hangs up does not keep the agent waiting', async () => {
  answer = outgoing => outgoing.writeHead(200, sse).write(start + end);
  expect(await ask()).toEqual({ status: 200, text: start + end });
  expect(problems(open?.events ?? [])).toEqual([]);
});

test('tokens of several requests add up', async () => {
  answer = outgoing => outgoing.writeHead(200, sse).end(start + end);
  await ask();
  await Promise.all(
    [1, 2, 3].map(async () => (open === undefined ? undefined : await send(open, { stream: true }))),
  );
  expect(open?.events.at(-1)).toMatchObject({
    usage: { inputTokens: 12, outputTokens: 36, cacheReadTokens: 160, requests: 4 },
  });
});

test('the key goes into its header and nowhere else; protocol headers pass, others do not', async () => {
  answer = outgoing => outgoing.writeHead(200, sse).end(start + end);
  open = await gatewayForTest(
    anthropicBackend({ model: 'mine', baseUrl: address(), credential: async () => ` ${key}\n` }),
  );
  await send(
    open,
    { stream: true },
    { 'anthropic-beta': 'a-2025-01-01', 'x-evil': 'x', 'x-api-key': 'agent', cookie: 'c=1' },
  );
  const { url, headers, body } = asked[0] ?? { url: '', headers: {}, body: '{}' };
  expect(url).toBe('/v1/messages');
  expect(JSON.parse(body)).toMatchObject({ model: 'mine' });
  expect(body).not.toContain(key);
  const { host, connection, 'content-length': length, ...rest } = headers;
  expect([host, connection, Number(length)]).toEqual([address().slice(7), 'keep-alive', body.length]);
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
    answer = outgoing =>
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
    answer = outgoing => {
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
    answer = outgoing => outgoing.writeHead(429, { 'retry-after': key }).end();
    const { text } = await ask();
    expect(text + JSON.stringify(open?.events)).not.toContain(key);
  });
});

test('a redirect is not followed, so the key goes nowhere else', async () => {
  answer = outgoing => outgoing.writeHead(307, { location: `${address()}/stolen` }).end();
  expect(await ask()).toMatchObject({ status: 502, text: expect.stringContaining('redirect') });
  expect(asked.map(({ url }) => url)).toEqual(['/v1/messages']);
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
  answer = outgoing => outgoing.writeHead(200, headers).end(body);
  const { status, text } = await ask();
  expect(status).toBeGreaterThanOrEqual(500);
  expect(JSON.parse(text)).toMatchObject({ type: 'error', error: { message: expect.any(String) } });
  expect(problems(open?.events ?? [])).toMatchObject([{ code }]);
});

test('what fails before the first word is asked again by the SDK, and the user sees only the wait', async () => {
  answer = (outgoing, times) => {
    if (times === 1)
      outgoing
        .writeHead(200, sse)
        .end(event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }));
    else if (times === 2) outgoing.destroy();
    else outgoing.writeHead(200, sse).end(start + end);
  };
  open = await gatewayForTest(
    anthropicBackend({ model: 'm', baseUrl: address(), credential: async () => key }),
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
  answer = outgoing => outgoing.writeHead(429, { 'retry-after': '3600' }).end('{}');
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
  answer = outgoing =>
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
  answer = outgoing => {
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
  ['empty', '', 'There is no key'],
  ['two lines', 'sk-a\nx-evil: 1', 'characters that no key has'],
  ['not ASCII', 'sk-ключ', 'characters that no key has'],
])('a key that is %s is not sent at all', async (_, bad, words) => {
  answer = outgoing => outgoing.writeHead(200, sse).end(start + end);
  open = await gatewayForTest(
    anthropicBackend({ model: 'm', baseUrl: address(), credential: async () => bad }),
  );
  const { status, text } = await send(open, { stream: true });
  expect({ status, asked }).toEqual({ status: 401, asked: [] });
  expect(text).toContain(words);
  expect(text.includes(bad)).toBe(bad === '');
});

test('a keychain that fails is an error of its own, and nothing is sent', async () => {
  const credential = () => Promise.reject(new Error(`keychain says ${key}`));
  open = await gatewayForTest(anthropicBackend({ model: 'm', baseUrl: address(), credential }));
  const { status, text } = await send(open, { stream: true });
  expect({ status, asked }).toEqual({ status: 500, asked: [] });
  expect(text + JSON.stringify(open.events)).not.toContain(key);
});

describe('OpenAI-compatible servers', () => {
  const chunk = (fields: object) =>
    `data: ${JSON.stringify({ object: 'chat.completion.chunk', ...fields })}\n\n`;
  const text = chunk({ choices: [{ delta: { content: 'ok' }, finish_reason: null }] });
  const stop = chunk({ choices: [{ delta: {}, finish_reason: 'stop' }] });

  async function askOpenai(credential = '', body: object = {}): Promise<string> {
    open = await gatewayForTest(
      openaiBackend({ model: 'local', baseUrl: address(), credential: async () => credential }),
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

  test('need no key, and get none', async () => {
    answer = outgoing => outgoing.writeHead(200, sse).end(`${text}${stop}data: [DONE]\n\n`);
    expect(await askOpenai('', { max_completion_tokens: 7 })).toBe('ok');
    expect(asked[0]?.headers.authorization).toBeUndefined();
    expect(asked[0]?.url).toBe('/v1/chat/completions');
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
      model: 'local',
      stream: true,
      messages: [{ role: 'user', content: 'Hi' }],
      max_tokens: 7,
      stream_options: { include_usage: true },
    });
  });

  test('that forget the last event are forgiven when the answer is whole', async () => {
    answer = outgoing => outgoing.writeHead(200, sse).end(text + stop);
    expect(await askOpenai()).toBe('ok');
    expect(problems(open?.events ?? [])).toEqual([]);
  });

  test('that stop in the middle are not', async () => {
    answer = outgoing => outgoing.writeHead(200, sse).end(text);
    await expect(askOpenai()).rejects.toThrow('broke before the answer was complete');
  });

  test('that filter the answer get a sentence for it', async () => {
    answer = outgoing =>
      outgoing
        .writeHead(200, sse)
        .end(text + chunk({ choices: [{ delta: {}, finish_reason: 'content_filter' }] }));
    expect(await askOpenai()).toBe('ok');
    expect(problems(open?.events ?? [])).toEqual([{ code: 'gateway.contentFiltered' }]);
  });

  test('that fail inside the stream do not look whole', async () => {
    answer = outgoing =>
      outgoing.writeHead(200, sse).end(
        text +
          chunk({
            error: { code: 502, message: 'Provider disconnected' },
            choices: [{ delta: {}, finish_reason: 'error' }],
          }),
      );
    await expect(askOpenai()).rejects.toThrow('Provider disconnected');
  });

  test('count cached tokens apart', async () => {
    const usage = {
      prompt_tokens: 100,
      completion_tokens: 5,
      total_tokens: 105,
      prompt_tokens_details: { cached_tokens: 80 },
    };
    answer = outgoing =>
      outgoing.writeHead(200, sse).end(`${text}${stop}${chunk({ choices: [], usage })}data: [DONE]\n\n`);
    await askOpenai();
    expect(open?.events.at(-1)).toMatchObject({
      usage: { inputTokens: 20, cacheReadTokens: 80, outputTokens: 5 },
    });
  });
});

test('a folder that others can look into gets no socket', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cordon-gw-'));
  await chmod(directory, 0o755);
  const options = { directory, backend: demoBackend(), maxRequests: 1, onEvent() {} };
  await expect(startGateway(options)).rejects.toMatchObject({ code: 'gateway.unsafeDirectory' });
  await rm(directory, { recursive: true });
});

test('a path that is too long for a socket is said to be that', async () => {
  const options = {
    directory: join(tmpdir(), 'x'.repeat(100)),
    backend: demoBackend(),
    maxRequests: 1,
    onEvent() {},
  };
  await expect(startGateway(options)).rejects.toMatchObject({ code: 'gateway.socketPath' });
});
