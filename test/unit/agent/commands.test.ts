import { expect, test } from 'vitest';
import { dataIn, toolBench } from './toolContext.ts';

test('a command gives its output and exit status', async () => {
  await using bench = await toolBench({ a: 'x' });
  const { ok, text, rawOutput } = await bench.run('run_command', { command: 'ls; echo oops >&2; exit 3' });
  expect({ ok, rawOutput, data: dataIn(text) }).toEqual({
    ok: false,
    rawOutput: { exitCode: 3, signal: null },
    data: 'a\noops',
  });
  expect(text).toContain('Exit status 3.');
  expect(bench.broker.commands).toEqual([
    {
      command: 'ls; echo oops >&2; exit 3',
      cwd: bench.folder,
      meta: { toolCallId: 'call-1', background: false },
    },
  ]);
});

test('a denied command did not run, and the model is told', async () => {
  await using bench = await toolBench();
  bench.broker.deny = () => ({ by: 'policy', reason: 'No rule allows rm.' });
  const { ok, text } = await bench.run('run_command', { command: 'rm -r x' });
  expect({ ok, text }).toEqual({
    ok: false,
    text: expect.stringMatching(
      /^DENIED\. The command was not run\. The user's policy refused it\. Reason: No rule allows rm\./,
    ) as unknown,
  });
});

test('a command that takes too long is ended, and what it printed is kept', async () => {
  await using bench = await toolBench();
  const { ok, text } = await bench.run('run_command', {
    command: 'echo begun; sleep 60',
    timeout_seconds: 1,
  });
  expect(ok).toBe(false);
  expect(text).toContain('It did not end within 1 seconds and was stopped.');
  expect(dataIn(text)).toBe('begun');
  await expect.poll(() => bench.broker.running(), { timeout: 15_000 }).toBe(0);
});

test('long output is cut in the middle with a note, and escape sequences are taken out', async () => {
  await using bench = await toolBench();
  const { text } = await bench.run('run_command', {
    command: "printf '\\033[31mred\\033[0m\\n'; seq 100000; echo last",
  });
  expect(text.length).toBeLessThan(31_000);
  expect(dataIn(text)).toMatch(
    /^red\n1\n2\n[\s\S]*\[… [\d,]+ characters left out here …\][\s\S]*100000\nlast$/,
  );
});

test('a background command is read while it runs, and stopped', async () => {
  await using bench = await toolBench();
  const command = 'echo first; while [ ! -e go ]; do sleep 0.05; done; echo second; sleep 60';
  const started = await bench.run('run_command', { command, background: true });
  expect(started.text).toContain('It runs in the background as id 1');
  await bench.run('create_file', { path: 'go', content: '' });
  let seen = dataIn(started.text);
  await expect
    .poll(async () => (seen += dataIn((await bench.run('command_output', { id: '1' })).text)), {
      timeout: 15_000,
    })
    .toContain('second');
  // Each piece was read once.
  expect(seen.match(/first/g)).toHaveLength(1);
  expect((await bench.run('stop_command', { id: '1' })).text).toContain('It was stopped.');
  await expect.poll(() => bench.broker.running(), { timeout: 15_000 }).toBe(0);
  expect((await bench.run('command_output', { id: '1' })).text).toBe(
    'There is no background command 1. Running: none.',
  );
});

test('a background command that fails at once is reported at once', async () => {
  await using bench = await toolBench();
  const { ok, text } = await bench.run('run_command', { command: 'echo no; exit 1', background: true });
  expect(ok).toBe(false);
  expect(text).toContain('Exit status 1.');
  expect(dataIn(text)).toBe('no');
});

test('stopping while a command is being allowed takes it back', async () => {
  await using bench = await toolBench();
  const running = bench.run('run_command', { command: 'sleep 60' });
  bench.stop.abort(new Error('stopped'));
  await expect(running).rejects.toThrow('stopped');
  await expect.poll(() => bench.broker.running(), { timeout: 15_000 }).toBe(0);
});

test('a question reaches the user with its options, and so does the answer the model', async () => {
  await using bench = await toolBench();
  bench.broker.answer = 'Blue';
  const { text } = await bench.run('ask_user', { question: 'Which colour?', options: ['Blue', 'Red'] });
  expect(text).toBe('The user answers: Blue');
  expect(bench.broker.questions).toEqual([
    {
      sessionId: 'session-1',
      toolCallId: 'call-1',
      mode: 'form',
      message: 'Which colour?',
      requestedSchema: {
        type: 'object',
        properties: { answer: { type: 'string', title: 'Answer', enum: ['Blue', 'Red'] } },
        required: ['answer'],
      },
    },
  ]);
  bench.broker.answer = undefined;
  expect((await bench.run('ask_user', { question: 'Which?' })).text).toContain('The user did not answer.');
});

test('the plan is shown', async () => {
  await using bench = await toolBench();
  await bench.run('update_plan', { entries: [{ content: 'Look', status: 'in_progress' }] });
  await expect
    .poll(() => bench.broker.updates)
    .toEqual([
      { sessionUpdate: 'plan', entries: [{ content: 'Look', status: 'in_progress', priority: 'medium' }] },
    ]);
});
