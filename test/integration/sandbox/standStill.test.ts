import { mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isStopped } from '../../../sandbox/processTree.ts';
import { openSandbox, type Sandbox, type SandboxedProcess } from '../../../sandbox/sandbox.ts';
import { standStill } from '../../../sandbox/standStill.ts';

let root: string;
let sandbox: Sandbox;

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'cordon-still-')));
  sandbox = await openSandbox({ folders: [root], stateDirectory: `${root}.state` });
});
afterEach(async () => {
  await sandbox[Symbol.asyncDispose]();
  for (const each of [root, `${root}.state`]) rmSync(each, { recursive: true, force: true });
});

/** Starts a script and collects what it prints. */
async function started(script: string) {
  const process = await sandbox.launch({
    argv: ['/bin/bash', '-c', script],
    cwd: root,
    writableFolders: [root],
    view: 'system',
    stdin: 'ignore',
  });
  let text = '';
  process.stdout?.on('data', (chunk: Buffer) => void (text += chunk.toString()));
  return { process, text: () => text, namespace: namespaceOf(process) };
}

function namespaceOf({ programPid }: SandboxedProcess): string {
  return readlinkSync(`/proc/${programPid}/ns/pid`);
}

function members(namespace: string): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        if (readlinkSync(`/proc/${name}/ns/pid`) !== namespace) return [];
        return [{ pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, 'latin1') }];
      } catch {
        return [];
      }
    });
}

test('whatever starts new programs all the time stands still, and goes on where it was', async () => {
  // Programs that are started in every way there is: by a fork, by a fork that waits, from several threads.
  const busy = await started(
    'for n in 1 2 3; do (while :; do /bin/true; done) & done; ' +
      `python3 -c 'import subprocess, threading
def run():
  while True: subprocess.run(["/bin/true"], close_fds=False)
for n in range(3): threading.Thread(target=run).start()' & ` +
      'while :; do echo tick; done',
  );
  const other = await started('while :; do echo tock; sleep 0.01; done');
  await vi.waitFor(() =>
    expect([busy.text(), other.text()]).toEqual([
      expect.stringContaining('tick'),
      expect.stringContaining('tock'),
    ]),
  );
  for (let round = 0; round < 10; round++) {
    const goOn = await standStill(new Set([busy.namespace]));
    expect(goOn).toBeDefined();
    const before = members(busy.namespace);
    expect(before.every(({ pid }) => isStopped(pid))).toBe(true);
    // Who is not among them goes on.
    const heard = other.text().length;
    await vi.waitFor(() => expect(other.text().length).toBeGreaterThan(heard));
    expect(members(busy.namespace)).toEqual(before);
    goOn?.();
    // What was still in the pipe comes first.
    await wait(20);
    const said = busy.text().length;
    await vi.waitFor(() => expect(busy.text().length).toBeGreaterThan(said));
  }
});

test('what was stopped before stays so', async () => {
  const { namespace, text } = await started(
    'sleep 98778 & until grep -q sleep /proc/$!/comm; do :; done; kill -STOP $!; while :; do echo tick; sleep 0.01; done',
  );
  const isAsleep = () => {
    const pid = members(namespace).find(({ command }) => command.startsWith('sleep\0'))?.pid;
    return pid !== undefined && isStopped(pid);
  };
  await vi.waitFor(() => expect([text(), isAsleep()]).toEqual([expect.stringContaining('tick'), true]));
  (await standStill(new Set([namespace])))?.();
  const said = text().length;
  await vi.waitFor(() => expect(text().length).toBeGreaterThan(said));
  expect(isAsleep()).toBe(true);
});

test('a shell that watches its jobs does not find them stopped', async () => {
  const { namespace, process, text } = await started(
    'set -m; sleep 0.5 & echo ready; wait; echo waited: $?; jobs; sleep 0.3; echo over',
  );
  await vi.waitFor(() => expect(text()).toContain('ready'));
  for (let round = 0; round < 5; round++) (await standStill(new Set([namespace])))?.();
  await process.exited;
  await vi.waitFor(() => expect(text()).toContain('over'));
  expect(text()).toBe('ready\nwaited: 0\nover\n');
});

test('where nothing runs, all stand still at once', async () => {
  expect(await standStill(new Set())).toBeDefined();
});
