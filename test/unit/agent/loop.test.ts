import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { calls, toolResults } from './scriptedModel.ts';
import { testAgent } from './testAgent.ts';

describe.each(['anthropic', 'openai'] as const)('over the %s protocol', wire => {
  const start = { wire };

  test('an answer streams to the panel and the turn ends', async () => {
    await using agent = await testAgent([{ content: 'Hello, this is a longer answer in several pieces.' }], {
      start,
    });
    expect(await agent.prompt('Hi')).toBe('end_turn');
    expect(agent.broker.said()).toBe('Hello, this is a longer answer in several pieces.');
    const chunks = agent.broker.updates.filter(update => update.sessionUpdate === 'agent_message_chunk');
    expect(chunks.length).toBeGreaterThan(2);
    expect(new Set(chunks.map(chunk => chunk.messageId)).size).toBe(1);
  });

  test('the token of the session is the only credential that is sent', async () => {
    await using agent = await testAgent([{ content: 'ok' }], { start });
    await agent.prompt('Hi');
    const lines = agent.model
      .raw()
      .split('\r\n')
      .filter(line => /key|authorization|token:/i.test(line) && !line.startsWith('{'));
    expect(lines).toEqual([
      expect.stringMatching(/^authorization: Bearer 0123456789abcdef0123456789abcdef$/i),
    ]);
  });

  test('a bug is read, fixed and verified', async () => {
    await using agent = await testAgent(
      [
        calls(['list_files', {}], ['read_file', { path: 'add.js' }]),
        calls(['edit_file', { path: 'add.js', edits: [{ old_text: 'a - b', new_text: 'a + b' }] }]),
        calls(['run_command', { command: 'node --test' }]),
        { content: 'Fixed.' },
      ],
      {
        start,
        files: {
          'add.js': 'export const add = (a, b) => a - b;\n',
          'package.json': '{"type":"module"}',
          'add.test.js':
            "import test from 'node:test';\nimport assert from 'node:assert';\nimport { add } from './add.js';\ntest('adds', () => assert.equal(add(1, 2), 3));\n",
        },
      },
    );
    expect(await agent.prompt('Fix add')).toBe('end_turn');
    expect(readFileSync(path.join(agent.folder, 'add.js'), 'utf8')).toBe(
      'export const add = (a, b) => a + b;\n',
    );
    const results = toolResults(agent.model.requests.at(-1));
    expect(results).toHaveLength(4);
    expect(results[3]).toContain('Exit status 0.');
    expect(agent.broker.said()).toBe('Fixed.');
  });

  test('an unknown tool and wrong arguments are explained to the model, and the turn goes on', async () => {
    await using agent = await testAgent(
      [
        calls(
          ['rm_rf', { path: '/' }],
          ['read_file', { file: 'a.txt' }],
          ['edit_file', { path: 'a.txt', edits: [] }],
        ),
        { content: 'I see.' },
      ],
      { start, files: { 'a.txt': 'text' } },
    );
    expect(await agent.prompt('Go')).toBe('end_turn');
    const [unknown, wrong, empty] = toolResults(agent.model.requests[1]);
    expect(unknown).toMatch(/There is no tool "rm_rf". The tools are: list_files, search, read_file,/);
    expect(wrong).toMatch(
      /arguments of read_file are wrong, so nothing was done[\s\S]*fields of read_file are: path, from_line, to_line/,
    );
    expect(empty).toContain('arguments of edit_file are wrong');
    expect(agent.broker.said()).toBe('I see.');
  });

  test('the same wrong call three times ends the turn with a plain message', async () => {
    const wrong = () => calls(['list_files', { path: '../secret' }]);
    await using agent = await testAgent([wrong(), wrong(), wrong(), { content: 'never' }], { start });
    expect(await agent.prompt('Go')).toBe('end_turn');
    expect(agent.broker.said()).toMatch(
      /^I stopped because the same call of list_files failed 3 times\. .*outside the workspace folders/,
    );
    expect(agent.model.requests).toHaveLength(3);
    // The conversation stays usable.
    expect(await agent.prompt('And now?')).toBe('end_turn');
    expect(agent.broker.said()).toContain('never');
  });

  test('a turn has at most so many model requests', async () => {
    const list = () => calls(['list_files', {}]);
    await using agent = await testAgent([list(), list(), list()], { start: { ...start, maxRequests: 2 } });
    expect(await agent.prompt('Go')).toBe('max_turn_requests');
    expect(agent.model.requests).toHaveLength(2);
  });

  test("the service's own sentence is what a failed prompt says", async () => {
    await using agent = await testAgent(
      [
        { error: { message: 'Your credit balance is too low.', type: 'invalid_request_error' }, status: 400 },
        { content: 'Back.' },
      ],
      { start },
    );
    await expect(agent.prompt('Hi')).rejects.toThrow('Your credit balance is too low.');
    expect(await agent.prompt('Again')).toBe('end_turn');
    expect(
      agent.model.requests.at(-1)?.messages.filter(message => message.role === 'user').length,
    ).toBeGreaterThan(0);
  });

  test('an overloaded service is asked again', async () => {
    await using agent = await testAgent(
      [{ error: { message: 'Overloaded', type: 'overloaded_error' }, status: 529 }, { content: 'Now.' }],
      { start },
    );
    expect(await agent.prompt('Hi')).toBe('end_turn');
    expect(agent.broker.said()).toBe('Now.');
  });

  test('a stream that breaks off fails the prompt, keeps what was said, and the next prompt works', async () => {
    await using agent = await testAgent(
      [
        {
          response: { content: 'A long answer that will not come to its end, because the line is cut.' },
          truncateAfterChunks: 4,
          streamingProfile: { ttft: 10, tps: 50 },
        },
        { content: 'Whole.' },
      ],
      { start },
    );
    await expect(agent.prompt('Hi')).rejects.toThrow(
      'The connection to the model broke in the middle of its answer.',
    );
    expect(agent.broker.said().length).toBeGreaterThan(0);
    expect(await agent.prompt('Again')).toBe('end_turn');
    const roles = agent.model.requests
      .at(-1)
      ?.messages.map(message => message.role)
      .filter(role => role !== 'system');
    expect(roles).toEqual(['user', 'assistant', 'user']);
  });

  test('stopping in the middle of an answer takes effect at once', async () => {
    await using agent = await testAgent(
      [
        { response: { content: 'word '.repeat(400) }, streamingProfile: { ttft: 1, tps: 5 } },
        { content: 'Yes.' },
      ],
      { start },
    );
    const turn = agent.prompt('Hi');
    await expect.poll(() => agent.broker.said().length, { timeout: 15_000 }).toBeGreaterThan(0);
    const before = performance.now();
    await agent.cancel();
    expect(await turn).toBe('cancelled');
    // 200 ms is promised; the rest is for a machine under load. The answer itself would take more than a minute.
    expect(performance.now() - before).toBeLessThan(3_000);
    expect(await agent.prompt('Still there?')).toBe('end_turn');
  });

  test('stopping during a command ends the command and the turn', async () => {
    await using agent = await testAgent(
      [calls(['run_command', { command: 'sleep 60' }]), { content: 'Yes.' }],
      { start },
    );
    const turn = agent.prompt('Hi');
    await expect.poll(() => agent.broker.running(), { timeout: 15_000 }).toBe(1);
    const before = performance.now();
    await agent.cancel();
    expect(await turn).toBe('cancelled');
    expect(performance.now() - before).toBeLessThan(3_000);
    await expect.poll(() => agent.broker.running(), { timeout: 15_000 }).toBe(0);
    // The call has its result, so that the conversation can go on.
    expect(await agent.prompt('Still there?')).toBe('end_turn');
    expect(toolResults(agent.model.requests.at(-1))).toEqual([
      expect.stringContaining('The user stopped the turn while this was under way.'),
    ]);
  });

  test('an earlier conversation is taken up again', async () => {
    const history = [
      { role: 'user' as const, text: 'My name is Ada.' },
      { role: 'assistant' as const, text: 'Hello Ada.' },
    ];
    await using agent = await testAgent([{ content: 'Ada.' }], { start: { ...start, history } });
    await agent.prompt('What is my name?');
    const messages = agent.model.requests[0]?.messages.filter(message => message.role !== 'system') ?? [];
    expect(messages.map(message => message.role)).toEqual(['user', 'assistant', 'user']);
    expect(JSON.stringify(messages)).toContain('My name is Ada.');
  });

  test('AGENTS.md is read for each prompt and told as data of the project', async () => {
    await using agent = await testAgent([{ content: 'ok' }], {
      start,
      files: { 'AGENTS.md': 'Use tabs.\u200b' },
    });
    await agent.prompt('Hi');
    const request = JSON.stringify(agent.model.requests[0]);
    expect(request).toContain('What the project says to agents');
    expect(request).toContain('Use tabs.⟨U+200B⟩');
  });
});

