import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { changeFile } from '../../../sandbox/changeFile.ts';
import { openSandbox, type Sandbox, type SandboxOptions } from '../../../sandbox/sandbox.ts';
import { selfTest } from '../../../sandbox/selfTest.ts';
import { importCommits } from '../../../src/overlay/commits.ts';
import { removeTree } from '../../../src/base/removeTree.ts';
import { openWholeCopy } from '../../../src/session/changes/openWholeCopy.ts';
import { openWorkingCopy } from '../../../src/session/changes/openWorkingCopy.ts';
import type { WorkingCopy } from '../../../src/session/changes/workingCopy.ts';
import { cloneableDisk, type Disk } from './cloneableDisk.ts';

// Root at work in a folder of an ordinary user, as in many dev containers.

const owner = ordinaryUser();
const isRoot = process.getuid?.() === 0;
const disk: Disk | undefined = isRoot ? cloneableDisk() : undefined;
afterAll(() => disk?.[Symbol.dispose]());

describe.skipIf(!isRoot || owner === undefined)("root in another user's folder", () => {
  const { uid = 0, gid = 0 } = owner ?? {};
  let programs: string;
  let root: string;
  let workspace: string;
  const open: AsyncDisposable[] = [];

  beforeAll(() => {
    const cache = path.resolve('node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    // Inside node_modules, so that what is bundled finds the native module.
    programs = mkdtempSync(path.join(cache, 'other-owner-'));
    for (const each of ['cli', 'changes-worker', 'file-writer']) {
      const out = path.join(programs, each);
      execFileSync(process.execPath, ['esbuild.mjs', '--only', each, '--out', out]);
      for (const file of readdirSync(out).filter(name => name.endsWith('.cjs')))
        renameSync(path.join(out, file), path.join(programs, file));
    }
  });
  afterAll(() => rmSync(programs, { recursive: true, force: true }));

  beforeEach(() => {
    root = realpathSync(mkdtempSync('/tmp/cordon-other-owner-'));
    chmodSync(root, 0o755);
    workspace = path.join(root, 'owned/my project');
    mkdirSync(path.join(workspace, 'src'), { recursive: true });
    mkdirSync(path.join(root, 'state'), { mode: 0o700 });
    // Nobody but root gets in here.
    mkdirSync(path.join(root, 'closed'), { mode: 0o700 });
    writeFileSync(path.join(root, 'closed/secret'), 'of root\n');
    writeFileSync(path.join(workspace, 'src/a.txt'), 'one\ntwo\nthree\nfour\nfive\nsix\n');
    writeFileSync(path.join(workspace, 'old.txt'), 'old\n');
    writeFileSync(path.join(workspace, '.env'), 'KEY=hidden\n');
    give(path.join(root, 'owned'));
    asOwner('git', 'init', '--quiet', '--initial-branch=main');
    asOwner('git', 'config', 'user.name', 'Owner');
    asOwner('git', 'config', 'user.email', 'owner@example.org');
    asOwner('git', 'add', 'src', 'old.txt');
    asOwner('git', 'commit', '--quiet', '--message=first');
  });
  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
    removeTree(root);
  });

  function give(folder: string): void {
    execFileSync('chown', ['--recursive', '--no-dereference', `${uid}:${gid}`, folder]);
  }

  /** On the machine itself. */
  function asOwner(program: string, ...args: string[]): string {
    return execFileSync(program, args, {
      cwd: workspace,
      uid,
      gid,
      env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent' },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  }

  async function openCopy(wanted: 'copyOnWrite' | 'direct' = 'copyOnWrite'): Promise<WorkingCopy> {
    const copy = await openWorkingCopy({
      directory: path.join(root, 'state/copy'),
      folders: [workspace],
      home: '/root',
      wanted,
      backend: 'bubblewrap',
      journals: path.join(root, 'state/applies'),
      trash: path.join(root, 'state/trash'),
      worker: path.join(programs, 'changes-worker.cjs'),
    });
    open.push(copy);
    return copy;
  }

  async function openWalls(options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
    const stateDirectory = path.join(root, 'state/walls');
    const sandbox = await openSandbox({ folders: [workspace], stateDirectory, ...options });
    open.push(sandbox);
    return sandbox;
  }

  async function run(sandbox: Sandbox, script: string, writableFolders: readonly string[] = []) {
    const started = await sandbox.launch({
      argv: ['bash', '-c', `exec 2>&1; ${script}`],
      cwd: workspace,
      writableFolders,
      view: 'system',
      stdin: 'ignore',
    });
    let output = '';
    started.stdout?.on('data', (chunk: Buffer) => void (output += chunk.toString('utf8')));
    const { code } = await started.exited;
    await wait(20);
    return { output, code };
  }

  /** Paths of what is not the owner's, in a folder. */
  function ofOthers(folder: string): string[] {
    const text = execFileSync('find', [folder, '!', '-uid', String(uid)], { encoding: 'utf8' });
    return text.split('\n').filter(Boolean);
  }

  async function cordon(...words: string[]) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [path.join(programs, 'cli.cjs'), ...words],
      {
        cwd: workspace,
        env: { PATH: process.env['PATH'], HOME: '/root', XDG_STATE_HOME: path.join(root, 'state') },
        encoding: 'utf8',
      },
    );
    return { status, stdout, stderr };
  }

  const work = `
    set -e
    id -u; echo "$USER" > /dev/stderr
    sed -i s/two/zwei/ src/a.txt; rm old.txt; mkdir -p new/deep; echo new > new/deep/file; ln -s file new/deep/link
    chmod 755 new/deep/file
    touch ~/kept /tmp/temporary
    git add new; git -c user.name=A -c user.email=a@b commit --quiet --message=second
    cat .env || true`;

  test('a command is that user, and what it changed in a copy is theirs when it is accepted', async () => {
    const copy = await openCopy();
    const sandbox = await openWalls(copy.view ? { copyOnWrite: copy.view } : {});
    const { output, code } = await run(sandbox, work);
    const before = [readFileSync(path.join(workspace, 'src/a.txt'), 'utf8'), existsSync(`${workspace}/new`)];
    const reviews = await copy.changes.review();
    const choices = reviews.flatMap(({ changes }) =>
      changes.map(({ folder, path: inner }) => ({ folder, path: inner })),
    );
    const accepted = await copy.changes.accept(choices);
    expect({
      kind: copy.kind,
      output: output.split('\n'),
      code,
      before,
      accepted: accepted.kind,
      others: ofOthers(workspace),
      after: asOwner('cat', 'src/a.txt', 'new/deep/link'),
      mode: statSync(path.join(workspace, 'new/deep/file')).mode & 0o777,
      isGone: !existsSync(path.join(workspace, 'old.txt')),
    }).toEqual({
      kind: 'overlay',
      output: [String(uid), owner?.name, 'cat: .env: Permission denied', ''],
      code: 0,
      before: ['one\ntwo\nthree\nfour\nfive\nsix\n', false],
      accepted: 'accepted',
      others: [],
      after: 'one\nzwei\nthree\nfour\nfive\nsix\nnew',
      mode: 0o755,
      isGone: true,
    });
  });

  test('what is discarded, gone back to and restored can be changed by the next command', async () => {
    const copy = await openCopy();
    const view = copy.view ? { copyOnWrite: copy.view } : {};
    const sandbox = await openWalls(view);
    await copy.changes.checkpoint('before');
    await run(
      sandbox,
      'sed -i "s/one/eins/; s/six/sechs/" src/a.txt; mkdir -p made/deep; echo x > made/deep/x',
    );
    await copy.changes.checkpoint('made');
    const discarded = await copy.changes.discard([{ folder: workspace, path: 'src/a.txt', hunks: [0] }]);
    await copy.refresh();
    const partly = await run(
      sandbox,
      'head -1 src/a.txt; tail -1 src/a.txt; echo more >> src/a.txt && echo wrote',
    );
    await copy.changes.goBack('before');
    await copy.refresh();
    const back = await run(sandbox, 'ls; echo more >> src/a.txt && echo wrote');
    await copy.changes.goBack('made');
    await copy.refresh();
    const again = await run(sandbox, 'head -1 src/a.txt; echo y >> made/deep/x && rm -r made && echo wrote');
    expect([discarded.kind, partly.output, back.output, again.output]).toEqual([
      'discarded',
      'one\nsechs\nwrote\n',
      'old.txt\nsrc\nwrote\n',
      'eins\nwrote\n',
    ]);
  });

  test('accepting over a file, and undoing that, leaves it theirs; so does giving back what was deleted', async () => {
    const ran = await cordon(
      'sandbox',
      '--session',
      'one',
      '--',
      'bash',
      '-c',
      'echo changed > src/a.txt; rm old.txt; echo > added',
    );
    const applied = await cordon('apply', '--yes');
    const afterApply = ofOthers(workspace);
    const listed = await cordon('trash', 'list');
    const ids = [...listed.stdout.matchAll(/^\s*(\d+)\s/gm)].map(([, id]) => id ?? '');
    const restored = await cordon('trash', 'restore', '--yes', ...ids);
    expect({
      statuses: [ran.status, applied.status, restored.status],
      complaints: [ran.stderr, applied.stderr],
      afterApply,
      afterRestore: ofOthers(workspace),
      old: asOwner('cat', 'old.txt'),
      first: asOwner('head', '-1', 'src/a.txt'),
    }).toEqual({
      statuses: [0, 0, 0],
      complaints: ['', ''],
      afterApply: [],
      afterRestore: [],
      old: 'old',
      first: 'one',
    });
  });

  test.skipIf(disk === undefined)('a clone is theirs as well, and what is accepted from it', async () => {
    const folder = path.join(disk?.path ?? '', 'project');
    mkdirSync(path.join(folder, 'src/deep'), { recursive: true });
    writeFileSync(path.join(folder, 'src/deep/a.txt'), 'one\n');
    symlinkSync('src', path.join(folder, 'link'));
    give(folder);
    const copy = await openWholeCopy('clone', {
      directory: path.join(disk?.path ?? '', 'copy'),
      folders: [folder],
      journals: path.join(root, 'state/applies'),
      trash: path.join(root, 'state/trash'),
      worker: path.join(programs, 'changes-worker.cjs'),
    });
    open.push(copy);
    const sandbox = await openWalls({
      folders: [folder],
      ...(copy.view ? { copyOnWrite: copy.view } : {}),
    });
    workspace = folder;
    const { output } = await run(
      sandbox,
      'echo two >> src/deep/a.txt; mkdir src/deep/b; echo > new; ls -A src',
    );
    const choices = ['src/deep/a.txt', 'src/deep/b', 'new'].map(inner => ({ folder, path: inner }));
    const accepted = await copy.changes.accept(choices);
    expect([
      output,
      accepted.kind,
      ofOthers(folder),
      readFileSync(`${folder}/src/deep/a.txt`, 'utf8'),
    ]).toEqual(['deep\n', 'accepted', [], 'one\ntwo\n']);
  });

  test('commits are brought into their repository by git as that user', async () => {
    const copy = await openCopy();
    const sandbox = await openWalls(copy.view ? { copyOnWrite: copy.view } : {});
    await run(sandbox, work);
    const directory = path.join(root, 'state/imports');
    mkdirSync(directory);
    const result = await importCommits({ repository: workspace, sandbox, branch: 'agent', directory });
    expect({
      kind: result.kind,
      log: asOwner('git', 'log', '--format=%s', 'agent'),
      others: ofOthers(workspace),
      left: [readdirSync(directory), readdirSync('/tmp').filter(each => each.startsWith('cordon-commits-'))],
    }).toEqual({ kind: 'imported', log: 'second\nfirst', others: [], left: [[], []] });
  });

  test('a command that may write to the folder itself makes files of theirs, and leaves what is root’s', async () => {
    writeFileSync(path.join(workspace, 'src/roots'), 'of root\n', { mode: 0o644 });
    mkdirSync(path.join(workspace, 'data'), { mode: 0o700 });
    writeFileSync(path.join(workspace, 'data/private.key'), 'of root\n');
    const sandbox = await openWalls();
    const { output } = await run(
      sandbox,
      'echo direct > direct; echo more >> src/a.txt; rm old.txt; echo no >> src/roots; cat data/private.key; ls data',
      [workspace],
    );
    expect([
      output.match(/denied/g)?.length,
      ofOthers(workspace).toSorted(),
      asOwner('cat', 'direct'),
    ]).toEqual([
      3,
      [
        path.join(workspace, 'data'),
        path.join(workspace, 'data/private.key'),
        path.join(workspace, 'src/roots'),
      ],
      'direct',
    ]);
    // No guard is left.
    expect(readdirSync(workspace).toSorted()).toEqual(['.env', '.git', 'data', 'direct', 'src']);
  });

  test('work in the folder itself is kept before, and dropped again, as theirs', async () => {
    const copy = await openCopy('direct');
    const sandbox = await openWalls();
    const isOver = await copy.beforeChange?.();
    await run(sandbox, 'echo changed > src/a.txt; rm old.txt; mkdir more; echo > more/x', [workspace]);
    await isOver?.();
    const reviews = await copy.changes.review();
    const choices = reviews.flatMap(({ changes }) =>
      changes.map(({ folder, path: inner }) => ({ folder, path: inner })),
    );
    const discarded = await copy.changes.discard(choices);
    expect([discarded.kind, ofOthers(workspace), asOwner('cat', 'old.txt', 'src/a.txt').slice(0, 7)]).toEqual(
      ['discarded', [], 'old\none'],
    );
  });

  test('the file writer writes as that user', async () => {
    const sandbox = await openWalls();
    const file = path.join(workspace, 'made/by writer.txt');
    const result = await changeFile(
      sandbox,
      { node: process.execPath, fileWriter: path.join(programs, 'file-writer.cjs') },
      { operation: 'write', path: file, content: 'written\n', expectedSha256: null, roots: [workspace] },
      new AbortController().signal,
    );
    expect([result.ok, asOwner('cat', file), ofOthers(workspace)]).toEqual([true, 'written', []]);
  });

  test('a server in the background is reached by the next command, and the walls hold', async () => {
    const sandbox = await openWalls();
    const server = await sandbox.launch({
      argv: ['bash', '-c', 'exec python3 -m http.server --bind 127.0.0.1 8123 --directory src'],
      cwd: workspace,
      writableFolders: [],
      view: 'system',
      stdin: 'ignore',
    });
    const { output } = await run(
      sandbox,
      'for n in $(seq 100); do exec 9<>/dev/tcp/127.0.0.1/8123 && break; sleep 0.1; done; printf "GET /a.txt HTTP/1.0\\r\\n\\r\\n" >&9; tail -1 <&9',
    );
    await server.kill();
    const { probes } = await selfTest(sandbox);
    expect([output.trim().split('\n').at(-1), probes.filter(({ ok }) => !ok)]).toEqual(['six', []]);
  });

  test('a folder of theirs in a folder that only root may enter works, and so do tools of root’s in one', async () => {
    const hidden = path.join(root, 'closed/project');
    renameSync(workspace, hidden);
    const tool = path.join(root, 'closed/tools/bin');
    mkdirSync(tool, { recursive: true });
    writeFileSync(path.join(tool, 'a-tool'), '#!/bin/sh\necho works\n', { mode: 0o755 });
    const before = process.env['PATH'];
    process.env['PATH'] = `${tool}:${before}`;
    workspace = hidden;
    try {
      const copy = await openCopy();
      const sandbox = await openWalls(copy.view ? { copyOnWrite: copy.view } : {});
      const { output } = await run(
        sandbox,
        `a-tool; echo x > x && ls; cat ../secret; (sleep 2; cat late.key) & sleep 0.2; cat .env; wait`,
      );
      expect(output.split('\n').filter(line => !line.includes('late.key'))).toEqual([
        'works',
        'old.txt',
        'src',
        'x',
        'cat: ../secret: No such file or directory',
        'cat: .env: Permission denied',
        '',
      ]);
    } finally {
      process.env['PATH'] = before;
    }
  });

  test('a key that appears while a command runs is hidden from it', async () => {
    const copy = await openCopy();
    const sandbox = await openWalls(copy.view ? { copyOnWrite: copy.view } : {});
    const started = run(sandbox, 'for n in $(seq 50); do cat late.key 2>/dev/null; sleep 0.1; done');
    await wait(1_000);
    writeFileSync(path.join(workspace, '.hidden-late'), 'secret of the user\n');
    chownSync(path.join(workspace, '.hidden-late'), uid, gid);
    renameSync(path.join(workspace, '.hidden-late'), path.join(workspace, 'late.key'));
    const { output, code } = await started;
    // Read in the few milliseconds before it was hidden, at most once.
    expect([output.split('secret').length <= 2, code]).toEqual([true, 0]);
  });

  test('neither they nor their commands get to what root keeps', async () => {
    await openCopy();
    const sandbox = await openWalls();
    const other = path.join(root, 'state/walls/other');
    mkdirSync(other, { mode: 0o755 });
    writeFileSync(path.join(other, 'secret'), 'of root\n', { mode: 0o644 });
    const host = spawnSync(
      '/bin/sh',
      ['-c', `cat '${other}/secret' '${root}/closed/secret'; ls '${root}/state'`],
      {
        uid,
        gid,
        encoding: 'utf8',
      },
    );
    const { output } = await run(
      sandbox,
      `cat '${other}/secret' '${root}/closed/secret'; ls '${root}/state' /sys /root;
       ls /proc/1/root/root; cat /proc/1/root'${other}/secret'; unshare -U true; nsenter -t 1 -m true;
       cat /proc/self/uid_map; grep -c . /proc/self/mountinfo > /dev/null; chown 0 src/a.txt; su -c true`,
      [workspace],
    );
    expect({
      host: host.stdout,
      inside: output.match(/of root/g),
      map: output
        .split('\n')
        .find(line => /^\s+\d+\s+\d+\s+\d+$/.test(line))
        ?.trim()
        .split(/\s+/),
      isTheirs: ofOthers(path.join(workspace, 'src')),
    }).toEqual({ host: '', inside: null, map: [String(uid), '0', '1'], isTheirs: [] });
  });

  test('links that a command leaves lead root nowhere', async () => {
    const target = path.join(root, 'closed');
    const first = await openSandbox({ folders: [workspace], stateDirectory: path.join(root, 'state/walls') });
    await run(
      first,
      `ln -s '${target}' ~/link; ln -s '${target}' /tmp/link; ln -s '${target}/secret' /tmp/file`,
    );
    await first[Symbol.asyncDispose]();
    const copy = await openCopy();
    const sandbox = await openWalls(copy.view ? { copyOnWrite: copy.view } : {});
    await run(
      sandbox,
      `ln -s '${target}' linked; ln -s '${target}/secret' secret; mv src moved; ln -s '${target}' src`,
    );
    const reviews = await copy.changes.review();
    const choices = reviews.flatMap(({ changes }) =>
      changes.map(({ folder, path: inner }) => ({ folder, path: inner })),
    );
    const accepted = await copy.changes.accept(choices);
    const secret = lstatSync(path.join(target, 'secret'));
    expect({
      accepted: accepted.kind,
      kinds: ['linked', 'secret', 'src'].map(each => lstatSync(path.join(workspace, each)).isSymbolicLink()),
      others: ofOthers(workspace),
      held: readdirSync(target),
      owner: [secret.uid, statSync(target).uid, readFileSync(path.join(target, 'secret'), 'utf8')],
    }).toEqual({
      accepted: 'accepted',
      kinds: [true, true, true],
      others: [],
      held: ['secret'],
      owner: [0, 0, 'of root\n'],
    });
  });

  test('a link that they put in the place of the folder sends root nowhere', async () => {
    await cordon('sandbox', '--session', 'one', '--', 'bash', '-c', 'echo changed > src/a.txt; echo > added');
    const target = path.join(root, 'closed/project');
    mkdirSync(path.join(target, 'src'), { recursive: true });
    writeFileSync(path.join(target, 'src/a.txt'), 'of root\n');
    const copy = await openCopy();
    const sandbox = await openWalls(copy.view ? { copyOnWrite: copy.view } : {});
    await run(sandbox, 'echo changed > src/a.txt; echo > added');
    const choices = ['src/a.txt', 'added'].map(inner => ({ folder: workspace, path: inner }));
    asOwner('mv', workspace, `${workspace}.away`);
    symlinkSync(target, workspace);
    execFileSync('chown', ['--no-dereference', `${uid}:${gid}`, workspace]);
    await expect(copy.changes.accept(choices)).rejects.toThrow(/behind a link that another user made/);
    await expect(copy.changes.sides({ folder: workspace, path: 'src/a.txt' })).rejects.toThrow(
      /behind a link that another user made/,
    );
    expect([readFileSync(path.join(target, 'src/a.txt'), 'utf8'), readdirSync(target)]).toEqual([
      'of root\n',
      ['src'],
    ]);
    rmSync(workspace);
    renameSync(`${workspace}.away`, workspace);
  });

  test('folders of several users are worked in as before, and it says so', async () => {
    const second = path.join(root, 'second');
    mkdirSync(second);
    const words = [
      '--workspace',
      workspace,
      '--workspace',
      second,
      '--',
      'sh',
      '-c',
      'cat old.txt; echo > x',
    ];
    const { stdout, stderr } = await cordon('sandbox', ...words);
    expect([stdout, stderr.split('\n')[0]]).toEqual([
      'old\n',
      `cordon sandbox: ${workspace} belongs to the user with the number ${uid}, and ${second} to the one with the number 0; commands cannot run as both. So commands in the sandbox cannot change what is not root’s.`,
    ]);
  });

  test('where root may not become that user, nothing runs, and it is said why', () => {
    // As in a container without these rights.
    const { status, stdout, stderr } = spawnSync(
      'setpriv',
      [
        '--bounding-set=-setuid,-setgid',
        '--inh-caps=-all',
        process.execPath,
        path.join(programs, 'cli.cjs'),
        'sandbox',
        '--direct',
        '--',
        'id',
      ],
      {
        cwd: workspace,
        env: { PATH: process.env['PATH'], HOME: '/root', XDG_STATE_HOME: path.join(root, 'state') },
        encoding: 'utf8',
      },
    );
    expect([status, stdout, stderr]).toEqual([
      125,
      '',
      expect.stringMatching(
        /^cordon sandbox: The workspace belongs to another user, and .* nothing ran: .* Run Cordon as the user who owns the workspace\.\n$/,
      ),
    ]);
  });

  test('cordon doctor tries it as that user, and says so', async () => {
    const { status, stdout } = await cordon('doctor', '--json');
    const { findings } = JSON.parse(stdout) as {
      findings: { name: string; state: string; detail: string }[];
    };
    expect([
      status,
      findings.filter(({ state }) => state === 'bad'),
      findings.find(({ name }) => name === 'This folder'),
    ]).toEqual([
      0,
      [],
      {
        name: 'This folder',
        state: 'good',
        detail: `${workspace} belongs to ${owner?.name} (number ${uid}), and this is root: commands in the sandbox run as ${owner?.name}, and what they make is ${owner?.name}'s.`,
      },
    ]);
  });
});

/** The first ordinary user of this machine. */
function ordinaryUser(): { name: string; uid: number; gid: number } | undefined {
  return execFileSync('getent', ['passwd'], { encoding: 'utf8' })
    .split('\n')
    .map(line => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .find(({ uid }) => uid >= 1000 && uid < 60_000);
}
