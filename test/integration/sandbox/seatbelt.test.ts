import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findProgram } from '../../../sandbox/facts.ts';
import { startTime } from '../../../sandbox/processTree.ts';
import {
  openSandbox,
  type LaunchRequest,
  type Sandbox,
  type SandboxOptions,
} from '../../../sandbox/sandbox.ts';
import { seatbeltProfile } from '../../../sandbox/seatbelt.ts';
import { gatherSeatbeltFacts } from '../../../sandbox/seatbeltFacts.ts';
import { inPlace, SeatbeltSandbox } from '../../../sandbox/seatbeltLauncher.ts';
import { seatbeltSelfTest } from '../../../sandbox/seatbeltSelfTest.ts';
import { startEgressProxy } from '../../../src/egress/egressProxy.ts';
import { buildPrograms, Stage, temporaryFolder } from '../session/harness.ts';

// What surrounds the profile on a Mac, run for real with a stand-in for sandbox-exec: streams, ends, limits, the way
// out, the self-test. The profile itself is asked in unit tests; only a Mac can run it.

const standIn = resolve('test/integration/sandbox/sandboxExecStandIn.sh');
let root: string;
let workspace: string;
let sandbox: SeatbeltSandbox;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'cordon-seatbelt-')));
  workspace = join(root, 'my project');
  mkdirSync(workspace);
  mkdirSync(join(root, 'home'));
  sandbox = open();
});
afterEach(async () => {
  await sandbox[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

function open(more: Partial<SandboxOptions> = {}): SeatbeltSandbox {
  const options = { folders: [workspace], stateDirectory: join(root, 'state'), ...more };
  const environment = { PATH: process.env['PATH'], HOME: join(root, 'home') };
  return new SeatbeltSandbox(gatherSeatbeltFacts(options, environment, standIn), options);
}

function request(script: string, more: Partial<LaunchRequest> = {}): LaunchRequest {
  const argv: LaunchRequest['argv'] = ['bash', '-c', script];
  return { argv, cwd: workspace, writableFolders: [workspace], view: 'system', stdin: 'ignore', ...more };
}

async function run(script: string, more: Partial<LaunchRequest> = {}, inside: Sandbox = sandbox) {
  const started = await inside.launch(request(script, more));
  const [out, err, exit] = await Promise.all([read(started.stdout), read(started.stderr), started.exited]);
  return { ...exit, out: out.toString(), err: err.toString() };
}

async function read(stream: NodeJS.ReadableStream | null): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function numbersIn(started: { readonly stdout: NodeJS.ReadableStream | null }): Promise<number[]> {
  const [line] = (await once(started.stdout ?? process.stdin, 'data')) as [Buffer];
  return line.toString().trim().split(/\s+/).map(Number);
}

const living = (pids: readonly number[]) => pids.filter(pid => startTime(pid) !== undefined);

/** Starts a process that leaves its parent, group and session at once, and prints its number. */
const daemon = '(trap "" TERM HUP; setsid sleep 300 & echo $!)';

test('bytes, both outputs, exit statuses and signals pass through', async () => {
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7) % 256));
  const started = await sandbox.launch(request('cat; echo wrong >&2; exit 7', { stdin: 'pipe' }));
  started.stdin?.end(bytes);
  const [out, err, exit] = await Promise.all([read(started.stdout), read(started.stderr), started.exited]);
  expect([out.equals(bytes), err.toString(), exit]).toEqual([true, 'wrong\n', { code: 7, signal: null }]);
  expect(await run('kill -TERM $$')).toMatchObject({ code: null, signal: 'SIGTERM' });
  expect((await run('true', { argv: ['no-such-program'] })).code).toBe(127);
  const trapping = await sandbox.launch(
    request('trap "echo caught; exit 3" INT; echo ready; while :; do sleep 0.05; done'),
  );
  const said = read(trapping.stdout);
  await once(trapping.stdout ?? process.stdin, 'readable');
  trapping.signal('SIGINT');
  expect([(await said).toString(), await trapping.exited]).toEqual([
    'ready\ncaught\n',
    { code: 3, signal: null },
  ]);
});