test('thinking is shown and goes back to the service with its signature', async () => {
  await using agent = await testAgent(
    [
      {
        toolCalls: [{ name: 'list_files', arguments: '{}', id: 'toolu_1' }],
        reasoning: 'Let me look.',
        reasoningSignature: 'c2lnbmVk',
      },
      { content: 'Done.' },
    ],
    {},
  );
  await agent.prompt('Hi');
  const thoughts = agent.broker.updates.filter(update => update.sessionUpdate === 'agent_thought_chunk');
  expect(thoughts.length).toBeGreaterThan(0);
  expect(agent.model.raw()).toContain('{"type":"thinking","thinking":"Let me look.","signature":"c2lnbmVk"}');
});

test('read-only calls of one answer run together, others in order', async () => {
  await using agent = await testAgent([
    calls(
      ['run_command', { command: 'echo one > log' }],
      ['run_command', { command: 'echo two >> log' }],
      ['read_file', { path: 'log' }],
    ),
    { content: 'Done.' },
  ]);
  await agent.prompt('Hi');
  expect(readFileSync(path.join(agent.folder, 'log'), 'utf8')).toBe('one\ntwo\n');
  expect(toolResults(agent.model.requests[1])[2]).toContain('1\tone\n2\ttwo');
});

test('a call shows from when the model begins to write it until it is done', async () => {
  await using agent = await testAgent([calls(['read_file', { path: 'a' }]), { content: 'Done.' }], {
    files: { a: 'x' },
  });
  await agent.prompt('Hi');
  const told = agent.broker.updates.flatMap(update =>
    update.sessionUpdate === 'tool_call' || update.sessionUpdate === 'tool_call_update'
      ? [
          {
            kind: update.sessionUpdate,
            title: update.title,
            status: update.status,
            at: update.locations?.[0]?.path,
          },
        ]
      : [],
  );
  expect(told).toEqual([
    { kind: 'tool_call', title: 'Preparing to read file', status: 'pending', at: undefined },
    { kind: 'tool_call_update', title: 'Read a', status: undefined, at: path.join(agent.folder, 'a') },
    { kind: 'tool_call_update', title: undefined, status: 'in_progress', at: undefined },
    { kind: 'tool_call_update', title: undefined, status: 'completed', at: undefined },
  ]);
});

