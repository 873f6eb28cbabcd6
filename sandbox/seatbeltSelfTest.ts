import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ListenOptions } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { finished } from 'node:stream/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { randomId } from '../src/base/ids.ts';
import type { Sandbox } from './sandbox.ts';
import type { Probe, SelfTestReport } from './selfTest.ts';

/**
 * The self-test for walls that are rules about paths and calls, not rooms of their own. Judged from outside wherever it
 * can be: by what was written, who knocked, who was signalled. Rejects when the attempt itself could not be made.
 */
export async function seatbeltSelfTest(sandbox: Sandbox): Promise<SelfTestReport> {
  await using host = await plant();
  const output = await attempt(sandbox, host);
  if (!output.includes(`end=${host.id}\n`))
    return {
      probes: [probe('run the self-test', false, '', output.trim().slice(0, 300) || 'it did not finish')],
    };
  const written = host.outside.filter(path => existsSync(path));
  const [knocks, wasSignalled, hasJob] = [host.knocks(), await host.wasSignalled(), await host.hasJob()];
  return {
    probes: [
      probe(
        'write outside the workspace',
        written.length === 0,
        `${host.outside.length} places refused it`,
        `wrote ${written.join(', ')}`,
      ),
      probe(
        'read a file in the home folder',
        !output.includes(host.secret),
        'it was refused, by either of its paths',
        `read ${host.canary}`,
      ),
      probe(
        'list the home folder',
        !output.includes(host.listed),
        'it was refused',
        `listed ${dirname(host.canary)}`,
      ),
      probe(
        "reach the machine's own network services",
        knocks.length === 0,
        'no connection arrived',
        `reached ${knocks.join(' and ')}`,
      ),
      probe(
        "see the machine's processes",
        !output.includes(host.marker),
        'no other one was shown',
        'processes of others were listed',
      ),
      probe(
        "signal one of the machine's processes",
        !wasSignalled,
        'it lives',
        'a process outside was ended',
      ),
      probe(
        'have another program started outside',
        !hasJob,
        'the system refused it',
        'the system took the order to start one',
      ),
      probe(
        'become the administrator',
        !output.includes('root=0\n'),
        'sudo may not even start',
        'sudo was let through',
      ),
    ],
    absent: [
      { name: 'create a user namespace', why: 'macOS has none' },
      { name: 'keep capabilities', why: 'macOS has none' },
      { name: "change the machine's kernel settings", why: 'only the administrator can on macOS' },
    ],
  };
}

function probe(name: string, ok: boolean, held: string, broken: string): Probe {
  return { name, ok, detail: ok ? held : broken };
}

/** What the host lays out for the sandbox to find. */
async function plant() {
  const id = randomId();
  const home = existsSync(homedir()) ? homedir() : tmpdir();
  // Where a file that a crash leaves behind is in nobody's way.
  const caches = join(home, 'Library/Caches');
  const folder = existsSync(caches) ? caches : home;
  const canary = join(folder, `.cordon-canary-${id}`);
  // The sandbox is told of none of these: it could have them only from where they are.
  const [secret, marker, listed] = [randomId(), randomId(), `.cordon-canary-${randomId()}`];
  for (const file of [canary, join(folder, listed)]) writeFileSync(file, secret, { mode: 0o600 });
  const sockets = mkdtempSync(join(tmpdir(), 'cordon-s-'));
  const knocks = new Set<string>();
  const tcp = await listening({ port: 0, host: '127.0.0.1' }, () => knocks.add('a port on 127.0.0.1'));
  const unix = await listening({ path: join(sockets, 's') }, () => knocks.add('a socket of the host'));
  const witness = spawn('/bin/sh', ['-c', 'read -r line', marker], { stdio: ['pipe', 'ignore', 'ignore'] });
  const witnessEnded = once(witness, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  await once(witness, 'spawn');
  const address = tcp.address();
  const job = `cordon.self-test.${id}`;
  const launchctl = (...words: string[]) => promisify(execFile)('/bin/launchctl', words, { cwd: '/' });
  return {
    id,
    canary,
    listed,
    secret,
    marker,
    job,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    socket: join(sockets, 's'),
    witness: witness.pid ?? 0,
    outside: [
      join(home, `.cordon-written-${id}`),
      `/private/tmp/.cordon-written-${id}`,
      `/Users/Shared/.cordon-written-${id}`,
      `/usr/local/.cordon-written-${id}`,
      `/Library/.cordon-written-${id}`,
    ],
    knocks: () => [...knocks],
    /** It ends by itself when it is spoken to, unless it was ended before. */
    async wasSignalled() {
      witness.stdin.on('error', () => undefined).end('\n');
      const [, signal] = await witnessEnded;
      return signal !== null;
    },
    hasJob: () =>
      launchctl('list', job).then(
        () => true,
        () => false,
      ),
    async [Symbol.asyncDispose]() {
      witness.kill('SIGKILL');
      await launchctl('remove', job).catch(() => undefined);
      for (const path of [canary, join(folder, listed), sockets, ...this.outside])
        rmSync(path, { recursive: true, force: true });
      await Promise.all([tcp, unix].map(each => new Promise(resolve => each.close(resolve))));
    },
  };
}

async function listening(where: ListenOptions, onKnock: () => void) {
  const server = createServer(connection => {
    onKnock();
    connection.on('error', () => undefined).destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(where, resolve);
  });
  return server;
}

async function attempt(sandbox: Sandbox, host: Awaited<ReturnType<typeof plant>>): Promise<string> {
  const { id, canary, socket, job } = host;
  const words = [id, canary, String(host.port), socket, String(host.witness), job, ...host.outside];
  const started = await sandbox.launch({
    argv: ['bash', '--noprofile', '--norc', '-c', script, 'self-test', ...words],
    cwd: '/',
    view: 'system',
    writableFolders: [],
    stdin: 'ignore',
    timeout: 60_000,
  });
  // What sandbox-exec says of a profile that it does not take is worth telling.
  let output = '';
  for (const stream of [started.stdout, started.stderr])
    stream?.on('data', (chunk: Buffer) => void (output += chunk.toString('latin1')));
  await Promise.all([
    started.exited,
    ...[started.stdout, started.stderr].map(each => each && finished(each)),
  ]);
  return output;
}

// For the bash of macOS, which is an old one. What it finds it prints; the last line says that it came to its end.
const script = String.raw`
id=$1 canary=$2 port=$3 socket=$4 witness=$5 job=$6; shift 6
for path in "$@"; do { : > "$path"; } 2>/dev/null; done
cat "$canary" "/System/Volumes/Data$canary" 2>/dev/null
ls -a "$(dirname "$canary")" 2>/dev/null
{ exec 9<>/dev/tcp/127.0.0.1/"$port"; } 2>/dev/null
{ exec 9<>/dev/tcp/localhost/"$port"; } 2>/dev/null
nc -w 1 -U "$socket" < /dev/null > /dev/null 2>&1
ps -axww -o args= 2>/dev/null
pgrep -fl sh 2>/dev/null
launchctl submit -l "$job" -- /usr/bin/true > /dev/null 2>&1
sudo -n true > /dev/null 2>&1
echo "root=$?"
kill -TERM "$witness" 2>/dev/null
echo "end=$id"
`;
