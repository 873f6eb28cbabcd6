import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildCommandLine, type CommandLine } from './commandLine.ts';

let cordon: CommandLine;
beforeAll(async () => {
  cordon = await buildCommandLine();
});
afterAll(() => cordon[Symbol.dispose]());
beforeEach(() => writeFileSync(join(cordon.workspace, 'file.txt'), 'as it was\n'));

const shell = (script: string, ...options: string[]) =>
  cordon.run(['sandbox', ...options, '--', 'bash', '-c', script]);

describe('cordon sandbox passes through', () => {
  test.each([0, 1, 7, 126, 255])('exit status %i', async status => {
    expect(await shell(`exit ${status}`)).toMatchObject({ status, stdout: '', stderr: '' });
  });

  test('binary input and output, byte for byte', async () => {
    const bytes = randomBytes(300_000);
    expect((await cordon.run(['sandbox', '--', 'cat'], { input: bytes })).bytes.equals(bytes)).toBe(true);
  });

  test('standard error apart from standard output', async () => {
    expect(await shell('echo out; echo err >&2')).toMatchObject({
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  test('arguments, exactly', async () => {
    const words = ['', ' ', '$HOME', '*', "it's", 'a\nb', '--direct', 'größe'];
    const { stdout } = await cordon.run(['sandbox', '--', 'printf', '%s|', ...words]);
    expect(stdout).toBe(words.map(word => `${word}|`).join(''));
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)('%s', async name => {
    const child = cordon.start([
      'sandbox',
      '--',
      'bash',
      '-c',
      `trap 'echo got ${name}; exit 42' ${name}; echo ready; while :; do sleep 0.05; done`,
    ]);
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output === 'ready\n') child.kill(name);
    });
    const status = await new Promise(resolve => void child.once('close', resolve));
    expect({ status, output }).toEqual({ status: 42, output: `ready\ngot ${name}\n` });
  });

  test('Ctrl-C at a terminal, to what runs in a shell and not to the shell or the walls', async () => {
    const words = ['exec', process.execPath, cordon.program, 'sandbox', '--', 'bash', '--norc', '-i'];
    const child = spawn('script', ['--quiet', '--return', '--command', words.join(' '), '/dev/null'], {
      cwd: cordon.workspace,
      env: { PATH: process.env['PATH'], HOME: cordon.home, TERM: 'dumb', SHELL: '/bin/sh' },
    });
    const steps = [
      { after: /\$ $/, say: `sh -c 'echo it be"gins"; exec sleep 100'\r` },
      { after: /begins\s+$/, say: '\u0003' },
      { after: /\$ $/, say: 'echo it goes o"n"; exit 7\r' },
    ];
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (steps[0]?.after.test(output) !== true) return;
      output = '';
      child.stdin.write(steps.shift()?.say ?? '');
    });
    const status = await new Promise(resolve => void child.once('close', resolve));
    expect([status, output]).toEqual([7, expect.stringContaining('it goes on')]);
  });

  test('death by a signal, as a shell would tell it', async () => {
    expect((await shell('kill -9 $$')).status).toBe(137);
  });

  test('the name by which a linked folder was entered', async () => {
    const link = join(cordon.home, 'entered');
    symlinkSync(cordon.workspace, link);
    const words = ['sandbox', '--', 'sh', '-c', 'pwd; cat "$0/file.txt"', link];
    expect(await cordon.run(words, { cwd: link, environment: { PWD: link } })).toMatchObject({
      status: 0,
      stdout: `${link}\nas it was\n`,
    });
  });

  test('a program that does not exist, as a shell would tell it', async () => {
    expect(await cordon.run(['sandbox', '--', 'no-such-program'])).toMatchObject({ status: 127, stdout: '' });
  });
});