test('sandbox-exec is given the whole profile in a file, every path as a word of its own, and then the command', async () => {
  const note = join(root, 'note');
  const started = await sandbox.launch(request('sleep 300', { environment: { CORDON_TEST_NOTE: note } }));
  while (!existsSync(note) || !readFileSync(note, 'utf8').endsWith('sleep 300\0'))
    await new Promise(done => setTimeout(done, 10));
  const words = readFileSync(note, 'utf8').split('\0').slice(0, -1);
  const [option, file = '', ...rest] = words;
  const profile = seatbeltProfile(sandbox.facts, {
    request: inPlace(request('sleep 300'), sandbox.facts),
    files: [],
    sockets: [],
  });
  expect([option, readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual([
    '-f',
    profile.text,
    0o600,
  ]);
  const given = Object.entries(profile.parameters).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
  expect(rest).toEqual([...given, '--', 'bash', '-c', 'sleep 300']);
  await started.kill();
  expect(existsSync(file)).toBe(false);
});

test('HOME lasts, TMPDIR is short and goes with the session, git knows who commits, and neither lies among the records', async () => {
  const { home, temporary } = sandbox.facts.state;
  const script =
    'echo cached > ~/cache; echo here > "$TMPDIR/note"; git config --system --get core.excludesFile';
  expect((await run(script)).out).toBe(`${join(sandbox.facts.state.settings, 'gitignore')}\n`);
  expect((await run('env')).out).not.toContain('/run/cordon');
  await using other = open();
  expect((await run('cat ~/cache "$TMPDIR/note"', {}, other)).out).toBe('cached\n');
  expect([home.startsWith(join(root, 'home/Library/Caches/Cordon/')), home.includes(' ')]).toEqual([
    true,
    false,
  ]);
  expect(temporary.length).toBeLessThan(64);
  await sandbox[Symbol.asyncDispose]();
  expect([existsSync(temporary), existsSync(home)]).toEqual([false, true]);
});

describe('without namespaces, what a command started', () => {
  test('ends with it, a daemon in a session of its own too', async () => {
    const started = await sandbox.launch(request(`${daemon}; sleep 1`));
    const pids = await numbersIn(started);
    expect(living(pids)).toEqual(pids);
    await started.exited;
    expect(living(pids)).toEqual([]);
  });

  test('ends when it is killed', async () => {
    const started = await sandbox.launch(request(`${daemon}; trap "" TERM; echo $$; sleep 300`));
    const pids = await numbersIn(started);
    await started.kill();
    expect([living(pids), await started.exited]).toEqual([[], { code: null, signal: 'SIGKILL' }]);
  });

  test('ends when the broker is killed outright', async () => {
    const program = join(root, 'broker.mjs');
    await build({
      stdin: { contents: broker, resolveDir: import.meta.dirname, loader: 'ts' },
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    });
    const words = [program, workspace, join(root, 'state'), standIn, `${daemon}; echo $$; sleep 300`];
    // What it leaves behind goes with the rest.
    const env = { ...process.env, TMPDIR: root };
    const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const pids = await numbersIn(child);
      expect(living(pids)).toEqual(pids);
      child.kill('SIGKILL');
      while (living(pids).length > 0) await new Promise(done => setTimeout(done, 20));
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('is not mistaken for what somebody else started', async () => {
    const stranger = spawn('/bin/sleep', ['300'], { detached: true, stdio: 'ignore' });
    await run(`${daemon}; sleep 0.5`);
    expect(living([stranger.pid ?? 0])).toEqual([stranger.pid]);
    stranger.kill('SIGKILL');
  });
});

describe('a limit that is reached ends the command, or its call, and is named:', () => {
  test.each<[string, string, SandboxOptions['limits'], RegExp]>([
    ['processes', 'for i in $(seq 40); do sleep 60 & done; wait', { processes: 20 }, /limits\.processes/],
    ['memory', 'exec perl -e \'$x = "x" x 3e8; sleep 60\'', { memory: 2 ** 27 }, /limits\.memory/],
    ['output', 'yes', { output: 2 ** 20 }, /limits\.output/],
  ])('%s', async (_, script, limits, message) => {
    await using small = open(limits ? { limits } : {});
    expect((await run(script, {}, small)).limit).toMatch(message);
  });

  test('wall time', async () => {
    expect((await run('sleep 60', { timeout: 300 })).limit).toMatch(/limits\.wallTime/);
  });

  test('open files, and the size of a file to the byte', async () => {
    await using small = open({ limits: { openFiles: 77, fileSize: 2 ** 20 } });
    const { out, err } = await run('ulimit -n; head -c 2000000 /dev/zero > big; wc -c < big', {}, small);
    expect([out, err]).toEqual(['77\n1048576\n', expect.stringMatching(/too large|limit exceeded|^$/)]);
  });
});

// macOS has lsof; here it may be missing.
test.skipIf(findProgram('lsof', '/usr/sbin:/usr/bin', []) === undefined)(
  'the way out is on the machine’s own loopback, and lets in what a command connects, and nobody else',
  async () => {
    const server = createServer((_, response) => void response.end('hello'));
    await new Promise<void>(done => void server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    using proxy = startEgressProxy({ allows: ({ host }) => host === '127.0.0.1', onEvent: () => undefined });
    await using walls = open({ network: proxy.network });
    try {
      const { out } = await run(
        `echo "$HTTP_PROXY"; curl -s --noproxy '' http://127.0.0.1:${port}/; curl -s --noproxy '' http://docs.example.com/`,
        {},
        walls,
      );
      const [, address = '', answer = ''] = /^http:\/\/127\.0\.0\.1:(\d+)\n(.*)$/s.exec(out) ?? [];
      expect(answer).toMatch(/^hello.*docs\.example\.com:80 is not allowed/s);
      const stranger = connect(Number(address), '127.0.0.1');
      stranger.write(`GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
      let heard = '';
      stranger.on('data', (chunk: Buffer) => void (heard += chunk.toString())).on('error', () => undefined);
      await once(stranger, 'close');
      expect(heard).toBe('');
    } finally {
      server.close();
    }
  },
);

test('its self-test turns red where there are no walls, attempt by attempt', async () => {
  const { probes, absent } = await seatbeltSelfTest(sandbox);
  // The system's own starter of programs is a Mac's; who runs the tests may not be let through by sudo.
  const elsewhere = ['have another program started outside', 'become the administrator'];
  const canBeRoot = (() => {
    try {
      execFileSync('sudo', ['-n', 'true'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  })();
  expect(probes.filter(({ ok }) => ok).map(({ name }) => name)).toEqual(
    elsewhere.filter(name => !(canBeRoot && name === 'become the administrator')),
  );
  expect(absent?.map(({ name }) => name)).toEqual([
    'create a user namespace',
    'keep capabilities',
    "change the machine's kernel settings",
  ]);
});

test('its self-test holds behind other walls, and leaves nothing behind', async () => {
  await using walls = await openSandbox({ folders: [workspace], stateDirectory: join(root, 'state') });
  const before = readdirSync(process.env['HOME'] ?? '/');
  const { probes } = await seatbeltSelfTest(walls);
  expect([probes.length, probes.filter(({ ok }) => !ok)]).toEqual([8, []]);
  expect(readdirSync(process.env['HOME'] ?? '/')).toEqual(before);
});

test('a whole conversation goes on where nothing can be shown at another path', async () => {
  const built = temporaryFolder();
  try {
    const programs = await buildPrograms(built);
    await using stage = new Stage(programs);
    const folders = [stage.workspace];
    const options = { folders, stateDirectory: join(root, 'state') };
    const environment = { PATH: process.env['PATH'], HOME: join(root, 'home') };
    await using walls = new SeatbeltSandbox(gatherSeatbeltFacts(options, environment, standIn), options);
    const allow = { decision: 'allow' as const, risk: 0, reasons: [] };
    await stage.open({
      sandbox: walls,
      policy: () => ({ decide: () => allow, propose: () => [] }),
      writableFolders: () => folders,
    });
    await stage.session.prompt('Fix the failing test');
    expect([stage.ending, stage.said]).toEqual(['done', expect.stringMatching(/8 tests pass/)]);
    expect(readFileSync(join(stage.workspace, 'src/slug.js'), 'utf8')).toContain('+/g');
  } finally {
    rmSync(built, { recursive: true });
  }
});

const broker = `
import { gatherSeatbeltFacts } from '../../../sandbox/seatbeltFacts.ts';
import { SeatbeltSandbox } from '../../../sandbox/seatbeltLauncher.ts';
const [workspace, stateDirectory, standIn, script] = process.argv.slice(2);
const options = { folders: [workspace], stateDirectory };
const facts = gatherSeatbeltFacts(options, { PATH: process.env.PATH, HOME: stateDirectory }, standIn);
const started = await new SeatbeltSandbox(facts, options).launch({
  argv: ['bash', '-c', script], cwd: workspace, writableFolders: [], view: 'system', stdin: 'ignore',
});
started.stdout.pipe(process.stdout);
setInterval(() => undefined, 1000);
`;
