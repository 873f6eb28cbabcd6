import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import esbuild from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { removeTree } from '../../../src/base/removeTree.ts';

// Attacks that need more than one command: on what the caller hands over, what a repository brought, what an earlier
// command left. Each is run without walls too, where it must come through.

interface Person {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const me: Person = {
  name: 'the user who runs the tests',
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
};
const ordinary = me.uid === 0 ? ordinaryUser() : undefined;

let built: string;
let program: string;
let root: string;
let home: string;
let workspace: string;

beforeAll(async () => {
  // Inside node_modules, so that the bundle finds the native module as an installed extension would.
  const cache = path.resolve('node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  built = mkdtempSync(path.join(cache, 'attacks-'));
  chmodSync(built, 0o755);
  program = path.join(built, 'cli.cjs');
  await esbuild.build({
    entryPoints: ['src/cli/main.ts'],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    // Its main file is UMD, which a bundler cannot follow.
    alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
    external: ['better-sqlite3', '@vscode/ripgrep'],
    define: { 'import.meta.url': '__importMetaUrl' },
    banner: { js: "const __importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
    logLevel: 'error',
  });
});
afterAll(() => rmSync(built, { recursive: true, force: true }));

describe.each([me, ...(ordinary === undefined ? [] : [ordinary])])('as $name', person => {
  beforeEach(() => {
    root = realpathSync(mkdtempSync('/var/tmp/cordon-attacks-'));
    home = path.join(root, 'home');
    workspace = path.join(home, 'work');
    for (const folder of [home, workspace, path.join(home, '.ssh')]) mkdirSync(folder);
    put('home/.ssh/id_rsa', 'secret');
    put('home/work/a.txt', 'a\n');
    for (const each of ['', 'home', 'home/work', 'home/.ssh', 'home/.ssh/id_rsa', 'home/work/a.txt'])
      chownSync(path.join(root, each), person.uid, person.gid);
  });
  afterEach(() => removeTree(root));

  const put = (name: string, content: string) => {
    writeFileSync(path.join(root, name), content);
    chownSync(path.join(root, name), person.uid, person.gid);
    return path.join(root, name);
  };

  /** Runs it with files for streams where they are named. */
  const run = async (
    command: readonly string[],
    files: { input?: string; log?: string; path?: string } = {},
  ) => {
    const as = person.uid === me.uid ? [] : setpriv(person);
    const input = files.input === undefined ? undefined : openSync(files.input, 'r');
    const log = files.log === undefined ? undefined : openSync(files.log, 'a');
    try {
      const [file = '', ...args] = [...as, ...command];
      const child = spawn(file, args, {
        cwd: workspace,
        env: { PATH: files.path ?? '/usr/sbin:/usr/bin:/sbin:/bin', HOME: home },
        stdio: [input ?? 'ignore', log ?? 'pipe', 'ignore'],
      });
      let stdout = '';
      child.stdout?.on('data', (chunk: Buffer) => void (stdout += chunk.toString('utf8')));
      const [exitCode] = (await once(child, 'close')) as [number | null];
      return { exitCode, stdout: stdout.trimEnd() };
    } finally {
      for (const each of [input, log]) if (each !== undefined) closeSync(each);
    }
  };
  const cordon = (...words: string[]) => [process.execPath, program, ...words];
  const sandboxed = (script: string, ...options: string[]) =>
    cordon('sandbox', ...options, '--', 'sh', '-c', script);
  const bare = (script: string) => ['sh', '-c', script];

  test('a command cannot write to the file that it was given to read', async () => {
    const input = put('input', 'as it was\n');
    const attack = 'cat; echo changed > /proc/self/fd/0; chmod 4777 /proc/self/fd/0';
    expect((await run(sandboxed(attack), { input })).stdout).toBe('as it was');
    expect([readFileSync(input, 'utf8'), statSync(input).mode & 0o7777]).toEqual(['as it was\n', 0o644]);
    await run(bare(attack), { input });
    expect([readFileSync(input, 'utf8'), statSync(input).mode & 0o7777]).toEqual(['changed\n', 0o4777]);
  });

  test('a command reads its standard input as it is, and leaves it where it stopped', async () => {
    const input = put('input', 'one\ntwo\nthree\n');
    const outer = `${cordon('sandbox', '--', 'sh', '-c', '"read a; echo got $a"').join(' ')}; cat`;
    expect((await run(['sh', '-c', outer.replaceAll('$a', String.raw`\$a`)], { input })).stdout).toBe(
      'got one\ntwo\nthree',
    );
    const big = put('big', 'x'.repeat(6_000_000));
    expect((await run(sandboxed('cat /dev/stdin | wc -c'), { input: big })).stdout.trim()).toBe('6000000');
  });

  test('a command cannot change or read what stood in the log that it prints to', async () => {
    const log = put('log', 'earlier\n');
    const attack =
      'timeout 0.3 head -c 7 /proc/self/fd/1 >&2; : > /proc/self/fd/1; chmod 777 /proc/self/fd/1; echo later';
    await run(sandboxed(attack), { log });
    expect([readFileSync(log, 'utf8'), statSync(log).mode & 0o7777]).toEqual(['earlier\nlater\n', 0o644]);
    await run(bare(attack), { log });
    expect([readFileSync(log, 'utf8'), statSync(log).mode & 0o7777]).toEqual(['later\n', 0o777]);
  });

  test('a .git that is a link shows nothing of what it leads to', async () => {
    symlinkSync('../.ssh', path.join(workspace, '.git'));
    const attack = `cat ${home}/.ssh/id_rsa .git/id_rsa`;
    for (const view of [[], ['--direct'], ['--read-only']])
      expect((await run(sandboxed(attack, ...view))).stdout).toBe('');
    expect((await run(bare(attack))).stdout).toBe('secretsecret');
  });

  test('a command that writes to nothing, or to the folder itself, cannot speak to a program that listens there', async () => {
    const socket = path.join(workspace, 'service.sock');
    const heard: string[] = [];
    const server = createServer(client => client.on('data', chunk => void heard.push(String(chunk))));
    server.listen(socket);
    await once(server, 'listening');
    chmodSync(socket, 0o777);
    const attack = `python3 -c "import socket; s = socket.socket(socket.AF_UNIX); s.connect('service.sock'); s.send(b'hello')"`;
    for (const view of [[], ['--direct'], ['--read-only']]) await run(sandboxed(attack, ...view));
    expect(heard).toEqual([]);
    await run(bare(attack));
    server.close();
    await once(server, 'close');
    expect(heard).toEqual(['hello']);
    // Those of commands are for commands.
    const own = `python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('own.sock')"`;
    await run(sandboxed(own, '--direct'));
    expect((await run(sandboxed('stat -c %F own.sock', '--direct'))).stdout).toBe('socket');
  });

  test('a command of a session does not reach the hosts that another one of it was allowed', async () => {
    const server = createHttpServer((_, response) => void response.end('the host'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const ask = `curl -s --max-time 5 --noproxy '' http://127.0.0.1:${port}/`;
    const allowed = run(
      sandboxed(
        `echo $HTTP_PROXY > /tmp/way; ${ask}; while [ ! -e /tmp/done ]; do sleep 0.05; done; ${ask}`,
        '--session',
        's',
        '--allow-domain',
        `127.0.0.1:${port}`,
      ),
    );
    const attack = `while [ ! -s /tmp/way ]; do sleep 0.05; done; ${ask} -x "$(cat /tmp/way)"; touch /tmp/done`;
    const other = await run(sandboxed(attack, '--session', 's'));
    expect([other.stdout, (await allowed).stdout]).toEqual(['', 'the hostthe host']);
    server.close();
  });

  test('what lies in the workspace under the name of a tool is not run outside, though PATH leads there', async () => {
    const names = [
      'bwrap',
      'unshare',
      'mount',
      'nsenter',
      'prlimit',
      'mkfifo',
      'flock',
      'mknod',
      'du',
      'git',
    ];
    for (const name of names)
      chmodSync(put(`home/work/${name}`, `#!/bin/sh\necho ${name} >> ${home}/ran\n`), 0o755);
    const way = { path: `.:${workspace}:/usr/sbin:/usr/bin:/sbin:/bin` };
    await run(bare('git init -q'));
    await run(
      sandboxed(
        '/usr/bin/git -c user.name=a -c user.email=b commit -q --allow-empty -m one; echo b > a.txt',
        '--session',
        's',
      ),
      way,
    );
    await run(sandboxed('rm -rf /var/tmp/x; mkdir new; rm a.txt; mkdir a.txt', '--session', 's'), way);
    for (const words of [['review'], ['import-commits', 'theirs'], ['apply', '--yes'], ['discard', '--yes']])
      await run(cordon(...words.slice(0, 1), '--session', 's', ...words.slice(1)), way);
    expect(existsSync(path.join(home, 'ran'))).toBe(false);
    await run(bare('git status'), way);
    expect(readFileSync(path.join(home, 'ran'), 'utf8')).toBe('git\n');
  });

  test('what a command closes to everybody costs it neither its exit status nor its changes', async () => {
    const close = 'mkdir -p shut/in; echo x > shut/x; chmod 000 shut; cp -r shut /tmp 2>/dev/null';
    const attack = `${close}; mkdir /tmp/shut; touch /tmp/shut/x; chmod 000 /tmp/shut ~; echo b > fine; exit 7`;
    expect((await run(sandboxed(attack, '--session', 's'))).exitCode).toBe(7);
    expect((await run(sandboxed('touch ~/still; exit 6', '--session', 's'))).exitCode).toBe(6);
    expect((await run(cordon('apply', '--session', 's', '--yes', 'fine'))).exitCode).toBe(0);
    expect(readFileSync(path.join(workspace, 'fine'), 'utf8')).toBe('b\n');
    expect((await run(cordon('discard', '--session', 's', '--yes'))).exitCode).toBe(0);
  });
});

function setpriv({ uid, gid }: Person): string[] {
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'];
}

/** The first ordinary user of this machine. */
function ordinaryUser(): Person | undefined {
  const users = execFileSync('getent', ['passwd'], { encoding: 'utf8' })
    .split('\n')
    .map(line => line.split(':'))
    .map(([, , uid, gid]) => ({ name: 'an ordinary user', uid: Number(uid), gid: Number(gid) }));
  return users.find(({ uid }) => uid >= 1000 && uid < 60_000);
}