describe('cordon sandbox shows the workspace', () => {
  test('copy-on-write, and drops what was written', async () => {
    const before = readdirSync(cordon.workspace);
    const { stdout } = await shell(
      'echo changed > file.txt; echo new > new.txt; mkdir -p .vscode .git/hooks; cat file.txt new.txt; pwd',
    );
    expect(stdout).toBe(`changed\nnew\n${cordon.workspace}\n`);
    expect({
      now: readdirSync(cordon.workspace),
      file: readFileSync(join(cordon.workspace, 'file.txt'), 'utf8'),
    }).toEqual({ now: before, file: 'as it was\n' });
    const sessions = join(cordon.home, '.local/state/cordon/workspaces');
    expect(readdirSync(sessions).flatMap(name => readdirSync(join(sessions, name, 'sessions')))).toEqual([]);
  });

  test('kept in a named session, with its /tmp, and apart from other sessions', async () => {
    await shell('echo kept > kept.txt; rm file.txt; echo t > /tmp/t', '--session', 'one');
    expect((await shell('cat kept.txt /tmp/t; ls file.txt', '--session', 'one')).stdout).toBe('kept\nt\n');
    expect((await shell('ls kept.txt', '--session', 'two')).status).toBe(2);
    expect(existsSync(join(cordon.workspace, 'kept.txt'))).toBe(false);
  });

  test('of a named session to two commands at once, with one network', async () => {
    const server = cordon.start([
      'sandbox',
      '--session',
      'both',
      '--',
      '/usr/bin/python3',
      '-c',
      `
import socket
s = socket.create_server(("127.0.0.1", 8099)); print("ready", flush=True)
c, _ = s.accept(); open("seen.txt", "w").write(c.recv(99).decode()); c.sendall(b"hello"); c.close()`,
    ]);
    await new Promise(resolve => void server.stdout?.once('data', resolve));
    const ended = new Promise(resolve => void server.once('close', resolve));
    const client = await shell(
      'exec 3<>/dev/tcp/127.0.0.1/8099; echo -n ping >&3; cat <&3',
      '--session',
      'both',
    );
    await ended;
    const later = await shell('cat seen.txt', '--session', 'both');
    expect([client.stdout, later.stdout]).toEqual(['hello', 'ping']);
  });

  test('read-only when asked', async () => {
    expect(await shell('touch new.txt', '--read-only')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Read-only file system'),
    });
  });

  test('directly when asked, with nothing left behind but what was written', async () => {
    const before = readdirSync(cordon.workspace);
    await shell('echo direct > direct.txt', '--direct');
    expect(readdirSync(cordon.workspace)).toEqual([...before, 'direct.txt'].toSorted());
    expect(statSync(join(cordon.workspace, 'direct.txt')).uid).toBe(process.getuid?.());
  });

  test('where several folders, links, blanks and other scripts are in the path', async () => {
    const real = join(cordon.home, '..', 'пример 例,:=');
    mkdirSync(real);
    writeFileSync(join(real, 'x'), 'x');
    const link = join(cordon.home, 'link');
    symlinkSync(real, link);
    const script = 'pwd; cat x "$1/x"; echo y > y; cat "$1/y"; ls "$2"';
    const words = [
      '--workspace',
      link,
      '--workspace',
      cordon.workspace,
      '--',
      'bash',
      '-c',
      script,
      'x',
      real,
      join(cordon.workspace, 'file.txt'),
    ];
    const { stdout } = await cordon.run(['sandbox', ...words], { cwd: link, environment: { PWD: link } });
    expect(stdout).toBe(`${link}\nxxy\n${join(cordon.workspace, 'file.txt')}\n`);
    expect(existsSync(join(real, 'y'))).toBe(false);
  });

  test('from the folder the caller is in', async () => {
    mkdirSync(join(cordon.workspace, 'deep/er'), { recursive: true });
    const { stdout } = await cordon.run(['sandbox', '--workspace', cordon.workspace, '--', 'pwd'], {
      cwd: join(cordon.workspace, 'deep/er'),
    });
    expect(stdout).toBe(join(cordon.workspace, 'deep/er') + '\n');
  });

  test('beside a folder that may be written too', async () => {
    const extra = join(cordon.home, 'extra');
    mkdirSync(extra);
    await shell(`echo real > '${extra}/real.txt'; echo not > not.txt`, '--allow-write', extra);
    expect([existsSync(join(extra, 'real.txt')), existsSync(join(cordon.workspace, 'not.txt'))]).toEqual([
      true,
      false,
    ]);
  });
});

