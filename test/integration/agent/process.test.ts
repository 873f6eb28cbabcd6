import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { methods, PROTOCOL_VERSION } from '@agentclientprotocol/sdk';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { realBroker } from '../../unit/agent/realBroker.ts';
import { calls, scriptedModel, toolResults } from '../../unit/agent/scriptedModel.ts';
import { folderWith, startOf } from '../../unit/agent/testAgent.ts';
import {
  type AgentProcess,
  type Bundle,
  bundleAgent,
  freshKey,
  launchAgent,
  proved,
} from './agentProcess.ts';

let bundle: Bundle;
beforeAll(() => {
  bundle = bundleAgent();
});
afterAll(() => bundle[Symbol.dispose]());

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function temporary(files: Record<string, string>): string {
  const folder = folderWith(files);
  folders.push(folder);
  return folder;
}

const start = (key: string | undefined, environment?: Record<string, string>) =>
  launchAgent({
    argv: [process.execPath, bundle.file],
    ...(key === undefined ? {} : { key }),
    ...(environment ? { environment } : {}),
  });

async function opened(
  agent: AgentProcess,
  key: Buffer,
  socketPath: string,
  folder: string,
  wire: 'anthropic' | 'openai' = 'anthropic',
) {
  const broker = realBroker();
  const connection = broker.app.connect(await proved(agent, key));
  await connection.agent.request(methods.agent.initialize, { protocolVersion: PROTOCOL_VERSION });
  const { sessionId } = await connection.agent.request(methods.agent.session.new, {
    cwd: folder,
    mcpServers: [],
    _meta: { cordon: startOf(socketPath, { wire }) },
  });
  const prompt = (text: string) =>
    connection.agent.request(methods.agent.session.prompt, { sessionId, prompt: [{ type: 'text', text }] });
  return { broker, connection, sessionId, prompt };
}

test('without a key it says nothing on standard output and fails', async () => {
  await using agent = start(undefined);
  agent.child.stdin.write('{"challenge":"00"}\n');
  expect(await agent.exited).toBe(1);
  expect({ out: agent.out(), err: agent.err() }).toEqual({
    out: '',
    err: expect.stringContaining('started without its key') as unknown,
  });
});

test.each(['', 'short\n', 'Z'.repeat(64) + '\n'])('a key of %j is no key', async key => {
  await using agent = start(key);
  expect(await agent.exited).toBe(1);
  expect(agent.out()).toBe('');
});

test("a broker that does not know the key gets the agent's proof and nothing else", async () => {
  await using agent = start(`${freshKey().toString('hex')}\n`);
  await expect(proved(agent, freshKey())).rejects.toThrow('The agent did not prove the key.');
  agent.child.stdin.write(
    '{"proof":"00"}\n{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":1}}\n',
  );
  expect(await agent.exited).toBe(1);
  const lines = agent
    .out()
    .trim()
    .split('\n')
    .map(line => Object.keys(JSON.parse(line) as object));
  expect(lines).toEqual([['challenge', 'proof']]);
});

test('a first line that is no handshake ends it', async () => {
  await using agent = start(`${freshKey().toString('hex')}\n`);
  agent.child.stdin.write('{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":1}}\n');
  expect(await agent.exited).toBe(1);
  expect(agent.out()).toBe('');
});

test.each(['anthropic', 'openai'] as const)(
  'the shipped file does a task over the %s protocol; hostile variables change nothing',
  async wire => {
    await using model = await scriptedModel([
      calls(['search', { pattern: 'hello' }]),
      calls(['run_command', { command: 'cat a.txt' }]),
      { content: 'Done.' },
    ]);
    const folder = temporary({ 'a.txt': 'hello world\n' });
    const key = freshKey();
    await using agent = start(`${key.toString('hex')}\n`, {
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
      ANTHROPIC_API_KEY: 'sk-not-this',
      ANTHROPIC_CUSTOM_HEADERS: 'x-evil: 1',
      OPENAI_BASE_URL: 'http://127.0.0.1:9',
      OPENAI_API_KEY: 'sk-not-this',
      OPENAI_ORG_ID: 'evil',
      OPENAI_LOG: 'debug',
    });
    const { broker, prompt } = await opened(agent, key, model.socketPath, folder, wire);
    expect(await prompt('Look')).toEqual({ stopReason: 'end_turn' });
    expect(toolResults(model.requests.at(-1))).toEqual([
      expect.stringContaining('a.txt:1:hello world'),
      expect.stringContaining('Exit status 0.'),
    ]);
    expect(broker.said()).toBe('Done.');
    expect(model.raw()).not.toMatch(/sk-not-this|evil/);
    // Standard output is the protocol and nothing else.
    for (const line of agent.out().trim().split('\n').slice(1))
      expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
    // The broker hangs up: the agent goes.
    agent.child.stdin.end();
    expect(await agent.exited).toBe(0);
  },
);

