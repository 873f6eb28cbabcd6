import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { changeFile } from '../../../sandbox/changeFile.ts';
import type { FileChangeRequest } from '../../../sandbox/fileChange.ts';
import { checkSandbox } from '../../../sandbox/readiness.ts';
import { openSandbox, type LaunchRequest, type Sandbox } from '../../../sandbox/sandbox.ts';
import { selfTest } from '../../../sandbox/selfTest.ts';

let root: string;
let workspace: string;
let sandbox: Sandbox;

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'cordon-launch-')));
  workspace = join(root, 'workspace');
  mkdirSync(workspace);
  sandbox = await openSandbox({ folders: [workspace], stateDirectory: join(root, 'state') });
});
afterEach(async () => {
  await sandbox[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

async function run(request: Partial<LaunchRequest> & { argv: LaunchRequest['argv'] }, inside = sandbox) {
  const started = await inside.launch({
    cwd: workspace,
    writableFolders: [],
    view: 'system',
    stdin: 'ignore',
    ...request,
  });
  const chunks: string[] = [];
  const read = async (stream: NodeJS.ReadableStream | null) => {
    for await (const chunk of stream ?? []) chunks.push(String(chunk));
  };
  const [exit] = await Promise.all([started.exited, read(started.stdout), read(started.stderr)]);
  return { ...exit, output: chunks.join('') };
}

const shell = (script: string, more: Partial<LaunchRequest> = {}) =>
  run({ argv: ['bash', '-c', script], ...more });

describe('a bare view', () => {
  const node = (script: string, more: Partial<LaunchRequest> = {}) =>
    run({ argv: [process.execPath, '-e', script], view: 'bare', ...more });

  test('holds no shell, no home, and nothing to execute but the program and what is bound', async () => {
    const { output } = await node(`
      const { readdirSync, accessSync, constants } = require('fs');
      const found = [];
      const walk = path => { for (const entry of readdirSync(path || '/', { withFileTypes: true })) {
        const full = path + '/' + entry.name;
        if (full === '/proc' || full === '/dev') continue;
        if (entry.isDirectory()) walk(full); else { try { accessSync(full, constants.X_OK); found.push(full) } catch {} }
      } };
      walk('');
      console.log(found.filter(path => !/\\.so[.\\d]*$/.test(path)).join('\\n'));`);
    expect(output.trim().split('\n')).toEqual([realpathSync(process.execPath)]);
  });

  test('hands over descriptors, and shows what is bound where it was asked for', async () => {
    const file = join(root, 'agent.txt');
    writeFileSync(file, 'bound');
    const { output } = await node(
      `const { readFileSync: read } = require('fs'); console.log(read(3, 'utf8'), read(4, 'utf8'), read('/run/cordon/agent.txt', 'utf8'), process.env.GIVEN, Object.keys(process.env).length)`,
      {
        descriptors: [Buffer.from('one'), Buffer.from('two')],
        binds: [{ source: file, target: '/run/cordon/agent.txt' }],
        environment: { GIVEN: 'yes' },
      },
    );
    expect(output).toMatch(/^one two bound yes \d\n$/);
  });

  test("shares no loopback with the session's commands", async () => {
    const server = await sandbox.launch({
      argv: [
        '/usr/bin/python3',
        '-c',
        'import socket; s = socket.create_server(("127.0.0.1", 8077)); print("ready", flush=True); s.accept()',
      ],
      cwd: workspace,
      writableFolders: [],
      view: 'system',
      stdin: 'ignore',
    });
    await new Promise(resolve => void server.stdout?.once('data', resolve));
    const { output } = await node(
      `require('net').connect(8077, '127.0.0.1').on('connect', () => console.log('reached')).on('error', error => console.log(error.code))`,
    );
    await server.kill();
    expect(output).toBe('ECONNREFUSED\n');
  });

  test('runs ripgrep, which is bound', async () => {
    const { rgPath } = (await import('@vscode/ripgrep')) as { rgPath: string };
    writeFileSync(join(workspace, 'a.txt'), 'needle');
    writeFileSync(join(workspace, '.env'), 'needle');
    const { output } = await node(
      `console.log(require('child_process').spawnSync('/run/cordon/rg', ['--hidden', '--files-with-matches', 'needle', '.'], { encoding: 'utf8' }).stdout)`,
      { binds: [{ source: realpathSync(rgPath), target: '/run/cordon/rg' }] },
    );
    expect(output.trim()).toBe('./a.txt');
  });
});

describe('a command', () => {
  test('sees a server that an earlier command of the session started', async () => {
    const server = await sandbox.launch({
      argv: [
        '/usr/bin/python3',
        '-c',
        'import socket; s = socket.create_server(("127.0.0.1", 8078)); print("ready", flush=True); c, _ = s.accept(); c.sendall(b"hello"); c.close()',
      ],
      cwd: workspace,
      writableFolders: [],
      view: 'system',
      stdin: 'ignore',
    });
    await new Promise(resolve => void server.stdout?.once('data', resolve));
    expect(await shell('cat < /dev/tcp/127.0.0.1/8078')).toMatchObject({ code: 0, output: 'hello' });
  });

  test('can open its own standard streams again by name', async () => {
    expect(
      (await shell('echo a > /dev/stdout; echo b > /dev/stderr; echo c | tee /dev/stderr')).output
        .split('\n')
        .toSorted(),
    ).toEqual(['', 'a', 'b', 'c', 'c']);
  });

  test('shares /tmp with the commands of its session and with nobody else', async () => {
    await shell('echo here > /tmp/note');
    await using other = await openSandbox({ folders: [workspace], stateDirectory: join(root, 'state') });
    expect([
      (await shell('cat /tmp/note')).output,
      (await run({ argv: ['ls', '/tmp/note'] }, other)).code,
      existsSync('/tmp/note'),
    ]).toEqual(['here\n', 2, false]);
  });

  test('that a wall stopped is told which one, in the words of real programs', async () => {
    writeFileSync(join(workspace, '.env'), 'A=1');
    writeFileSync(join(root, 'outside.txt'), 'x');
    const scripts = [
      'cat .env',
      'touch new.txt',
      `cat ${root}/outside.txt`,
      `/usr/bin/python3 -c 'open(".env")'`,
      '/usr/bin/python3 -c \'import urllib.request as u; u.urlopen("http://docs.example.com")\' || curl -sS http://docs.example.com',
    ];
    const kinds = [];
    for (const script of scripts) {
      const { output } = await shell(script);
      kinds.push(
        sandbox
          .explain?.(output, { cwd: workspace, writableFolders: [] })
          .map(each => each.kind)
          .join(),
      );
    }
    expect(kinds).toEqual(['secretFile', 'writeFolder', 'outside', 'secretFile', 'network']);
  });

  test('keeps its home for the next session', async () => {
    await shell('echo cached > ~/cache; cd ~; pwd');
    await using other = await openSandbox({ folders: [workspace], stateDirectory: join(root, 'state') });
    expect((await run({ argv: ['bash', '-c', 'cat ~/cache'] }, other)).output).toBe('cached\n');
  });

  test('that runs too long is ended with a sentence that names the setting', async () => {
    expect(await shell('sleep 60', { timeout: 300 })).toEqual({
      code: null,
      signal: 'SIGKILL',
      output: '',
      limit: expect.stringContaining('cordon.limits.wallTime'),
    });
  });

  test('that prints without end is ended with a sentence that names the setting', async () => {
    await using small = await openSandbox({
      folders: [workspace],
      stateDirectory: join(root, 'state'),
      limits: { output: 2 ** 20 },
    });
    const { limit, signal } = await run({ argv: ['yes'] }, small);
    expect({ limit, signal }).toEqual({
      limit: expect.stringContaining('1 MB (setting "cordon.limits.output")'),
      signal: 'SIGKILL',
    });
  });

  test('cannot open, allocate or write more than its limits', async () => {
    await using small = await openSandbox({
      folders: [workspace],
      stateDirectory: join(root, 'state'),
      limits: { openFiles: 64, memory: 2 ** 28, fileSize: 2 ** 20 },
    });
    const script =
      'ulimit -Hn; ulimit -Hc; head -c 2000000 /dev/zero > /tmp/big; stat -c %s /tmp/big; /usr/bin/python3 -c "bytearray(2**29)" 2>&1 | tail -1';
    expect((await run({ argv: ['bash', '-c', script] }, small)).output).toMatch(
      /^64\n0\n[^]*1048576\n[^]*MemoryError\n$/,
    );
  });

  test('cannot start more processes than its limit', async () => {
    await using small = await openSandbox({
      folders: [workspace],
      stateDirectory: join(root, 'state'),
      limits: { processes: 24 },
    });
    const { limit, output } = await run(
      { argv: ['bash', '-c', 'for i in $(seq 60); do sleep 5 & done; wait'] },
      small,
    );
    // The kernel refuses more to ordinary users; root's are counted, and ended.
    expect(limit ?? output).toMatch(/Resource temporarily unavailable|more than 24 processes/);
  });

  test('is gone with all its children within a second of being killed', async () => {
    const started = await sandbox.launch({
      argv: ['bash', '-c', 'trap "" TERM HUP INT; (setsid sleep 300 &); echo ready; sleep 300'],
      cwd: workspace,
      writableFolders: [],
      view: 'system',
      stdin: 'ignore',
    });
    await new Promise(resolve => void started.stdout?.once('data', resolve));
    const programs = [started.pid, started.programPid ?? 0];
    await started.kill();
    expect({
      exit: await started.exited,
      left: programs.filter(pid => existsSync(`/proc/${pid}/exe`)),
    }).toEqual({ exit: { code: null, signal: 'SIGKILL' }, left: [] });
  });

  test('is gone when its sandbox is disposed, and nothing more can be started', async () => {
    const other = await openSandbox({ folders: [workspace], stateDirectory: join(root, 'state') });
    const started = await other.launch({
      argv: ['sleep', '300'],
      cwd: workspace,
      writableFolders: [],
      view: 'system',
      stdin: 'ignore',
    });
    await other[Symbol.asyncDispose]();
    expect(await started.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await expect(run({ argv: ['true'] }, other)).rejects.toMatchObject({ code: 'sandbox.closed' });
    expect(readdirSync(join(root, 'state')).filter(name => name.startsWith('tmp-'))).toHaveLength(1);
  });

  test('never shows guards to the user for longer than it runs, however many run at once', async () => {
    const many = Array.from({ length: 6 }, (_, at) =>
      shell(`sleep 0.${at}; mkdir .vscode/x || echo kept`, { writableFolders: [workspace] }),
    );
    const outputs = (await Promise.all(many)).map(each => each.output.split('\n').includes('kept'));
    expect({ outputs, left: readdirSync(workspace) }).toEqual({
      outputs: Array.from({ length: 6 }, () => true),
      left: [],
    });
  });

  test.each<[string, Partial<LaunchRequest>, string]>([
    ['a folder that is not of the workspace', { writableFolders: ['/etc'] }, 'sandbox.notAFolder'],
    ['a working directory outside', { cwd: '/home' }, 'sandbox.workingDirectory'],
    ['a null byte in the command', { argv: ['echo', 'a\0b'] }, 'sandbox.invalidText'],
    [
      'a bind of something that does not exist',
      { binds: [{ source: '/nonexistent', target: '/run/cordon/x' }] },
      'sandbox.didNotStart',
    ],
    [
      'a bare program that does not exist',
      { argv: ['/nonexistent'], view: 'bare' },
      'sandbox.programMissing',
    ],
  ])('does not start with %s', async (_, change, code) => {
    await expect(shell('true', change)).rejects.toMatchObject({ code });
  });
});

test('a folder inside another one is not followed to where a command moved it', async () => {
  const [inner, outside] = [join(workspace, 'some/inner'), join(root, 'outside')];
  for (const folder of [inner, outside]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(outside, 'file'), 'SECRET');
  await using both = await openSandbox({ folders: [workspace, inner], stateDirectory: join(root, 'state') });
  const writableFolders = [workspace, inner];
  const script = `mv some other && mkdir some && ln -s ${outside} some/inner && echo moved`;
  expect((await run({ argv: ['bash', '-c', script], writableFolders }, both)).output).toBe('moved\n');
  await expect(run({ argv: ['cat', 'some/inner/file'], writableFolders }, both)).rejects.toMatchObject({
    code: 'sandbox.moved',
  });
});

test('work in a git worktree and in a sub-folder finds the repository, read-only', async () => {
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...words], {
      cwd: join(root, 'main'),
      stdio: 'ignore',
    });
  mkdirSync(join(root, 'main/sub'), { recursive: true });
  writeFileSync(join(root, 'main/sub/a'), 'a');
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'first');
  git('worktree', 'add', '--quiet', '../tree');
  for (const folder of [join(root, 'tree'), join(root, 'main/sub')]) {
    await using inside = await openSandbox({ folders: [folder], stateDirectory: join(root, 'state') });
    const { output } = await run(
      {
        argv: [
          'bash',
          '-c',
          'git log --format=%s; git status --porcelain -- .; git commit --allow-empty --message no 2>&1 | grep -c "ead-only"',
        ],
        cwd: folder,
      },
      inside,
    );
    expect(output).toBe('first\n1\n');
  }
});

test('a sandbox is ready here, and holds against its own self-test', async () => {
  expect((await checkSandbox()).kind).toBe('ready');
  const { probes } = await selfTest(sandbox);
  expect({ count: probes.length, broken: probes.filter(probe => !probe.ok) }).toEqual({
    count: 7,
    broken: [],
  });
});

describe('the file writer', () => {
  let fileWriter: string;
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const change = (request: Partial<FileChangeRequest> & { path: string }) =>
    changeFile(
      sandbox,
      { node: process.execPath, fileWriter },
      { operation: 'write', expectedSha256: null, roots: [workspace], ...request },
      new AbortController().signal,
    );

  beforeEach(async () => {
    fileWriter = join(root, 'file-writer.cjs');
    await build({
      entryPoints: [join(import.meta.dirname, '../../../sandbox/fileWriter.ts')],
      outfile: fileWriter,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      logLevel: 'error',
    });
  });

  test('creates, changes and deletes, keeps the mode, and hands back what was there', async () => {
    const path = join(workspace, 'new folder/größe.txt');
    const results = [await change({ path, content: 'eins\n' })];
    chmodSync(path, 0o755);
    results.push(await change({ path, content: 'zwei\n', expectedSha256: sha256('eins\n') }));
    expect({
      text: readFileSync(path, 'utf8'),
      mode: statSync(path).mode & 0o777,
      owner: statSync(path).uid,
    }).toEqual({ text: 'zwei\n', mode: 0o755, owner: process.getuid?.() });
    results.push(await change({ path, operation: 'delete', expectedSha256: sha256('zwei\n') }));
    expect(results).toEqual([
      { ok: true, path, existed: false },
      { ok: true, path, existed: true, oldContent: 'eins\n' },
      { ok: true, path, existed: true, oldContent: 'zwei\n' },
    ]);
    expect(readdirSync(join(workspace, 'new folder'))).toEqual([]);
  });

  test('finds a conflict when the file changed, came or went', async () => {
    const path = join(workspace, 'a.txt');
    const gone = await change({ path, content: 'x', expectedSha256: sha256('y') });
    writeFileSync(path, 'theirs');
    const results = [
      gone,
      await change({ path, content: 'x' }),
      await change({ path, content: 'x', expectedSha256: sha256('y') }),
      await change({ path, operation: 'delete', expectedSha256: sha256('y') }),
    ];
    expect({
      codes: results.map(each => (each.ok ? 'done' : each.code)),
      text: readFileSync(path, 'utf8'),
    }).toEqual({ codes: ['conflict', 'conflict', 'conflict', 'conflict'], text: 'theirs' });
  });

  test('follows a link inside the workspace, keeps the link, and follows none outside', async () => {
    writeFileSync(join(workspace, 'real.txt'), 'a');
    writeFileSync(join(root, 'outside.txt'), 'a');
    symlinkSync('real.txt', join(workspace, 'link.txt'));
    symlinkSync('../outside.txt', join(workspace, 'way.txt'));
    symlinkSync(root, join(workspace, 'up'));
    const expectedSha256 = sha256('a');
    const results = [
      await change({ path: join(workspace, 'link.txt'), content: 'b', expectedSha256 }),
      await change({ path: join(workspace, 'way.txt'), content: 'b', expectedSha256 }),
      await change({ path: join(workspace, 'up/outside.txt'), content: 'b', expectedSha256 }),
      await change({ path: join(workspace, '../outside.txt'), content: 'b', expectedSha256 }),
      await change({ path: join(root, 'outside.txt'), content: 'b', expectedSha256 }),
    ];
    expect(results.map(each => (each.ok ? each.path : each.code))).not.toContain(join(root, 'outside.txt'));
    expect({
      ok: results.map(each => each.ok),
      real: readFileSync(join(workspace, 'real.txt'), 'utf8'),
      outside: readFileSync(join(root, 'outside.txt'), 'utf8'),
    }).toEqual({ ok: [true, false, false, false, false], real: 'b', outside: 'a' });
  });

  test('changes a protected or hidden file when the user allowed that one, and no other', async () => {
    writeFileSync(join(workspace, '.env'), 'A=1');
    mkdirSync(join(workspace, '.vscode'));
    linkSync(join(workspace, '.env'), join(workspace, 'alias'));
    symlinkSync('.env', join(workspace, 'other-name'));
    const results = [
      await change({ path: join(workspace, '.vscode/tasks.json'), content: '{}' }),
      await change({ path: join(workspace, '.env'), content: 'A=2', expectedSha256: sha256('A=1') }),
      await change({ path: join(workspace, 'other-name'), content: 'A=3', expectedSha256: sha256('A=2') }),
    ];
    expect({ ok: results.map(each => each.ok), env: readFileSync(join(workspace, '.env'), 'utf8') }).toEqual({
      ok: [true, true, false],
      env: 'A=2',
    });
  });

  test('refuses what is not an ordinary file, and what nobody allowed', async () => {
    mkdirSync(join(workspace, 'folder'));
    execFileSync('mkfifo', [join(workspace, 'pipe')]);
    const codes = [
      await change({ path: join(workspace, 'folder'), content: 'x' }),
      await change({ path: join(workspace, 'pipe'), content: 'x' }),
      await change({ path: workspace, content: 'x' }),
      await change({ path: 'relative.txt', content: 'x' }),
    ].map(each => (each.ok ? 'done' : each.code));
    expect(codes).toEqual(['notAFile', 'notAFile', 'outside', 'invalid']);
    await expect(change({ path: '/etc/x', content: 'x', roots: ['/etc'] })).rejects.toMatchObject({
      code: 'sandbox.notAFolder',
    });
  });

  test('can be stopped before it starts', async () => {
    const stopped = changeFile(
      sandbox,
      { node: process.execPath, fileWriter },
      {
        operation: 'write',
        path: join(workspace, 'a'),
        content: 'x',
        expectedSha256: null,
        roots: [workspace],
      },
      AbortSignal.abort(),
    );
    await expect(stopped).rejects.toThrow('aborted');
    expect(readdirSync(workspace)).toEqual([]);
  });
});
