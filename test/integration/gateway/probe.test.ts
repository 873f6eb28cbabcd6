import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { probe } from '../../../src/gateway/probe.ts';

// What the first run asks of a provider, against a third-party mock that checks the key.

const key = 'sk-test-4f1d9a6c2b8e7035';
const mock = new LLMock({ port: 0, auth: { apiKeys: [key] } });

beforeAll(async () => {
  await mock.start();
});
afterAll(async () => {
  await mock.stop();
});
afterEach(() => {
  mock.clearFixtures();
});

test('the first word is asked for before a model is relied on', async () => {
  mock.onMessage('Say ok.', { content: 'ok' });
  const { signal } = new AbortController();
  const anthropic = { provider: 'anthropic' as const, model: 'm', baseUrl: mock.url };
  const openai = { provider: 'openai' as const, model: 'm', baseUrl: `${mock.url}/v1` };
  const closed = await closedPort();
  expect(await probe.test(anthropic, key, signal)).toBeUndefined();
  expect(await probe.test(openai, key, signal)).toBeUndefined();
  expect(await probe.test(anthropic, 'sk-wrong-0000000000', signal)).toMatchObject({
    code: 'gateway.wrongKey',
  });
  expect(await probe.test(openai, undefined, signal)).toMatchObject({ code: 'gateway.wrongKey' });
  expect(
    await probe.test({ ...openai, baseUrl: `http://127.0.0.1:${closed}/v1` }, key, signal),
  ).toMatchObject({
    code: 'gateway.refusedConnection',
    message: expect.stringContaining(`127.0.0.1:${closed}`),
  });
});

test('models are listed where the provider lists them, and nowhere is an error', async () => {
  const { signal } = new AbortController();
  const openai = { provider: 'openai' as const, model: 'm', baseUrl: `${mock.url}/v1` };
  expect((await probe.listModels(openai, key, signal)).length).toBeGreaterThan(0);
  expect(await probe.listModels(openai, 'sk-wrong-0000000000', signal)).toEqual([]);
  expect(await probe.listModels({ ...openai, baseUrl: 'http://127.0.0.1:1' }, key, signal)).toEqual([]);
});

/** A port that was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
