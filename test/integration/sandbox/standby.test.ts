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
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { commandScript } from '../../../sandbox/commandScript.ts';
import { startTime } from '../../../sandbox/processTree.ts';
import { openSandbox, type LaunchRequest, type Sandbox } from '../../../sandbox/sandbox.ts';

const words = [
  'printf',
  String.raw`%s\0`,
  '',
  "it's",
  '$(echo no) `echo no` $HOME "quoted" \\',
  'two\nlines\r\n',
  '-n',
  'A=b',
  '* ~ # ! {a,b} | & ; < > ( )',
  'é 日本 🦊',
  `${"'".repeat(50)}\\''`,
] as const;

let root: string;
let workspace: string;
let sandbox: Sandbox;

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'cordon-standby-')));
  workspace = join(root, 'workspace');
  mkdirSync(workspace);
  sandbox = await openSandbox({ folders: [workspace], stateDirectory: join(root, 'state') });
});
afterEach(async () => {
  await sandbox[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

async function run(...argv: LaunchRequest['argv']) {
  const started = await sandbox.launch({
    argv,
    cwd: workspace,
    writableFolders: [],
    view: 'system',
    stdin: 'ignore',
  });
  const chunks: string[] = [];
  const read = async (stream: NodeJS.ReadableStream | null) => {
    for await (const chunk of stream ?? []) chunks.push(String(chunk));
  };
  await Promise.all([started.exited, read(started.stdout), read(started.stderr)]);
  return { stdin: started.stdin, pid: started.pid, output: chunks.join('') };
}

/** Bubblewraps of this broker's that wait for their options. */
function waiting(broker: number | undefined = process.pid): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter(pid => {
      try {
        const parent = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return Number(parent) === broker && /\bbwrap\0--args\0\d+\0--\0\/\S*\/sh\0$/.test(line);
      } catch {
        return false;
      }
    });
}

/** Waits until one is in waiting. */
const ready = (broker?: number) =>
  vi.waitFor(
    () => {
      const [pid] = waiting(broker);
      expect(pid).toBeDefined();
      return pid ?? 0;
    },
    { timeout: 20_000 },
  );

describe('a Bubblewrap that was started in advance', () => {
  test('gives the next command its words unchanged, and nothing to read', async () => {
    await run('true');
    const pid = await ready();
    const printed = await run(...words);
    const read = await run('cat');
    expect({ pid: printed.pid, output: printed.output.split('\0').slice(0, -1), read: read.output }).toEqual({
      pid,
      output: words.slice(2),
      read: '',
    });
    expect([printed.stdin, read.stdin]).toEqual([null, null]);
  });

  test('hides what became a secret since', async () => {
    await run('true');
    const pid = await ready();
    writeFileSync(join(workspace, '.env'), 'KEY=secret');
    const seen = await run('cat', '.env');
    expect({ pid: seen.pid, output: seen.output }).toEqual({ pid, output: 'cat: .env: Permission denied\n' });
  });

  test('is done without when it died', async () => {
    await run('true');
    const pid = await ready();
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(() => expect(startTime(pid)).toBeUndefined());
    expect((await run('echo', 'here')).output).toBe('here\n');
  });

  test('ends with its sandbox', async () => {
    await run('true');
    const pid = await ready();
    await sandbox[Symbol.asyncDispose]();
    await vi.waitFor(() => expect(startTime(pid)).toBeUndefined());
  });

  test('ends with a killed broker, and runs nothing', async () => {
    const program = join(root, 'broker.cjs');
    await build({
      stdin: { contents: brokerSource, resolveDir: join(import.meta.dirname, '../../../sandbox') },
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'cjs',
    });
    const broker = spawn(process.execPath, [program, workspace, join(root, 'other')], { stdio: 'ignore' });
    const gone = once(broker, 'exit');
    try {
      const pid = await ready(broker.pid);
      broker.kill('SIGKILL');
      await gone;
      await vi.waitFor(() => expect(startTime(pid)).toBeUndefined());
    } finally {
      broker.kill('SIGKILL');
    }
  });
});

const brokerSource = `
import { openSandbox } from './sandbox.ts';
const [, , workspace = '', stateDirectory = ''] = process.argv;
const request = { argv: ['true'], cwd: '/tmp', writableFolders: [], view: 'system', stdin: 'ignore' };
void openSandbox({ folders: [workspace], stateDirectory }).then(sandbox => sandbox.launch(request));
setInterval(() => undefined, 1_000);
`;

/** Whatever /bin/sh is. */
const shells: readonly (readonly [string, ...string[]])[] = [
  ['dash'],
  ['bash', '--posix'],
  ['zsh', '--emulate', 'sh'],
];

describe.each(shells)('read by %s', (shell, ...args) => {
  const program = join('/usr/bin', shell);
  const read = (argv: readonly string[], processes: number) =>
    execFileSync(program, args, { input: commandScript(argv, processes), encoding: 'utf8' });

  test.skipIf(!existsSync(program))('a command keeps its words and gets its limit', () => {
    expect(read(words, 64).split('\0').slice(0, -1)).toEqual(words.slice(2));
    expect(read(['bash', '-c', 'ulimit -u; ulimit -Hu'], 64)).toBe('64\n64\n');
  });

  test.skipIf(!existsSync(program))('a command whose limit cannot be set does not run', () => {
    const script = commandScript(['echo', 'ran'], 64).replaceAll('64', 'nothing');
    expect(() => execFileSync(program, args, { input: script, encoding: 'utf8', stdio: 'pipe' })).toThrow(
      expect.objectContaining({ stdout: '' }),
    );
  });
});