test('it serves one session and one turn at a time', async () => {
  await using model = await scriptedModel([
    { response: { content: 'word '.repeat(200) }, streamingProfile: { ttft: 1, tps: 5 } },
  ]);
  const folder = temporary({});
  const key = freshKey();
  await using agent = start(`${key.toString('hex')}\n`);
  const { connection, sessionId, prompt, broker } = await opened(agent, key, model.socketPath, folder);
  await expect(
    connection.agent.request(methods.agent.session.new, {
      cwd: folder,
      mcpServers: [],
      _meta: { cordon: startOf(model.socketPath) },
    }),
  ).rejects.toThrow('this process has its session already');
  const turn = prompt('Hi');
  await expect.poll(() => broker.said().length, { timeout: 30_000 }).toBeGreaterThan(0);
  await expect(prompt('Me too')).rejects.toThrow('a turn is running already');
  await connection.agent.notify(methods.agent.session.cancel, { sessionId });
  expect(await turn).toEqual({ stopReason: 'cancelled' });
});

test('a start that does not fit the contract is refused', async () => {
  const key = freshKey();
  await using agent = start(`${key.toString('hex')}\n`);
  const connection = realBroker().app.connect(await proved(agent, key));
  await connection.agent.request(methods.agent.initialize, { protocolVersion: PROTOCOL_VERSION });
  await expect(
    connection.agent.request(methods.agent.session.new, { cwd: '/tmp', mcpServers: [] }),
  ).rejects.toThrow('_meta.cordon is missing or wrong');
});

test('a gateway that is gone fails the prompt in plain words', async () => {
  const folder = temporary({});
  const key = freshKey();
  await using agent = start(`${key.toString('hex')}\n`);
  const { prompt } = await opened(agent, key, path.join(folder, 'no.sock'), folder);
  await expect(prompt('Hi')).rejects.toThrow('The model could not be reached.');
});

test('in a network of its own, with nothing but its loopback, it still reaches the gateway', async () => {
  await using model = await scriptedModel([
    calls(['list_files', {}], ['read_file', { path: '.env' }], ['search', { pattern: 'zzz' }]),
    { content: 'Done.' },
  ]);
  const folder = temporary({ 'a.txt': 'x', '.env': 'SECRET=1' });
  // As the sandbox lays it over files that hold secrets.
  chmodSync(path.join(folder, '.env'), 0o000);
  const key = freshKey();
  const walls =
    '--unshare-all --die-with-parent --new-session --cap-drop ALL --ro-bind / / --proc /proc --dev /dev';
  const bwrap = execFileSync('sh', ['-c', 'command -v bwrap'], { encoding: 'utf8' }).trim();
  await using agent = launchAgent({
    argv: [bwrap, ...walls.split(' '), '--', process.execPath, bundle.file],
    key: `${key.toString('hex')}\n`,
  });
  const { broker, prompt } = await opened(agent, key, model.socketPath, folder);
  expect(await prompt('Look')).toEqual({ stopReason: 'end_turn' });
  expect(broker.said()).toBe('Done.');
  expect(toolResults(model.requests.at(-1))).toEqual([
    expect.stringContaining('a.txt'),
    '.env could not be read: reading it is not permitted (files that usually hold secrets are hidden from the sandbox).',
    'Nothing matches "zzz" in the workspace folder.',
  ]);
});

test('stopping at any moment ends the turn as cancelled, and the agent lives on', async () => {
  const turns = 25;
  await using model = await scriptedModel(
    Array.from({ length: turns * 2 + 1 }, () =>
      calls(['list_files', {}], ['run_command', { command: 'sleep 1' }]),
    ),
  );
  const folder = temporary({ 'a.txt': 'x' });
  const key = freshKey();
  await using agent = start(`${key.toString('hex')}\n`);
  const { connection, sessionId, prompt } = await opened(agent, key, model.socketPath, folder);
  for (let turn = 0; turn < turns; turn++) {
    const answer = prompt('Go');
    await sleep(turn * 3);
    await connection.agent.notify(methods.agent.session.cancel, { sessionId });
    expect(await answer).toEqual({ stopReason: 'cancelled' });
  }
  expect(agent.err()).toBe('');
});
