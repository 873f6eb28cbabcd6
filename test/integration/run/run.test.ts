import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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
    expect(run.events.at(-2)).toMatchObject({ type: 'changes', waiting: 0, heldBack: [], obstacles: [] });
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

test('without --apply the changes wait: the run says how to see them and take them over', async () => {
  await using service = await provider(read('src/slug.js'), fix, { text: 'Fixed.' });
  using run = new Run(cli, { CORDON_API_KEY: key });
  const before = run.read('src/slug.js');
  const options = ['--model', 'm', '--base-url', service.url, '--session', 'mine'];
  expect(await run.start('run', ...options, 'Fix it')).toBe(0);
  expect(run.stderr).toContain(
    '1 change waits for you. See: cordon review --session mine. Take over: cordon apply --session mine',
  );
  expect(run.read('src/slug.js')).toBe(before);

  expect([await run.start('review', '--session', 'mine'), run.stdout]).toEqual([
    0,
    expect.stringContaining('modified  src/slug.js'),
  ]);
  expect(await run.start('apply', '--session', 'mine', '--yes')).toBe(0);
  expect(run.read('src/slug.js')).toContain("/[^a-z0-9]+/g, '-'");
  expect([await run.start('review', '--session', 'mine'), run.stdout]).toEqual([
    0,
    expect.stringContaining('0 changes'),
  ]);
});

test('with --apply protected files are held back by name, and the run did not end well', async () => {
  const touch = 'mkdir .vscode && echo {} > .vscode/tasks.json && echo new > new.txt';
  await using service = await provider(runs(touch), { text: 'Done.' });
  using run = new Run(cli, { CORDON_API_KEY: key });
  const options = ['--model', 'm', '--base-url', service.url, '--approve', 'contained', '--session', 's'];
  expect(await run.start('run', ...options, '--apply', '--json', 'Do it')).toBe(1);
  expect([run.read('new.txt'), run.exists('.vscode')]).toEqual(['new\n', false]);
  const tasks = path.join(run.workspace, '.vscode/tasks.json');
  const heldBack = [
    { path: path.dirname(tasks), because: expect.stringContaining('the editor') as string },
    { path: tasks, because: expect.stringContaining('the editor') as string },
  ];
  expect(run.events.slice(-2)).toEqual([
    {
      type: 'changes',
      waiting: 2,
      applied: [path.join(run.workspace, 'new.txt')],
      merged: [],
      heldBack,
      obstacles: [],
    },
    { type: 'end', status: 'incomplete', message: 'Some files were held back.' },
  ]);
  expect(await run.start('apply', '--session', 's', '--yes', '.vscode', '.vscode/tasks.json')).toBe(0);
  expect(run.read('.vscode/tasks.json')).toBe('{}\n');
});

