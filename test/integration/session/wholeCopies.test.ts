import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { CommandPolicy } from '../../../src/policy/policy.ts';
import { openWorkingCopy } from '../../../src/session/changes/openWorkingCopy.ts';
import { turnCheckpoint } from '../../../src/session/changes/turnChanges.ts';
import type { Programs } from '../../../src/session/session.ts';
import { cloneableDisk, type Disk } from '../overlay/cloneableDisk.ts';
import { buildPrograms, Stage, temporaryFolder } from './harness.ts';

let programs: Programs;
const built = temporaryFolder();
const disk: Disk | undefined = cloneableDisk();
beforeAll(async () => void (programs = await buildPrograms(built)));
afterAll(() => {
  rmSync(built, { recursive: true });
  disk?.[Symbol.dispose]();
});

const allowing: CommandPolicy = {
  decide: () => ({ decision: 'allow', risk: 0, reasons: [{ code: 't', message: 'Allowed.', span: [0, 1] }] }),
  propose: () => [],
};

async function direct(): Promise<Stage> {
  const stage = new Stage(programs);
  return await stage.openWhole('direct', {
    policy: () => allowing,
    writableFolders: () => [stage.workspace],
  });
}

async function listed(stage: Stage): Promise<string[]> {
  const reviews = await stage.copy.changes.review();
  return reviews.flatMap(({ changes }) => changes.map(({ kind, path: inner }) => `${kind} ${inner}`));
}

function read(stage: Stage, name: string): string {
  return readFileSync(path.join(stage.workspace, name), 'utf8');
}

test('in the user’s own files, what each command and edit changes is told, reviewed, dropped and gone back', async () => {
  await using stage = await direct();
  const before = read(stage, 'README.md');
  await stage.session.prompt('write: docs/new.md Hello');
  await stage.session.prompt('run: echo more >> README.md; rm notes/frost.md');
  expect([stage.exists('docs/new.md'), stage.exists('notes/frost.md')]).toEqual([true, false]);
  expect(stage.lastCall?.changed).toEqual({
    files: ['README.md', 'notes/frost.md'].map(name => path.join(stage.workspace, name)),
    count: 2,
    others: 0,
  });
  expect(await listed(stage)).toEqual([
    'modified README.md',
    'added docs',
    'added docs/new.md',
    'deleted notes/frost.md',
  ]);

  const dropped = await stage.copy.changes.discard([{ folder: stage.workspace, path: 'notes/frost.md' }]);
  expect([dropped.kind, stage.exists('notes/frost.md')]).toEqual(['discarded', true]);
  const accepted = await stage.copy.changes.accept([{ folder: stage.workspace, path: 'docs/new.md' }]);
  expect(accepted).toMatchObject({ kind: 'accepted', batches: [] });
  expect(await listed(stage)).toEqual(['modified README.md']);

  const [first] = stage.items('user');
  await stage.copy.changes.goBack(turnCheckpoint(first?.id ?? ''));
  expect([read(stage, 'README.md'), stage.exists('docs/new.md')]).toEqual([before, true]);
  // What going back overwrote is in the trash as well.
  expect((await stage.copy.changes.trash()).map(item => item.path)).toContain('README.md');
});

test('without the right to write nothing is kept, since nothing can be changed', async () => {
  await using stage = await new Stage(programs).openWhole('direct', { policy: () => allowing });
  await stage.session.prompt('run: cat README.md');
  const kept = path.join(stage.folder, 'copy/direct');
  expect(existsSync(kept)).toBe(true);
  expect(await listed(stage)).toEqual([]);
  expect(stage.lastCall).toMatchObject({ state: { kind: 'finished', ok: true } });
});

test('a file that cannot be kept keeps the change from happening', async () => {
  await using stage = await direct();
  // Where the kept files go there is a file now: as a full disk would, it stops the copying.
  const [place] = stage.copy.folders;
  expect(place).toBe(stage.workspace);
  const session = path.join(stage.folder, 'copy/direct');
  const [name = ''] = readdirSync(session);
  writeFileSync(path.join(session, name, 'spare'), '');
  await stage.session.prompt('run: echo gone > README.md');
  expect(stage.lastCall?.state).toMatchObject({
    kind: 'denied',
    reason: expect.stringContaining('could not be kept before a change'),
  });
  expect(read(stage, 'README.md')).not.toBe('gone\n');
});

test.skipIf(disk === undefined)(
  'in a clone at the folder’s own place, nothing reaches the user’s files until it is accepted',
  async () => {
    await using stage = new Stage(programs, disk?.path);
    stage.write('.env', 'SECRET=1\n');
    await stage.openWhole('clone', { policy: () => allowing });
    await stage.session.prompt(
      'run: pwd; cat .env; echo more >> README.md; mkdir docs; echo Hello > docs/new.md',
    );
    expect(stage.lastCall?.output).toBe(`${stage.workspace}\ncat: .env: Permission denied\n`);
    expect([stage.exists('docs'), read(stage, 'README.md').includes('more')]).toEqual([false, false]);
    expect(await listed(stage)).toEqual(['modified README.md', 'added docs', 'added docs/new.md']);

    await stage.session.prompt('write: src/made.js 1');
    const outcome = await stage.copy.changes.accept([{ folder: stage.workspace, path: 'docs/new.md' }]);
    expect([outcome.kind, read(stage, 'docs/new.md')]).toEqual(['accepted', 'Hello\n']);
    mkdirSync(path.join(stage.workspace, 'mine'));
    stage.write('mine/file', 'from the user\n');
    await stage.session.prompt('run: cat mine/file');
    expect(stage.lastCall?.output).toBe('from the user\n');
    expect(read(stage, '.env')).toBe('SECRET=1\n');
    const [first] = stage.items('user');
    await stage.copy.changes.goBack(turnCheckpoint(first?.id ?? ''));
    expect(await listed(stage)).toEqual([]);
  },
);

test('what there is decides: an overlay first, a clone where files can be cloned, else the user’s own files; and it is said why', async () => {
  await using stage = await direct();
  const places = async (root: string, wanted: 'copyOnWrite' | 'direct') => {
    const workspace = path.join(root, 'w');
    mkdirSync(workspace, { recursive: true });
    await using copy = await openWorkingCopy({
      directory: path.join(root, `copy-${wanted}`),
      folders: [workspace],
      home: '/home/nobody',
      wanted,
      backend: 'bubblewrap',
      journals: path.join(root, 'applies'),
      trash: path.join(root, 'trash'),
      worker: path.join(stage.folder, 'worker/changes-worker.cjs'),
    });
    return [copy.kind, copy.because ?? ''];
  };
  const root = path.join(stage.folder, 'choice');
  expect(await places(root, 'copyOnWrite')).toEqual(['overlay', '']);
  expect(await places(root, 'direct')).toEqual(['direct', 'You chose so (cordon.workspace.mode).']);
  // Podman's walls stand without Bubblewrap, but nothing else puts up the view.
  const bin = path.join(stage.folder, 'bin');
  mkdirSync(bin);
  symlinkSync('/usr/bin/cp', path.join(bin, 'cp'));
  vi.stubEnv('PATH', bin);
  try {
    const elsewhere = path.join(stage.folder, 'elsewhere');
    const [kind, because] = await places(elsewhere, 'copyOnWrite');
    expect([kind, because]).toEqual(['direct', expect.stringMatching(/is not installed.*Nor can this file/)]);
    const onDisk = disk && (await places(path.join(disk.path, 'choice'), 'copyOnWrite'));
    expect(onDisk?.[0]).toBe(disk && 'clone');
  } finally {
    vi.unstubAllEnvs();
  }
});
