import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type ChatCompletionRequest, LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCommandLine } from '../session/harness.ts';
import { agentPid, descendants, traces } from '../session/processes.ts';
import { Run } from './commandLine.ts';

// The real command line, with the official SDKs in the agent, before a third-party mock of the providers that checks the key.

const key = 'sk-run-7c1d90e2a4b85f63';
// Beside the project's packages, so that the bundle finds the native ones as an installed package would.
const cache = path.resolve('node_modules/.cache');
let built: string;
let cli: string;

beforeAll(async () => {
  mkdirSync(cache, { recursive: true });
  built = mkdtempSync(path.join(cache, 'run-'));
  cli = await buildCommandLine(built);
});
afterAll(() => rmSync(built, { recursive: true, force: true }));

type Step = { text: string } | { name: string; arguments: Record<string, unknown> };

const read = (name: string): Step => ({ name: 'read_file', arguments: { path: name } });
const runs = (command: string): Step => ({ name: 'run_command', arguments: { command } });
const fix: Step = {
  name: 'edit_file',
  arguments: {
    path: 'src/slug.js',
    edits: [
      {
        old_text: ".replace(/[^a-z0-9]/g, '-');",
        new_text: ".replace(/[^a-z0-9]+/g, '-')\n    .replace(/^-|-$/g, '');",
      },
    ],
  },
};

/** A service that answers with one step after the other, whatever it is asked. */
async function provider(...steps: Step[]) {
  const mock = new LLMock({ port: 0, logLevel: 'silent', auth: { apiKeys: [key] } });
  const requests: ChatCompletionRequest[] = [];
  for (const [index, step] of steps.entries()) {
    mock.addFixture({
      match: { predicate: () => requests.length === index },
      response: request => {
        requests.push(request);
        if ('text' in step) return { content: step.text };
        return {
          toolCalls: [{ name: step.name, arguments: JSON.stringify(step.arguments), id: `call_${index}` }],
        };
      },
    });
  }
  await mock.start();
  return { url: mock.url, requests, [Symbol.asyncDispose]: () => mock.stop() };
}

for (const wire of ['anthropic', 'openai'] as const) {
  test(`the failing test of the sample project is fixed over the ${wire} service, and the key is nowhere inside`, async () => {
    await using service = await provider(
      runs('npm test'),
      read('test/slug.test.js'),
      read('src/slug.js'),
      fix,
      runs('npm test; sleep 0.3'),
      { text: 'All tests pass now.' },
    );
    using run = new Run(cli, { CORDON_API_KEY: key });
    const baseUrl = wire === 'anthropic' ? service.url : `${service.url}/v1`;
    const ended = run.start(
      'run',
      '--provider',
      wire,
      '--model',
      'm-1',
      '--base-url',
      baseUrl,
      '--approve',
      'contained',
      '--apply',
      '--json',
      'Fix the failing test.',
    );
    const search = searchWhile(ended, run.pid);
    expect([await ended, run.stderr]).toEqual([0, '']);

    expect(run.events[0]).toMatchObject({
      type: 'start',
      folders: [run.workspace],
      provider: wire,
      model: 'm-1',
    });
    expect(run.events.at(-1)).toEqual({ type: 'end', status: 'done', message: '' });
    const commands = run.items.filter(item => item['tool'] === 'execute');
    expect(commands).toMatchObject([
      {
        state: { kind: 'finished', ok: false, exit: { code: 1 } },
        output: expect.stringContaining('# fail 1') as string,
      },
      {
        state: { kind: 'finished', ok: true, exit: { code: 0 } },
        output: expect.stringContaining('# fail 0') as string,
      },
    ]);
    expect(run.read('src/slug.js')).toContain("/[^a-z0-9]+/g, '-'");
    expect(service.requests).toHaveLength(6);

    const { seen, found } = await search;
    // The search did see what runs inside: the agent, the shell of a command, and the tests it started.
    for (const word of ['/run/cordon/agent.cjs', '/bin/bash', '--test'])
      expect([...seen].some(argv => argv.includes(word))).toBe(true);
    expect(found).toEqual([]);
    expect([run.leftovers().includes(key), run.stdout.includes(key)]).toEqual([false, false]);
  });
}