test('calls of an answer that was cut off for length are not run', async () => {
  await using agent = await testAgent(
    [
      {
        toolCalls: [{ name: 'run_command', arguments: '{"command":"touch x"}', id: 'a' }],
        finishReason: 'length',
      },
      { content: 'Ok.' },
    ],
    { start: { wire: 'openai' } },
  );
  expect(await agent.prompt('Hi')).toBe('max_tokens');
  expect(agent.broker.commands).toEqual([]);
  expect(agent.broker.updates.at(-1)).toMatchObject({ sessionUpdate: 'tool_call_update', status: 'failed' });
  await agent.prompt('Go on');
  expect(toolResults(agent.model.requests[1])).toEqual([
    'Not run: the answer was cut off before it was whole.',
  ]);
});

test('a denied command that is asked for again and again ends the turn', async () => {
  const again = () => calls(['run_command', { command: 'curl x' }], ['update_plan', { entries: [] }]);
  await using agent = await testAgent([again(), again(), again(), { content: 'never' }]);
  agent.broker.deny = () => ({ by: 'user', reason: 'No.' });
  expect(await agent.prompt('Hi')).toBe('end_turn');
  expect(agent.broker.said()).toMatch(
    /^I stopped because the same call of run_command failed 3 times\. The last time: DENIED/,
  );
});

