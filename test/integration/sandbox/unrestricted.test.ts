import { mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { LaunchRequest, Sandbox } from '../../../sandbox/sandbox.ts';
import { hostEnvironment, unrestrictedSandbox } from '../../../sandbox/unrestricted.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'cordon-unrestricted-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const insideTheWalls: LaunchRequest[] = [];
const walls: Sandbox = {
  async launch(request) {
    insideTheWalls.push(request);
    throw new Error('went inside');
  },
  async [Symbol.asyncDispose]() {},
};

function request(script: string): LaunchRequest {
  return {
    argv: ['/bin/bash', '--noprofile', '--norc', '-c', script],
    cwd: folder,
    writableFolders: [],
    view: 'system',
    stdin: 'ignore',
  };
}

test('a command runs on the host, with its output and exit status', async () => {
  await using sandbox = unrestrictedSandbox(walls, { PATH: '/usr/bin:/bin' });
  const started = await sandbox.launch(request('pwd; readlink /proc/self/ns/net; exit 3'));
  const output = await text(started.stdout ?? Readable.from([]));
  const [cwd, network] = output.split('\n');
  expect({ cwd, exit: await started.exited }).toEqual({ cwd: folder, exit: { code: 3, signal: null } });
  expect(network).toBe(readlinkSync('/proc/self/ns/net'));
});

test('the agent and the file writer stay behind the walls', async () => {
  await using sandbox = unrestrictedSandbox(walls);
  await expect(sandbox.launch({ ...request('true'), view: 'bare' })).rejects.toThrow('went inside');
  expect(insideTheWalls).toHaveLength(1);
});

test('ending a command ends what it started', async () => {
  await using sandbox = unrestrictedSandbox(walls, { PATH: '/usr/bin:/bin' });
  const started = await sandbox.launch(request('sleep 300 & echo $!; wait'));
  const child = Number(await new Promise(resolve => started.stdout?.once('data', resolve)));
  await started.kill();
  await expect.poll(() => lives(child)).toBe(false);
});

test('credentials and what steers VS Code or Node are left out of the environment', () => {
  const host = {
    PATH: '/bin',
    LANG: 'C',
    SSH_AUTH_SOCK: '/run/agent',
    GITHUB_TOKEN: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    PGPASSWORD: 'x',
    VSCODE_IPC_HOOK: 'x',
    ELECTRON_RUN_AS_NODE: '1',
    NODE_OPTIONS: '--require evil',
    LD_PRELOAD: 'x',
    CORDON_API_KEY: 'x',
    KEYBOARD: 'de',
  };
  expect(hostEnvironment(host, { CI: '1' })).toEqual({
    PATH: '/bin',
    LANG: 'C',
    SSH_AUTH_SOCK: '/run/agent',
    KEYBOARD: 'de',
    CI: '1',
  });
});

/** A process that has ended but that nobody has waited for does not run any more. */
function lives(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
