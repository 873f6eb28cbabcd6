import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCommandLine, type CommandLine } from './commandLine.ts';

// The command line where the system says that it is a Mac and /usr/bin holds what a Mac has there, without walls. Only
// root can lay that out, for this process alone.

const root = mkdtempSync(join(tmpdir(), 'cordon-mac-'));
const [upper, work, mac] = [join(root, 'upper'), join(root, 'work'), join(root, 'mac.cjs')];
let cordon: CommandLine;
const problem = layOut();

beforeAll(async () => void (cordon = await buildCommandLine()));
afterAll(() => {
  cordon[Symbol.dispose]();
  rmSync(root, { recursive: true, force: true });
});

/** What keeps it from being laid out; undefined when it can be. */
function layOut(): string | undefined {
  for (const folder of [upper, work]) mkdirSync(folder);
  const [standIn, version] = [join(upper, 'sandbox-exec'), join(upper, 'sw_vers')];
  copyFileSync(resolve('test/integration/sandbox/sandboxExecStandIn.sh'), standIn);
  writeFileSync(version, '#!/bin/sh\necho 15.1\n');
  for (const file of [standIn, version]) chmodSync(file, 0o755);
  writeFileSync(mac, "Object.defineProperty(process, 'platform', { value: 'darwin' });\n");
  try {
    execFileSync('unshare', onMac(['true']), { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `Nothing can be laid over /usr/bin here: ${String(error).split('\n', 1).join('')}`;
  }
}

function onMac(command: readonly string[]): string[] {
  const overlay = `lowerdir=/usr/bin,upperdir=${upper},workdir=${work}`;
  return [
    '--mount',
    'sh',
    '-c',
    `mount -t overlay overlay -o ${overlay} /usr/bin && exec "$@"`,
    'mac',
    ...command,
  ];
}

function run(...words: string[]) {
  const command = [process.execPath, '--require', mac, cordon.program, ...words];
  const { status, stdout, stderr } = spawnSync('unshare', onMac(command), {
    cwd: cordon.workspace,
    env: { PATH: process.env['PATH'] ?? '', HOME: cordon.home, LANG: 'C.UTF-8' },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test.skipIf(problem !== undefined)(
  `doctor tries the walls of macOS, says which attempts came through, which mean nothing there, and what else is different${problem === undefined ? '' : ` (${problem})`}`,
  () => {
    const { status, stdout } = run('doctor', '--json');
    const { ok, findings } = JSON.parse(stdout) as {
      ok: boolean;
      findings: { name: string; state: string; detail: string }[];
    };
    expect([status, ok]).toEqual([1, false]);
    const named = (state: string) => findings.filter(each => each.state === state).map(each => each.name);
    expect(findings[0]).toMatchObject({
      name: 'Sandbox',
      state: 'good',
      detail: 'Seatbelt of macOS 15.1 (/usr/bin/sandbox-exec) starts.',
    });
    expect(named('bad')).toEqual(
      expect.arrayContaining([
        'Tried to write outside the workspace',
        'Tried to read a file in the home folder',
      ]),
    );
    expect(named('absent')).toEqual([
      'Did not try to create a user namespace',
      'Did not try to keep capabilities',
      "Did not try to change the machine's kernel settings",
    ]);
    expect(named('warning')).toEqual(['Copy-on-write workspace', 'On macOS']);
  },
);

test.skipIf(problem !== undefined)(
  'a command runs read-only, or in the folder itself when that is asked for',
  () => {
    expect(run('sandbox', '--', 'sh', '-c', 'echo hi; exit 5')).toEqual({
      status: 5,
      stdout: 'hi\n',
      stderr:
        'cordon sandbox: On macOS there is no copy-on-write view. The workspace is read-only instead (--direct makes it writable).\n',
    });
    expect(run('sandbox', '--direct', '--', 'sh', '-c', 'pwd; echo wrong >&2')).toEqual({
      status: 0,
      stdout: `${cordon.workspace}\n`,
      stderr: 'wrong\n',
    });
  },
);

test.skipIf(problem !== undefined)('what there is not on a Mac is refused in plain words', () => {
  expect(run('sandbox', '--session', 's', '--', 'true')).toMatchObject({
    status: 125,
    stderr: 'cordon sandbox: On macOS there is no copy-on-write view.\n',
  });
  expect(run('sandbox', '--direct', '--backend', 'podman', '--', 'true')).toMatchObject({
    status: 125,
    stderr: expect.stringContaining('Podman puts up walls on Linux only'),
  });
});
