import { execFileSync } from 'node:child_process';
import { deepStrictEqual as equal, match, ok, rejects } from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { ownerOfConnection } from '../../../sandbox/connectionOwner.ts';
import { openSandbox, type LaunchRequest, type Sandbox } from '../../../sandbox/sandbox.ts';
import { selfTest } from '../../../sandbox/selfTest.ts';
import { startEgressProxy } from '../../../src/egress/egressProxy.ts';
import { openOverlay } from '../../../src/overlay/overlay.ts';
import { ClonedFolder, cloneIn } from '../../../src/session/changes/clonedFolder.ts';

// A program of its own, so that it can be run as different users, and where Podman can start. Prints a line a trial.

type Launch = Partial<LaunchRequest> & { argv?: LaunchRequest['argv']; script?: string };

interface Scene {
  readonly root: string;
  readonly workspace: string;
  readonly sandbox: Sandbox;
  readonly run: (
    launch: Launch,
    inside?: Sandbox,
  ) => Promise<{ code: number | null; signal: string | null; limit?: string; output: string }>;
}

/** Needs a file system that clones, which is named in CORDON_CLONE_DISK. */
export const cloneTrial =
  'shows a clone at the place of the folder, and nothing reaches the user’s own files';

export const trials: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  async 'holds against its own self-test'({ sandbox }) {
    const { probes } = await selfTest(sandbox);
    equal([probes.length, probes.filter(probe => !probe.ok)], [7, []]);
  },

  async 'passes bytes, exit statuses and both outputs through'({ sandbox, workspace }) {
    const started = await sandbox.launch(
      requestFor(workspace, { script: 'cat; echo wrong >&2; exit 7', stdin: 'pipe' }),
    );
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7) % 256));
    started.stdin?.end(bytes);
    const [out, err, exit] = await Promise.all([read(started.stdout), read(started.stderr), started.exited]);
    equal([out.equals(bytes), err.toString(), exit], [true, 'wrong\n', { code: 7, signal: null }]);
  },

  async 'reports a signal as a shell does, and a program that is not there'({ run }) {
    equal((await run({ script: 'kill -KILL $$' })).code, 137);
    equal((await run({ argv: ['no-such-program'] })).code, 127);
  },

  async 'forwards signals to the program'({ sandbox, workspace }) {
    const started = await sandbox.launch(
      requestFor(workspace, {
        script: 'trap "echo caught; exit 3" TERM; echo ready; while :; do sleep 0.05; done',
      }),
    );
    const output = read(started.stdout);
    await wait(300);
    started.signal('SIGTERM');
    equal([(await output).toString(), await started.exited], ['ready\ncaught\n', { code: 3, signal: null }]);
  },

  async 'ends the whole tree when it is killed'({ sandbox, workspace }) {
    const started = await sandbox.launch(
      requestFor(workspace, { script: 'trap "" TERM HUP INT; (setsid sleep 300 &); echo ready; sleep 300' }),
    );
    await new Promise(resolve => started.stdout?.once('data', resolve));
    const program = started.programPid ?? 0;
    ok(program > 1);
    await started.kill();
    equal(
      [await started.exited, existsSync(`/proc/${program}/exe`)],
      [{ code: null, signal: 'SIGKILL' }, false],
    );
  },

  async 'ends a command that runs too long or prints without end, and says which limit it was'({
    run,
    root,
    workspace,
  }) {
    match((await run({ script: 'sleep 60', timeout: 500 })).limit ?? '', /cordon\.limits\.wallTime/);
    await using small = await open({ root, workspace }, { limits: { output: 2 ** 20 } });
    match((await run({ argv: ['yes'] }, small)).limit ?? '', /cordon\.limits\.output/);
  },

  async 'limits processes, open files, memory and the size of files'({ run, root, workspace }) {
    await using small = await open(
      { root, workspace },
      { limits: { processes: 24, openFiles: 64, memory: 2 ** 28, fileSize: 2 ** 20 } },
    );
    const { output } = await run(
      { script: 'ulimit -Hn; ulimit -Hd; ulimit -Hf; ulimit -Hc; ulimit -Hu' },
      small,
    );
    equal(output, '64\n262144\n1024\n0\n24\n');
    const many = await run({ script: 'for i in $(seq 60); do sleep 5 & done; wait' }, small);
    match(many.limit ?? many.output, /Resource temporarily unavailable|more than 24 processes/);
  },

  async 'shows the workspace as it was asked for, and nothing of the home folder'({ run, workspace }) {
    writeFileSync(join(workspace, '.env'), 'SECRET=1');
    const script =
      'cat .env; touch new && echo written; mkdir -p .vscode/x && echo kept; ls -a "$HOME/.ssh" ~root/.bashrc';
    const readOnly = await run({ script });
    const writing = await run({ script, writableFolders: [workspace] });
    equal(
      [readOnly, writing].map(({ output }) =>
        ['SECRET', 'written', 'kept'].map(word => output.includes(word)),
      ),
      [
        [false, false, false],
        [false, true, false],
      ],
    );
    equal(
      [statSync(join(workspace, 'new')).uid, existsSync(join(workspace, '.vscode'))],
      [process.getuid?.(), false],
    );
  },

  async 'works with commas, quotes, colons, line breaks and Unicode in paths'({ run, root }) {
    const names = ['a,b', 'a:b', 'q"q', 'line\nbreak', 'größe ×', 'back\\slash', '--rootfs'];
    for (const name of names) {
      const workspace = join(root, name);
      mkdirSync(workspace);
      writeFileSync(join(workspace, 'id_rsa'), 'secret');
      await using sandbox = await open({ root, workspace });
      const { output } = await run(
        {
          script: 'cat id_rsa 2>/dev/null; pwd; echo x > made',
          cwd: workspace,
          writableFolders: [workspace],
        },
        sandbox,
      );
      equal([output, readFileSync(join(workspace, 'made'), 'utf8')], [`${workspace}\n`, 'x\n']);
    }
  },

  async 'shows a linked folder at both of its paths'({ run, root, workspace }) {
    const link = join(root, 'link');
    symlinkSync(workspace, link);
    writeFileSync(join(workspace, 'a'), 'same');
    await using sandbox = await open({ root, workspace: link });
    equal((await run({ script: `cat '${link}/a' '${workspace}/a'`, cwd: link }, sandbox)).output, 'samesame');
  },

  async 'keeps its home, and shares /tmp with the commands of its session alone'({ run, root, workspace }) {
    await run({ script: 'echo cached > ~/cache; echo here > /tmp/note' });
    await using other = await open({ root, workspace });
    const script = 'cat ~/cache /tmp/note 2>/dev/null';
    equal(
      [(await run({ script })).output, (await run({ script }, other)).output],
      ['cached\nhere\n', 'cached\n'],
    );
  },

  async 'hands the environment over whole, and nobody else can read it meanwhile'({ sandbox, workspace }) {
    const secret = `multi\nline "quoted" \\ 'é' ${'x'.repeat(30)}`;
    const started = await sandbox.launch(
      requestFor(workspace, { script: 'printf %s "$GIVEN"; sleep 0.5', environment: { GIVEN: secret } }),
    );
    const listed = execFileSync('ps', ['axww', '-o', 'args'], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    equal([(await read(started.stdout)).toString(), listed.includes('x'.repeat(30))], [secret, false]);
  },

  async 'shows a bare program nothing to execute but itself and the init, and hands over descriptors'({
    run,
  }) {
    const { output } = await run({
      argv: [
        process.execPath,
        '-e',
        `const { accessSync, constants, readdirSync, readFileSync } = require('fs');
        const found = [];
        const walk = path => { for (const entry of readdirSync(path || '/', { withFileTypes: true })) {
          const full = path + '/' + entry.name;
          if (full === '/proc' || full === '/dev') continue;
          if (entry.isDirectory()) walk(full); else { try { accessSync(full, constants.X_OK); found.push(full) } catch {} }
        } };
        walk('');
        console.log(readFileSync(3, 'utf8'), found.filter(path => !/\\.so[.\\d]*$/.test(path)).join(' '));`,
      ],
      view: 'bare',
      cwd: '/',
      descriptors: [Buffer.from('handed')],
    });
    equal(output, `handed ${['/run/podman-init', process.execPath].toSorted().join(' ')}\n`);
  },

  async 'keeps writes of a copy-on-write view away from the real files, and shares them between commands'({
    run,
    root,
    workspace,
  }) {
    writeFileSync(join(workspace, 'a'), 'real');
    await using overlay = await openOverlay({
      directory: join(root, 'view'),
      folders: [workspace],
      bwrap: '/usr/bin/bwrap',
      dropAtEnd: true,
    });
    await using copied = await open({ root, workspace }, { copyOnWrite: overlay.view });
    await run({ script: 'echo copied > a' }, copied);
    equal(
      [(await run({ script: 'cat a' }, copied)).output, readFileSync(join(workspace, 'a'), 'utf8')],
      ['copied\n', 'real'],
    );
  },

  async [cloneTrial]({ run }) {
    const disk = process.env['CORDON_CLONE_DISK'];
    if (disk === undefined) throw new Error('no file system that clones was given');
    const root = mkdtempSync(join(disk, 'p-'));
    const [workspace, journals] = [join(root, 'my workspace'), join(root, 'applies')];
    mkdirSync(workspace);
    for (const [name, text] of Object.entries({ a: 'real\n', '.env': 'SECRET=1\n', 'package.json': '{}\n' }))
      writeFileSync(join(workspace, name), text);
    const folder = new ClonedFolder(workspace, join(root, 'copy'), journals);
    try {
      await folder.open();
      const copyOnWrite = {
        folders: [workspace],
        changes: new Map(),
        sources: { [workspace]: cloneIn(join(root, 'copy')) },
      };
      await using cloned = await open({ root, workspace }, { copyOnWrite });
      const first = await run(
        {
          script: 'pwd; cat .env; echo copied > a; echo "{ }" > package.json; mkdir -p .vscode',
          cwd: workspace,
        },
        cloned,
      );
      const second = await run({ script: 'cat a; ls -A', cwd: workspace }, cloned);
      equal(
        [first.output, second.output],
        [`${workspace}\ncat: .env: Permission denied\n`, 'copied\n.env\n.vscode\na\npackage.json\n'],
      );
      equal([readFileSync(join(workspace, 'a'), 'utf8'), readdirSync(workspace).length], ['real\n', 3]);
      const { changes } = await folder.review([]);
      equal(
        changes.map(({ kind, path }) => `${kind} ${path}`),
        ['added .vscode', 'modified a', 'modified package.json'],
      );
    } finally {
      folder[Symbol.dispose]();
      rmSync(root, { recursive: true, force: true });
    }
  },

  async 'hides a secret file that the user makes while a command runs'({ run, sandbox, workspace }) {
    const started = await sandbox.launch(
      requestFor(workspace, { script: 'echo ready; while :; do cat .env 2>&1; sleep 0.02; done' }),
    );
    let said = '';
    started.stdout?.on('data', (chunk: Buffer) => void (said += chunk.toString()));
    let end: unknown;
    void started.exited.then(exit => (end = exit));
    const until = async (pattern: RegExp) => {
      while (!pattern.test(said)) {
        equal([end, said], [undefined, said]);
        await wait(10);
      }
    };
    await until(/No such file/);
    writeFileSync(join(workspace, '.env'), 'SECRET=1');
    await until(/(?:Permission denied[^]*){5}/);
    const after = said.slice(said.indexOf('Permission denied'));
    equal([after.includes('SECRET'), (await run({ script: 'cat .env' })).code], [false, 1]);
    await started.kill();
  },

  async 'hides such a file in a copy-on-write view, too, and what the command made itself is its own'({
    run,
    root,
    workspace,
  }) {
    await using overlay = await openOverlay({
      directory: join(root, 'view'),
      folders: [workspace],
      bwrap: '/usr/bin/bwrap',
      dropAtEnd: true,
    });
    await using copied = await open({ root, workspace }, { copyOnWrite: overlay.view });
    const script = 'echo mine > id_rsa; echo ready; while :; do cat .env 2>&1; cat id_rsa; sleep 0.02; done';
    const started = await copied.launch(requestFor(workspace, { script }));
    let said = '';
    started.stdout?.on('data', (chunk: Buffer) => void (said += chunk.toString()));
    let end: unknown;
    void started.exited.then(exit => (end = exit));
    const until = async (pattern: RegExp) => {
      while (!pattern.test(said)) {
        equal([end, said], [undefined, said]);
        await wait(10);
      }
    };
    await until(/ready/);
    writeFileSync(join(workspace, '.env'), 'SECRET=1');
    await until(/(?:Permission denied[^]*mine[^]*){5}/);
    const after = said.slice(said.indexOf('Permission denied'));
    equal(after.includes('SECRET'), false);
    equal((await run({ script: 'cat .env' }, copied)).code, 1);
    await started.kill();
  },

  async 'ends a command from which such a file cannot be hidden, and says so'({ run, root, workspace }) {
    const path = process.env['PATH'];
    mkdirSync(join(root, 'bin'), { recursive: true });
    symlinkSync('/usr/bin/podman', join(root, 'bin/podman'));
    process.env['PATH'] = join(root, 'bin');
    try {
      // Without Bubblewrap there is no file system that all of the session's are copies of.
      await using alone = await open({ root, workspace });
      const started = await alone.launch(
        requestFor(workspace, { script: 'while :; do cat .env 2>/dev/null; sleep 0.02; done' }),
      );
      const output = read(started.stdout);
      await wait(200);
      writeFileSync(join(workspace, '.env'), 'SECRET=1');
      const { limit } = await started.exited;
      match(limit ?? '', /^It was ended because .*\/\.env came to be, which looks like a secret/);
      await output;
      equal((await run({ script: 'cat .env' }, alone)).output, 'cat: .env: Permission denied\n');
    } finally {
      process.env['PATH'] = path;
    }
  },

  async 'lets one command reach a server that another one started'({ run, sandbox, workspace }) {
    const server = await sandbox.launch(
      requestFor(workspace, {
        argv: [
          '/usr/bin/python3',
          '-c',
          'import socket; s = socket.create_server(("127.0.0.1", 8078)); print("ready", flush=True); c, _ = s.accept(); c.sendall(b"hello"); c.close()',
        ],
      }),
    );
    await new Promise(resolve => server.stdout?.once('data', resolve));
    equal((await run({ script: 'cat < /dev/tcp/127.0.0.1/8078' })).output, 'hello');
  },

  async 'reaches an allowed host through the proxy, no other, and says whose connection it was'({
    root,
    workspace,
  }) {
    const server = createServer((_, response) => void response.end('hello'));
    await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const commands = new Map<string, number>();
    const owners: (string | undefined)[] = [];
    using proxy = startEgressProxy({
      allows: ({ host }) => host === '127.0.0.1' || host === 'names.example.com',
      onEvent: () => undefined,
    });
    const accept = async (connection: Socket) => {
      owners.push(await ownerOfConnection(connection, commands));
      proxy.network.accept(connection);
    };
    const network = { ...proxy.network, accept: (connection: Socket) => void accept(connection) };
    try {
      await using walls = await open({ root, workspace }, { network });
      const start = async (name: string, script: string) => {
        const started = await walls.launch(requestFor(workspace, { script }));
        commands.set(name, started.programPid ?? 0);
        return (await read(started.stdout)).toString();
      };
      const get = (host: string) => `sleep 1; curl -s --noproxy '' http://${host}/; sleep 1`;
      const [first, second] = await Promise.all([
        start('first', get(`127.0.0.1:${port}`)),
        start('second', 'sleep 3'),
      ]);
      const refused = await start('third', get('docs.example.com'));
      // For programs that know of no proxy.
      match(await start('fourth', 'getent hosts names.example.com'), /^127\.\S+ +names\.example\.com$/m);
      equal([first, second, owners], ['hello', '', ['first', 'third']]);
      match(refused, /docs\.example\.com:80 is not allowed/);
    } finally {
      server.close();
    }
  },

  async 'shows of the machine’s hardware what programs count processors by, and no servers of names but its own'({
    run,
  }) {
    const { output } = await run({
      script:
        'cat /etc/resolv.conf; find /sys -mindepth 1 -maxdepth 3; cat /sys/devices/system/cpu/online; nproc > /dev/null && echo counted; lscpu > /dev/null && echo listed',
    });
    match(
      output,
      /^nameserver 127\.0\.0\.1\n\/sys\/devices\n\/sys\/devices\/system\n\/sys\/devices\/system\/cpu\n\/sys\/fs\n\/sys\/fs\/cgroup\n[\d,-]+\ncounted\nlisted\n$/,
    );
  },

  async 'explains what it refused'({ run, sandbox, workspace }) {
    writeFileSync(join(workspace, '.env'), 'TOKEN=1');
    const { output } = await run({ script: 'cat .env 2>&1' });
    equal(sandbox.explain?.(output, { cwd: workspace, writableFolders: [] }), [
      { kind: 'secretFile', path: join(workspace, '.env') },
    ]);
  },

  async 'works without Bubblewrap, each command in a network of its own'({ run, root, workspace }) {
    const path = process.env['PATH'];
    mkdirSync(join(root, 'bin'), { recursive: true });
    symlinkSync('/usr/bin/podman', join(root, 'bin/podman'));
    process.env['PATH'] = join(root, 'bin');
    try {
      await using sandbox = await open({ root, workspace });
      const { output } = await run(
        { script: 'id -u; touch made && cat /proc/net/dev | wc -l', writableFolders: [workspace] },
        sandbox,
      );
      equal(
        [output, statSync(join(workspace, 'made')).uid],
        [`${process.getuid?.() || 1000}\n3\n`, process.getuid?.()],
      );
      const { probes } = await selfTest(sandbox);
      equal(
        probes.filter(probe => !probe.ok),
        [],
      );
    } finally {
      process.env['PATH'] = path;
    }
  },

  async 'leaves nothing behind when it is disposed, and starts nothing more'({ root, workspace, run }) {
    const other = await open({ root, workspace });
    const started = await other.launch(requestFor(workspace, { script: 'sleep 300' }));
    const program = started.programPid ?? 0;
    await other[Symbol.asyncDispose]();
    equal(
      [await started.exited, existsSync(`/proc/${program}/exe`)],
      [{ code: null, signal: 'SIGKILL' }, false],
    );
    await rejects(run({ script: 'true' }, other), { code: 'sandbox.closed' });
  },

  async 'does not start with a bind of something that does not exist'({ run }) {
    const binds = [{ source: '/nonexistent', target: '/run/cordon/x' }];
    await rejects(run({ script: 'true', binds }), { code: 'sandbox.didNotStart' });
  },
};