describe('cordon sandbox refuses', () => {
  test.each([
    ['the home folder', () => cordon.home],
    ['the whole machine', () => '/'],
    ['a folder that does not exist', () => '/nonexistent'],
  ])('%s as a workspace, in words', async (_, folder) => {
    expect(await cordon.run(['sandbox', '--workspace', folder(), '--', 'true'])).toEqual(
      expect.objectContaining({
        status: 125,
        stdout: '',
        stderr: expect.stringMatching(/^cordon sandbox: The .+\.\n$/),
      }),
    );
  });

  test('to run anything without Bubblewrap', async () => {
    const outcome = await cordon.run(['sandbox', '--', 'true'], { environment: { PATH: '/nonexistent' } });
    expect(outcome).toMatchObject({
      status: 125,
      stderr: expect.stringContaining('apt-get install bubblewrap'),
    });
  });

  test('wrong usage, with status 2', async () => {
    expect((await cordon.run(['sandbox', '--allow-domain', '*.example.com', '--', 'true'])).status).toBe(2);
    expect((await cordon.run(['sandbox', 'ls'])).status).toBe(2);
  });
});

describe('cordon sandbox hands on no descriptor', () => {
  test('that whoever started it left open', () => {
    const script = `exec 9<"$1" 77<"$1" 300<"$1"; exec "$2" "$3" sandbox -- bash -c 'cat <&9; cat <&77; cat <&300; ls /proc/self/fd'`;
    const secret = join(cordon.home, 'secret.txt');
    writeFileSync(secret, 'through a descriptor');
    const { stdout } = spawnSync('/bin/bash', ['-c', script, 'x', secret, process.execPath, cordon.program], {
      cwd: cordon.workspace,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: cordon.home },
    });
    expect(stdout).not.toContain('through a descriptor');
    expect(stdout).toMatch(/^0\n1\n2\n/m);
  });

  test('that is a folder', () => {
    const script = `"$1" "$2" sandbox -- ls /proc/self/fd/0/ < /etc`;
    const { status, stderr } = spawnSync('/bin/bash', ['-c', script, 'x', process.execPath, cordon.program], {
      cwd: cordon.workspace,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: cordon.home },
    });
    expect({ status, stderr }).toEqual({ status: 125, stderr: expect.stringContaining('is a folder') });
  });
});

describe('cordon sandbox leaves no process', () => {
  test.each(['SIGKILL', 'SIGTERM'] as const)('when it is ended by %s', async name => {
    const marker = `4${Math.floor(Math.random() * 1e8)}`;
    const child = cordon.start([
      'sandbox',
      '--',
      'bash',
      '-c',
      `trap '' TERM; setsid sleep ${marker} & echo ready; ${name === 'SIGTERM' ? 'exit' : 'wait'}`,
    ]);
    await new Promise(resolve => void child.stdout?.once('data', resolve));
    const ended = new Promise(resolve => void child.once('exit', resolve));
    child.kill(name);
    await ended;
    for (let tries = 0; tries < 100 && running(marker); tries++) await wait(50);
    expect(running(marker)).toBe(false);
  });
});

test('cordon doctor says that all is well, and finds each wall standing', async () => {
  const { status, stdout } = await cordon.run(['doctor', '--json']);
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: { name: string; state: string }[] };
  expect({ status, ok, bad: findings.filter(finding => finding.state !== 'good') }).toEqual({
    status: 0,
    ok: true,
    bad: [],
  });
  expect(findings.length).toBeGreaterThan(8);
});

test('cordon doctor without Bubblewrap says how to get it', async () => {
  const { status, stdout } = await cordon.run(['doctor'], { environment: { PATH: '/nonexistent' } });
  expect({ status, stdout }).toEqual({
    status: 1,
    stdout: expect.stringMatching(/BAD {4} {2}Sandbox: [^]*install bubblewrap[^]*No command can run/),
  });
});

function running(marker: string): boolean {
  return readdirSync('/proc').some(pid => {
    try {
      return (
        /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith(`sleep\0${marker}`)
      );
    } catch {
      return false;
    }
  });
}
