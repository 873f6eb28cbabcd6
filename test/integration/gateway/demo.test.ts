import { cp, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { methods, PROTOCOL_VERSION } from '@agentclientprotocol/sdk';
import { expect, test } from 'vitest';
import { cordonAgent } from '../../../sandbox/agent/agent.ts';
import { demoBackend } from '../../../src/gateway/demo/demoBackend.ts';
import { demoLabel } from '../../../src/protocol/model.ts';
import { type RealBroker, realBroker } from '../../unit/agent/realBroker.ts';
import { startOf } from '../../unit/agent/testAgent.ts';
import { type GatewayForTest, gatewayForTest } from './gatewayForTest.ts';

// The demonstration as users meet it: the real agent, the real gateway, real files and commands. Only the model is a
// script, and only the broker's approvals are the test's.

interface Demo extends AsyncDisposable {
  readonly folder: string;
  readonly broker: RealBroker;
  readonly gateway: GatewayForTest;
  prompt(text: string, signal?: AbortSignal): Promise<string>;
}

const sample = new URL('../../sample', import.meta.url).pathname;

async function demo(from: string | undefined = sample): Promise<Demo> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'cordon-demo-')));
  if (from !== '') await cp(from, folder, { recursive: true });
  const gateway = await gatewayForTest(demoBackend({ pace: 0 }));
  const broker = realBroker();
  const connection = broker.app.connect(cordonAgent());
  const { agent } = connection;
  await agent.request(methods.agent.initialize, { protocolVersion: PROTOCOL_VERSION });
  const { sessionId } = await agent.request(methods.agent.session.new, {
    cwd: folder,
    mcpServers: [],
    _meta: { cordon: startOf(gateway.gateway.socketPath, { model: 'demo', token: gateway.gateway.token }) },
  });
  return {
    folder,
    broker,
    gateway,
    async prompt(text, signal) {
      signal?.addEventListener('abort', () => void agent.notify(methods.agent.session.cancel, { sessionId }));
      const ended = await agent.request(methods.agent.session.prompt, {
        sessionId,
        prompt: [{ type: 'text', text }],
      });
      return ended.stopReason;
    },
    async [Symbol.asyncDispose]() {
      connection.close();
      broker[Symbol.dispose]();
      await gateway[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function lastPlan(broker: RealBroker): string[] {
  const plan = broker.updates.findLast(update => update.sessionUpdate === 'plan');
  return plan?.sessionUpdate === 'plan' ? plan.entries.map(entry => entry.status) : [];
}

test('the sample project’s failing test is found, understood, fixed and seen to pass', async () => {
  await using it = await demo();
  expect(await it.prompt('Fix the failing test.')).toBe('end_turn');

  expect(it.broker.commands.map(({ command }) => command)).toEqual(['npm test', 'npm test']);
  expect(it.broker.writes.map(({ path }) => path)).toEqual([join(it.folder, 'src/slug.js')]);
  const source = await readFile(join(it.folder, 'src/slug.js'), 'utf8');
  expect(source).toBe(
    (await readFile(join(sample, 'src/slug.js'), 'utf8')).replace(
      ".replace(/[^a-z0-9]/g, '-');",
      ".replace(/[^a-z0-9]+/g, '-')\n    .replace(/^-|-$/g, '');",
    ),
  );
  expect(it.broker.said()).toContain('All **8 tests pass** now');
  expect(it.broker.said()).toContain('*dashes do not repeat, and none is left at either end*');
  expect(lastPlan(it.broker)).toEqual(Array.from({ length: 5 }, () => 'completed'));
});

test('asked again, it says that there is nothing left to fix, and changes nothing', async () => {
  await using it = await demo();
  await it.prompt('Fix the failing test.');
  await it.prompt('Please fix the bug');
  expect(it.broker.said()).toContain('All tests pass already');
  expect(it.broker.writes).toHaveLength(1);
});

test('a refused command ends the turn with the user’s own words', async () => {
  await using it = await demo();
  it.broker.deny = ({ kind }) =>
    kind === 'command' ? { by: 'user', reason: 'Not today, please.' } : undefined;
  expect(await it.prompt('Fix the failing test.')).toBe('end_turn');
  expect(it.broker.commands).toHaveLength(1);
  expect(it.broker.said()).toContain(
    'You did not let me run `npm test`, so it was not done. You said: “Not today, please.”',
  );
});

test('a refused change ends the turn, and the file is as it was', async () => {
  await using it = await demo();
  it.broker.deny = ({ kind }) =>
    kind === 'write' ? { by: 'policy', reason: 'This folder is read-only.' } : undefined;
  await it.prompt('Fix the failing test.');
  expect(it.broker.said()).toContain('Your policy did not let me do that (`edit_file`)');
  expect(await readFile(join(it.folder, 'src/slug.js'), 'utf8')).toBe(
    await readFile(join(sample, 'src/slug.js'), 'utf8'),
  );
});

test('in a project it does not know, it says so and touches nothing', async () => {
  await using it = await demo('');
  await it.prompt('Fix the failing test.');
  expect(it.broker.said()).toContain('I see no `package.json` here');
  expect(it.broker.commands).toEqual([]);
});

test('a message it has no trick for gets the honest greeting', async () => {
  await using it = await demo('');
  await it.prompt('Rewrite this in Rust.');
  expect(it.broker.said()).toContain('a **script, not a language model**');
});

test('keywords run commands, read, write, delete, list, plan and ask', async () => {
  await using it = await demo('');
  await it.prompt('write: a.txt one\ntwo');
  expect(await readFile(join(it.folder, 'a.txt'), 'utf8')).toBe('one\ntwo\n');
  await it.prompt('write: a.txt three');
  expect(await readFile(join(it.folder, 'a.txt'), 'utf8')).toBe('three\n');
  await it.prompt('run: cat a.txt | tr a-z A-Z; exit 3');
  expect(it.broker.said()).toContain('Exit status 3.\n\n```text\nTHREE\n```');
  await it.prompt('read: a.txt');
  await it.prompt('list:');
  await it.prompt('plan: first; second');
  expect(lastPlan(it.broker)).toEqual(['in_progress', 'pending']);
  it.broker.answer = 'blue';
  await it.prompt('ask: Which colour? | red | blue');
  expect(it.broker.said()).toContain('The user answers: blue');
  await it.prompt('say: # A *heading*');
  expect(it.broker.said()).toContain('# A *heading*');
  await it.prompt('delete: a.txt');
  await expect(readFile(join(it.folder, 'a.txt'))).rejects.toThrow('ENOENT');
  await it.prompt('tool: no_such_tool {"a":1}');
  expect(it.broker.said()).toContain('There is no tool "no_such_tool"');
});

test('the slow answer goes on until it is stopped, and stops at once', async () => {
  await using it = await demo('');
  const stop = new AbortController();
  const ended = it.prompt('slow', stop.signal);
  while (!it.broker.said().includes('Stop')) await new Promise(resolve => setTimeout(resolve, 20));
  stop.abort();
  expect(await ended).toBe('cancelled');
  expect(it.broker.said().length).toBeLessThan(200);
});

test('it speaks the wire protocol in full, streamed and whole, and counts no tokens', async () => {
  await using it = await demo('');
  const { origin, gateway, events } = it.gateway;
  const client = new Anthropic({ apiKey: null, authToken: gateway.token, baseURL: origin, logLevel: 'off' });
  const body: Anthropic.MessageCreateParamsNonStreaming = {
    model: 'demo',
    max_tokens: 100,
    messages: [{ role: 'user', content: 'run: true' }],
    tools: [{ name: 'run_command', input_schema: { type: 'object' } }],
  };
  const [streamed, whole] = [
    await client.messages.stream(body).finalMessage(),
    await client.messages.create(body),
  ];
  const content = [
    { type: 'text', text: 'I run it.' },
    { type: 'tool_use', name: 'run_command', input: { command: 'true' } },
  ];
  expect([streamed, whole]).toMatchObject([
    { content, stop_reason: 'tool_use', model: 'demo' },
    { content, stop_reason: 'tool_use', model: 'demo' },
  ]);
  expect(events.at(-1)).toMatchObject({ usage: { inputTokens: 0, outputTokens: 0, requests: 2 } });
  expect(demoBackend().name).toBe(demoLabel);
});