test('a model that says nothing at all does not leave the user waiting', async () => {
  await using agent = await testAgent([{ content: '' }, { content: 'Sorry.' }], {
    start: { wire: 'openai' },
  });
  expect(await agent.prompt('Hi')).toBe('end_turn');
  expect(agent.broker.said()).toBe('The model ended its turn without saying anything.');
  expect(await agent.prompt('Hello?')).toBe('end_turn');
});

test("long work is kept within the model's context", async () => {
  const read = () => calls(['read_file', { path: 'big' }]);
  await using agent = await testAgent([read(), read(), read(), read(), { content: 'Done.' }], {
    files: { big: 'some line of text\n'.repeat(1_200) },
    start: { contextTokens: 30_000 },
  });
  expect(await agent.prompt('Read it often')).toBe('end_turn');
  const results = toolResults(agent.model.requests.at(-1));
  expect(results).toHaveLength(4);
  expect(results[0]).toMatch(/^\[This tool result was left out/);
  expect(results[3]).toContain('some line of text');
});

test('a conversation that turns out too long for the model is shortened, so that the next prompt can work', async () => {
  await using agent = await testAgent(
    [
      calls(['read_file', { path: 'big' }]),
      { content: 'Read.' },
      {
        error: { message: 'prompt is too long: 9000 tokens > 8000 maximum', type: 'invalid_request_error' },
        status: 400,
      },
      { content: 'Here again.' },
    ],
    { files: { big: 'some line of text\n'.repeat(1_900) } },
  );
  await agent.prompt('Read');
  await expect(agent.prompt('Go on')).rejects.toThrow('prompt is too long');
  expect(await agent.prompt('Go on')).toBe('end_turn');
  const sizes = agent.model.requests.map(request => JSON.stringify(request.messages.slice(1)).length);
  expect(sizes[3]).toBeLessThan((sizes[2] ?? 0) * 0.6);
});

test('of very many calls in one answer only the first are run, and each has its result', async () => {
  const many = Array.from({ length: 100 }, (): [string, unknown] => ['update_plan', { entries: [] }]);
  await using agent = await testAgent([calls(...many), { content: 'Done.' }]);
  await agent.prompt('Hi');
  const results = toolResults(agent.model.requests[1]);
  expect([results.length, results[29], results[30]]).toEqual([
    100,
    'The plan is shown to the user.',
    'Not run: at most 30 calls are run at once.',
  ]);
  expect(agent.broker.updates.filter(update => update.sessionUpdate === 'tool_call')).toHaveLength(30);
});

test('a path longer than any path does no harm', async () => {
  await using agent = await testAgent([
    calls(['create_file', { path: 'x/'.repeat(4_000), content: '' }]),
    { content: 'Done.' },
  ]);
  await agent.prompt('Hi');
  expect(toolResults(agent.model.requests[1])[0]).toBe('The path is too long. No such file can exist.');
  expect(agent.broker.updates.find(update => update.sessionUpdate === 'tool_call_update')).toMatchObject({
    locations: [],
  });
});