/** Looks again and again into every process below this one until it ends: which there were, and which held the key. */
async function searchWhile(
  ended: Promise<unknown>,
  pid: number,
): Promise<{ seen: Set<string>; found: string[] }> {
  const seen = new Set<string>();
  const found: string[] = [];
  const over = new AbortController();
  void ended.then(() => over.abort());
  while (!over.signal.aborted) {
    for (const process of descendants(pid)) {
      const argv = process.argv.join(' ');
      // Between fork and exec a child is still a copy of the command line, outside of any sandbox.
      if (argv.includes(cli)) continue;
      seen.add(argv);
      if (traces(process.pid).includes(key)) found.push(argv);
    }
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  return { seen, found };
}

test('the search for the key would find it: a process that is given it on purpose is caught', async () => {
  using run = new Run(cli, { NOT_TAKEN_AWAY: key });
  const ended = run.start('run', '--provider', 'demo', 'slow');
  await expect.poll(() => agentPid(run.pid), { timeout: 40_000 }).toBeDefined();
  expect(traces(run.pid)).toContain(key);
  expect(traces(agentPid(run.pid) ?? 0)).not.toContain(key);
  run.signal('SIGTERM');
  await ended;
});

test('the demonstration fixes the sample project and says so in plain words', async () => {
  using run = new Run(cli);
  expect(
    await run.start('run', '--provider', 'demo', '--approve', 'contained', '--apply', 'Fix the failing test'),
  ).toBe(0);
  expect(run.stdout).toMatch(/All \*\*8 tests pass\*\* now/);
  expect(run.stderr).toMatch(
    /^Demo \(scripted, no model\) · .*\n[\s\S]*\$ npm test\n[\s\S]*✓ exit status 0\n[\s\S]*done\.\n$/,
  );
  expect(run.read('src/slug.js')).toContain("/[^a-z0-9]+/g, '-'");
});

test('without --apply nothing is changed, the run says so, and it did not end well', async () => {
  await using service = await provider(read('src/slug.js'), fix, { text: 'I could not.' });
  using run = new Run(cli, { CORDON_API_KEY: key });
  const before = run.read('src/slug.js');
  expect(await run.start('run', '--model', 'm', '--base-url', service.url, '--json', 'Fix it')).toBe(1);
  const message = 'Changes that the agent wanted to make were refused; --apply allows them.';
  expect(run.events.at(-1)).toEqual({ type: 'end', status: 'incomplete', message });
  expect(run.read('src/slug.js')).toBe(before);
});

/** What became of one command, run with these options by a model that asks for nothing else. */
async function tried(run: Run, command: string, ...options: string[]): Promise<unknown> {
  await using service = await provider(runs(command), { text: 'That was it.' });
  await run.start('run', '--model', 'm', '--base-url', service.url, '--json', ...options, 'Try it');
  return run.items.find(item => item['kind'] === 'toolCall');
}

test('what would be asked is denied: by default what no rule allows, with "never" everything', async () => {
  using run = new Run(cli, { CORDON_API_KEY: key });
  const reason = expect.stringMatching(
    /Nobody can be asked in this run; it could be allowed by --approve contained, or a rule/,
  ) as string;
  expect(await tried(run, 'npm test')).toMatchObject({ state: { kind: 'denied', by: 'policy', reason } });
  expect(await tried(run, 'ls')).toMatchObject({ state: { kind: 'finished', ok: true } });
  expect(await tried(run, 'ls', '--approve', 'never')).toMatchObject({
    state: { kind: 'denied', by: 'policy' },
  });
  expect(await tried(run, 'npm test', '--approve', 'contained')).toMatchObject({
    state: { kind: 'finished', exit: { code: 1 } },
  });
});

test('a rule of the user allows, one of the repository does not, and its prohibitions count', async () => {
  using run = new Run(cli, { CORDON_API_KEY: key });
  mkdirSync(path.join(run.workspace, '.vscode'));
  const brought = '{ // comment\n "cordon.commands.rules": { "npm test": "allow", "ls": "deny" } }';
  writeFileSync(path.join(run.workspace, '.vscode/settings.json'), brought);
  expect(await tried(run, 'npm test')).toMatchObject({ state: { kind: 'denied' } });
  expect(await tried(run, 'ls')).toMatchObject({ state: { kind: 'denied', by: 'policy' } });
  mkdirSync(path.join(run.folder, 'home/.config/cordon'), { recursive: true });
  const own = '{ "cordon.commands.rules": { "npm test": "allow" } }';
  writeFileSync(path.join(run.folder, 'home/.config/cordon/settings.json'), own);
  const allowedBy = expect.stringContaining('npm test') as string;
  expect(await tried(run, 'npm test')).toMatchObject({ state: { kind: 'finished' }, allowedBy });
});

test('a named session goes on where it was', async () => {
  using run = new Run(cli);
  await run.start('run', '--provider', 'demo', '--session', 'mine', '--json', 'say: one');
  expect(await run.start('run', '--provider', 'demo', '--session', 'mine', '--json', 'say: two')).toBe(0);
  expect(run.events[0]).toMatchObject({ type: 'start', session: 'mine' });
  // The second run counts on from the first one's requests.
  expect(run.events.findLast(event => event['type'] === 'usage')).toMatchObject({ usage: { requests: 2 } });
});

for (const [name, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${name} ends the turn in order and leaves nothing running`, async () => {
    using run = new Run(cli);
    const ended = run.start('run', '--provider', 'demo', '--json', 'slow');
    await expect.poll(() => run.stdout, { timeout: 40_000 }).toContain('"type":"text"');
    const agent = agentPid(run.pid) ?? 0;
    run.signal(name);
    expect(await ended).toBe(status);
    expect(run.events.at(-1)).toMatchObject({ type: 'end', status: 'stopped' });
    expect(traces(agent)).toBe('\n');
  });
}

test('killed outright, the command line takes everything inside with it', async () => {
  using run = new Run(cli);
  const ended = run.start(
    'run',
    '--provider',
    'demo',
    '--approve',
    'contained',
    '--json',
    'run: sleep 98790',
  );
  await expect
    .poll(() => descendants(run.pid).some(({ argv }) => argv[0] === 'sleep'), { timeout: 40_000 })
    .toBe(true);
  const inside = descendants(run.pid).map(({ pid }) => pid);
  run.signal('SIGKILL');
  expect(await ended).toBe('SIGKILL');
  await expect.poll(() => inside.filter(pid => traces(pid) !== '\n'), { timeout: 20_000 }).toEqual([]);
});

test('a service that cannot be reached, a wrong key, a turn that fails: plain words and no success', async () => {
  using run = new Run(cli, { CORDON_API_KEY: 'sk-wrong' });
  await using service = await provider({ text: 'never said' });
  expect(await run.start('run', '--model', 'm', '--base-url', service.url, '--json', 'Hello')).toBe(1);
  expect(run.items.find(item => item['kind'] === 'notice')).toMatchObject({
    level: 'error',
    code: 'gateway.wrongKey',
  });
  expect([run.events.at(-1), run.stdout.includes('sk-wrong')]).toEqual([
    { type: 'end', status: 'failed', message: '' },
    false,
  ]);
});

test('wrong usage is told on standard error and ends with status 2', async () => {
  using run = new Run(cli);
  const attempts: [string[], RegExp][] = [
    [['run'], /No task was given/],
    [['run', '--provider', 'demo'], /No task was given/],
    [['run', '--provider', 'skynet', 'x'], /--provider: must be one of anthropic, openai, demo/],
    [['run', '--approve', 'all', 'x'], /--approve: must be one of never, allowlist, contained/],
    [['run', '--workspace', 'nowhere', '--provider', 'demo', 'x'], /nowhere is not a folder/],
    [['run', '--base-url', 'ftp://x', 'x'], /--base-url: must be an http or https address/],
    [['run', '--session', '../x', '--provider', 'demo', 'x'], /--session: must be letters/],
    [['run', '--frobnicate', 'x'], /frobnicate/],
    [['run', 'x'], /CORDON_API_KEY is not set/],
    [['frobnicate'], /there is no command "frobnicate"/],
    [[], /cordon run/],
  ];
  for (const [args, words] of attempts) {
    expect([args, await run.start(...args), run.stdout]).toEqual([args, 2, '']);
    expect(run.stderr).toMatch(words);
  }
  expect([await run.start('--version'), run.stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
  expect([await run.start('--help'), run.stdout]).toEqual([0, expect.stringContaining('cordon run')]);
});