test('where the user changed the same lines meanwhile, nothing is applied and both stay', async () => {
  using run = new Run(cli, { CORDON_API_KEY: key });
  {
    await using service = await provider(read('src/slug.js'), fix, { text: 'Fixed.' });
    await run.start('run', '--model', 'm', '--base-url', service.url, '--session', 's', 'Fix it');
  }
  const mine = run.read('src/slug.js').replace("/[^a-z0-9]/g, '-'", "/[^a-z]/g, '_'");
  writeFileSync(path.join(run.workspace, 'src/slug.js'), mine);
  expect(await run.start('run', '--provider', 'demo', '--session', 's', '--apply', 'say: ready')).toBe(1);
  expect(run.stderr).toMatch(/In the way: .*src\/slug\.js \(you changed it/);
  expect(run.read('src/slug.js')).toBe(mine);
});

test('where no copy can be had the run says so, and only --apply lets it change the files', async () => {
  await using service = await provider(read('src/slug.js'), fix, { text: 'I could not.' });
  using run = new Run(cli, { CORDON_API_KEY: key, PATH: `${withoutViews()}:${process.env['PATH']}` });
  const before = run.read('src/slug.js');
  const options = ['--model', 'm', '--base-url', service.url, '--json'];
  expect(await run.start('run', ...options, 'Fix it')).toBe(1);
  expect(run.stderr).toMatch(
    /^warning: A copy-on-write view .* is not to be had here .*read-only instead; --apply/,
  );
  const message = 'Changes that the agent wanted to make were refused; --apply allows them.';
  expect(run.events.at(-1)).toEqual({ type: 'end', status: 'incomplete', message });
  expect(run.read('src/slug.js')).toBe(before);
  expect(
    await run.start('run', '--provider', 'demo', '--approve', 'contained', '--apply', 'write: a.md A'),
  ).toBe(0);
  expect(run.read('a.md')).toBe('A\n');

  // What the files held was kept: what the run did is listed, and can be undone.
  expect(await run.start('review')).toBe(0);
  expect(run.stdout).toMatch(/^Session .*, in your own files: 1 change\n.*a\.md/);
  expect(await run.start('apply', '--yes')).toBe(0);
  expect(run.stdout).toBe('This session worked in your own files: there is nothing to apply.\n');
  expect([await run.start('discard', '--yes'), run.stdout]).toEqual([0, 'Discarded 1 change.\n']);
  expect(run.exists('a.md')).toBe(false);
  expect([await run.start('trash', 'list'), run.stdout]).toEqual([0, expect.stringContaining('a.md')]);
});

/** A folder with a Bubblewrap that cannot keep a view open, as on an old kernel. */
function withoutViews(): string {
  const folder = mkdtempSync(path.join(built, 'bin-'));
  const script =
    '#!/bin/sh\ncase " $* " in *" --cap-add "*) echo not permitted >&2; exit 1;; esac\nexec /usr/bin/bwrap "$@"\n';
  writeFileSync(path.join(folder, 'bwrap'), script, { mode: 0o755 });
  return folder;
}

test("the agent's commits are imported into a branch by name, from a sub-folder too", async () => {
  using run = new Run(cli);
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: run.workspace, encoding: 'utf8' }).trim();
  git('init', '--quiet', '--initial-branch=main');
  git('-c', 'user.name=U', '-c', 'user.email=u@e', 'commit', '--quiet', '--allow-empty', '--message=First');
  const commit = 'git -c user.name=A -c user.email=a@b commit --quiet --allow-empty --message Second';
  const workspace = path.join(run.workspace, 'src');
  const where = ['--workspace', workspace, '--session', 's'];
  expect(
    await run.start('run', '--provider', 'demo', '--approve', 'contained', ...where, `run: ${commit}`),
  ).toBe(0);
  expect([await run.start('import-commits', ...where, 'theirs'), run.stdout, run.stderr]).toEqual([
    0,
    expect.stringMatching(/^1 commit is on the new branch theirs\.\n  [0-9a-f]{8}  Second\n$/),
    '',
  ]);
  expect(git('log', '--format=%s', 'theirs')).toBe('Second\nFirst');
  expect([await run.start('import-commits', ...where, 'theirs'), run.stderr]).toEqual([
    1,
    expect.stringContaining('There is a branch "theirs" already'),
  ]);
  expect(await run.start('import-commits', ...where)).toBe(2);
});

test('a run that changed nothing leaves no copy behind', async () => {
  using run = new Run(cli);
  expect(await run.start('run', '--provider', 'demo', 'say: hello')).toBe(0);
  expect([await run.start('review'), run.stderr]).toEqual([1, expect.stringContaining('No session of')]);
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

test('a host is reached only when it was allowed beforehand; what is refused says how, and a prohibition stands above', async () => {
  const server = createServer((_, response) => void response.end('hello from outside'));
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve));
  try {
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    using run = new Run(cli, { CORDON_API_KEY: key });
    const settings = path.join(run.folder, 'home/.config/cordon/settings.json');
    mkdirSync(path.dirname(settings), { recursive: true });
    const set = (values: object) =>
      writeFileSync(settings, JSON.stringify({ 'cordon.commands.rules': { 'curl **': 'allow' }, ...values }));
    set({});
    const command = `curl -sS --noproxy '' http://docs.example.com:8443/ http://${host}/`;
    const refused = await tried(run, command);
    expect(refused).toMatchObject({
      output: expect.stringContaining(
        'The command did not reach docs.example.com:8443. Nobody can be asked in this run; --allow-domain docs.example.com:8443 allows it.',
      ) as string,
      denials: [{ host: 'docs.example.com' }, { host: '127.0.0.1', grant: host }],
    });
    expect(await tried(run, command, '--allow-domain', host)).toMatchObject({
      output: expect.stringContaining('hello from outside') as string,
      connections: [{ host: '127.0.0.1', connections: 1 }],
    });
    set({ 'cordon.network.allowedDomains': [host], 'cordon.network.deniedDomains': ['127.0.0.1'] });
    expect(await tried(run, command, '--allow-domain', host)).not.toHaveProperty('connections');
    set({ 'cordon.network.deniedDomains': ['https://example.com/'] });
    expect(await run.start('run', '--provider', 'demo', 'say: hello')).toBe(1);
    expect(run.stdout + run.stderr).toContain('cordon.network.deniedDomains');
  } finally {
    server.close();
  }
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
