import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSandbox, type Sandbox, type SandboxedProcess } from '../../../sandbox/sandbox.ts';
import { openOverlay, type Overlay } from '../../../src/overlay/overlay.ts';
import { buildCommandLine } from './commandLine.ts';

const diskSpace = 64 * 2 ** 20;
let root: string;
let workspace: string;
let overlay: Overlay;
let sandbox: Sandbox;

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'cordon-disk-')));
  workspace = join(root, 'workspace');
  mkdirSync(workspace);
  overlay = await openOverlay({
    directory: join(root, 'view'),
    folders: [workspace],
    bwrap: '/usr/bin/bwrap',
    dropAtEnd: true,
  });
  sandbox = await openSandbox({
    folders: [workspace],
    stateDirectory: join(root, 'state'),
    copyOnWrite: overlay.view,
    limits: { diskSpace },
  });
});
afterEach(async () => {
  await sandbox[Symbol.asyncDispose]();
  await overlay[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

function start(script: string, inside = sandbox): Promise<SandboxedProcess> {
  return inside.launch({
    argv: ['bash', '-c', script],
    cwd: workspace,
    writableFolders: [],
    view: 'system',
    stdin: 'ignore',
  });
}

const ended = {
  code: null,
  signal: 'SIGKILL',
  limit: expect.stringContaining('more than 64 MB to disk') as string,
};

describe('a command that fills the disk is ended with a sentence that names the limit and the setting', () => {
  test.each([
    ['one large file in the workspace', 'head -c 200M /dev/zero > large; sleep 60'],
    ['many files', 'mkdir -p many; for i in $(seq 400); do head -c 1M /dev/zero > many/$i; done; sleep 60'],
    ['in /tmp', 'head -c 200M /dev/zero > /tmp/large; sleep 60'],
    ['in HOME', 'head -c 200M /dev/zero > ~/large; sleep 60'],
    ['without writing a byte', 'fallocate -l 200M large; sleep 60'],
    ['a file that has no name any more', 'exec 9> large; rm large; head -c 200M /dev/zero >&9; sleep 60'],
  ])('%s', async (_, script) => {
    const filling = await start(script);
    const exit = await filling.exited;
    expect(exit).toMatchObject({ ...ended, limit: expect.stringContaining('cordon.limits.diskSpace') });
  });

  test('while one beside it, which writes nothing, goes on', async () => {
    const server = await start('echo ready; sleep 60; echo still here');
    const filling = await start('head -c 200M /dev/zero > large; sleep 60');
    expect(await filling.exited).toEqual(ended);
    let isOver = false;
    void server.exited.then(() => (isOver = true));
    await new Promise(resolve => setTimeout(resolve, 600));
    expect(isOver).toBe(false);
    await server.kill();
  });
});

test('a view that was full before hinders nobody who makes room in it', async () => {
  const changes = overlay.changes.get(workspace) ?? '';
  for (const name of ['a', 'b']) writeFileSync(join(changes, name), Buffer.alloc(diskSpace));
  expect(readdirSync(changes)).toEqual(['a', 'b']);
  const clearing = await start('sleep 1; rm a; sleep 0.5; ls');
  let output = '';
  clearing.stdout?.on('data', (chunk: Buffer) => void (output += chunk.toString()));
  await new Promise(resolve => clearing.stdout?.once('close', resolve));
  expect([await clearing.exited, output]).toEqual([{ code: 0, signal: null }, 'b\n']);
});

const isRoot = process.getuid?.() === 0;
test.skipIf(!isRoot)('the last part of a disk stays free (a small disk takes root to make)', async () => {
  const disk = join(root, 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=100M', 'tmpfs', disk]);
  try {
    await using small = await openSandbox({ folders: [workspace], stateDirectory: join(disk, 'state') });
    const filling = await start('head -c 97M /dev/zero > /tmp/large; sleep 60', small);
    expect((await filling.exited).limit).toContain('less than 5 % of the disk was left');
  } finally {
    execFileSync('umount', ['--lazy', disk]);
  }
});

test("cordon sandbox keeps to the limit of the user's settings file", async () => {
  using cordon = await buildCommandLine();
  const folder = join(cordon.home, '.config/cordon');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'settings.json'), '{ "cordon.limits.diskSpace": 64, // MB\n }');
  const script = 'head -c 200M /dev/zero > large; sleep 60';
  const { status, stderr } = await cordon.run(['sandbox', '--', 'bash', '-c', script]);
  expect([status, stderr]).toEqual([137, expect.stringContaining('(setting "cordon.limits.diskSpace")')]);
});