if (process.argv[2] === 'run') await runTrials();
if (process.argv[2] === 'hold') await hold();

/** Starts what is to end with this process, tells of it, and waits to be killed. */
async function hold(): Promise<void> {
  const records = mkdtempSync('/tmp/cordon-r-');
  process.env['XDG_RUNTIME_DIR'] = records;
  const root = mkdtempSync('/tmp/cordon-podman-');
  const workspace = join(root, 'workspace');
  mkdirSync(workspace);
  const sandbox = await open({ root, workspace });
  const script = 'trap "" TERM HUP INT; (setsid sleep 300 &); echo ready; while :; do sleep 1; done';
  const started = await sandbox.launch(requestFor(workspace, { script }));
  await new Promise(resolve => started.stdout?.once('data', resolve));
  const program = started.programPid ?? 0;
  const init = Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${program}/status`, 'utf8'))?.[1]);
  console.log(JSON.stringify({ processes: [program, init], records, root }));
  await wait(3_600_000);
}

async function runTrials(): Promise<void> {
  for (const [name, trial] of Object.entries(trials)) {
    // By hand: some of them.
    if (!name.includes(process.argv[4] ?? '')) continue;
    const root = mkdtempSync('/tmp/cordon-podman-');
    const workspace = join(root, 'workspace');
    mkdirSync(workspace);
    let error: string | undefined;
    try {
      await using sandbox = await open({ root, workspace });
      await trial({
        root,
        workspace,
        sandbox,
        async run(launch, inside = sandbox) {
          const started = await inside.launch(requestFor(workspace, launch));
          const [exit, out, err] = await Promise.all([
            started.exited,
            read(started.stdout),
            read(started.stderr),
          ]);
          return { ...exit, output: out.toString() + err.toString() };
        },
      });
    } catch (cause) {
      error = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
    process.stdout.write(JSON.stringify({ name, ...(error === undefined ? {} : { error }) }) + '\n');
  }
}

function open(
  { root, workspace }: { root: string; workspace: string },
  more: Partial<Parameters<typeof openSandbox>[0]> = {},
): Promise<Sandbox> {
  return openSandbox({
    folders: [workspace],
    stateDirectory: join(root, 'state'),
    backend: 'podman',
    ...more,
  });
}

function requestFor(workspace: string, { script, ...launch }: Launch): LaunchRequest {
  return {
    argv: ['bash', '-c', script ?? 'true'],
    cwd: workspace,
    writableFolders: [],
    view: 'system',
    stdin: 'ignore',
    ...launch,
  };
}

async function read(stream: NodeJS.ReadableStream | null): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
