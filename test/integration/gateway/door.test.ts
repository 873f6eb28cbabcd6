import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Anthropic, { APIError } from '@anthropic-ai/sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { demoBackend } from '../../../src/gateway/demo/demoBackend.ts';
import type { ModelBackend, ModelRequest } from '../../../src/gateway/gateway.ts';
import { startGateway } from '../../../src/gateway/server.ts';
import { type GatewayForTest, gatewayForTest, problems } from './gatewayForTest.ts';

// Who gets in, with what, and how often. Behind the door stands the demonstration model; what reaches it is noted.

const most = 4;
let asked: ModelRequest[];
let open: GatewayForTest;
let client: Anthropic;

beforeEach(async () => {
  asked = [];
  const demo = demoBackend({ pace: 0 });
  const backend: ModelBackend = {
    ...demo,
    async respond(request, signal) {
      asked.push(request);
      return await demo.respond(request, signal);
    },
  };
  open = await gatewayForTest(backend, most);
  client = new Anthropic({
    apiKey: null,
    authToken: open.gateway.token,
    baseURL: open.origin,
    maxRetries: 0,
    logLevel: 'off',
  });
});
afterEach(async () => {
  await open[Symbol.asyncDispose]();
});

function ask(content: string, sdk = client): Promise<Anthropic.Message> {
  return sdk.messages
    .stream({ model: 'x', max_tokens: 100, messages: [{ role: 'user', content }] })
    .finalMessage();
}

async function failureOf(answer: Promise<unknown>): Promise<{ status: number | undefined; message: string }> {
  const error = await answer.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new TypeError('not an error');
  return { status: error instanceof APIError ? error.status : undefined, message: error.message };
}

test('the budget of requests holds', async () => {
  for (let times = 0; times < most; times += 1) await ask('say: hi');
  const failure = await failureOf(ask('say: hi'));
  expect(failure.message).toContain('has made the 4 model requests that it may make');
  expect(asked).toHaveLength(most);
  expect(problems(open.events)).toEqual([{ code: 'gateway.budgetSpent' }]);
});

test('without the token nothing is served and nothing is asked', async () => {
  const { token } = open.gateway;
  for (const authToken of ['', 'x', '0'.repeat(32), `${token}0`, token.slice(1)]) {
    const stranger = new Anthropic({
      apiKey: null,
      authToken,
      baseURL: open.origin,
      maxRetries: 0,
      logLevel: 'off',
    });
    expect(await failureOf(ask('say: hi', stranger))).toMatchObject({ status: 401 });
  }
  expect(asked).toEqual([]);
  expect((await ask('say: hi')).content).toMatchObject([{ text: 'hi' }]);
});

test('only protocol headers reach the backend', async () => {
  await ask('say: hi');
  expect(asked.map(({ path, headers }) => ({ path, headers }))).toEqual([
    { path: '/v1/messages', headers: { 'anthropic-version': '2026-10-21' } },
  ]);
});

test('after the session the token is void, the socket is gone, and running answers are cut', async () => {
  const stream = client.messages.stream({
    model: 'x',
    max_tokens: 100,
    messages: [{ role: 'user', content: 'slow' }],
  });
  const ended = failureOf(stream.finalMessage());
  await new Promise<void>(resolve => stream.on('text', () => resolve()));
  const { socketPath } = open.gateway;
  await open.gateway[Symbol.asyncDispose]();
  expect((await ended).message).not.toBe('it did not fail');
  expect(await readdir(dirname(socketPath))).toEqual([]);
  expect(await failureOf(ask('say: hi'))).toMatchObject({ status: undefined });
  expect(problems(open.events)).toEqual([]);
});

test('bytes that are no request end their connection and nothing else', async () => {
  for (const bytes of [
    '\0\0\0\0',
    'POST /v1/messages',
    `GET / HTTP/1.1\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`,
  ]) {
    const socket = connect(open.gateway.socketPath).on('error', () => {});
    socket.end(bytes);
    socket.resume();
    await new Promise<void>(resolve => socket.on('close', () => resolve()));
  }
  expect((await ask('say: hi')).content).toMatchObject([{ text: 'hi' }]);
  expect(open.events.filter(event => event.kind === 'problem')).toEqual([]);
});

test('the socket is for its owner alone', async () => {
  expect((await stat(open.gateway.socketPath)).mode & 0o777).toBe(0o600);
  expect((await stat(dirname(open.gateway.socketPath))).mode & 0o777).toBe(0o700);
});

test.each([
  ['another path', 'POST', '/v1/models', 404],
  ['the other wire', 'POST', '/v1/chat/completions', 404],
  ['a path that climbs', 'POST', '/v1/messages/../files', 404],
  ['another method', 'GET', '/v1/messages', 405],
])('%s is not served', async (_, method, path, status) => {
  expect(await raw(method, path, '{}')).toMatchObject({
    status,
    body: { type: 'error', error: { message: expect.any(String) } },
  });
  expect(asked).toEqual([]);
});

test.each([
  ['nothing', ''],
  ['no JSON', '{"model":'],
  ['no messages', '{"model":"x","max_tokens":5}'],
  ['a list', '[]'],
  ['deep nonsense', '['.repeat(100_000)],
])('%s is refused with an error an SDK understands, and the gateway lives on', async (_, body) => {
  expect(await raw('POST', '/v1/messages', body)).toMatchObject({
    status: 400,
    body: { type: 'error', error: { type: 'invalid_request_error' } },
  });
  expect((await ask('say: hi')).content).toMatchObject([{ text: 'hi' }]);
});

test('a request that is too large is refused, and its sender gets to read why', async () => {
  const answer = await raw('POST', '/v1/messages', JSON.stringify({ model: 'x'.repeat(21_000_000) }));
  expect(answer).toMatchObject({ status: 413, body: { error: { type: 'request_too_large' } } });
  expect(asked).toEqual([]);
});

test('what would make the provider fetch or run something is refused before it is asked', async () => {
  const body = {
    model: 'x',
    max_tokens: 10,
    messages: [{ role: 'user' as const, content: 'hello' }],
    tools: [{ type: 'web_search_20250305' as const, name: 'web_search' as const }],
  };
  expect(await failureOf(client.messages.create(body))).toMatchObject({ status: 400 });
  expect(asked).toEqual([]);
  expect(problems(open.events)).toEqual([{ code: 'gateway.invalidRequest' }]);
});

/** One plain request with the right token, over the socket itself. */
function raw(
  method: string,
  path: string,
  body: string,
): Promise<{ status: number | undefined; body: unknown }> {
  const { socketPath, token } = open.gateway;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath, method, path, headers: { authorization: `Bearer ${token}` } },
      incoming => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) }),
        );
        incoming.on('error', reject);
      },
    );
    outgoing.on('error', reject).end(method === 'GET' ? undefined : body);
  });
}

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
