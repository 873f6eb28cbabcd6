import { readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { CommandPolicy } from '../../../src/policy/policy.ts';
import { turnCheckpoint } from '../../../src/session/changes/turnChanges.ts';
import type { WorkingCopy } from '../../../src/session/changes/workingCopy.ts';
import type { UnsavedText } from '../../../src/session/files/unsavedText.ts';
import type { Programs } from '../../../src/session/session.ts';
import { buildPrograms, Stage, temporaryFolder } from './harness.ts';

let programs: Programs;
const built = temporaryFolder();
beforeAll(async () => void (programs = await buildPrograms(built)));
afterAll(() => rmSync(built, { recursive: true }));

const allowing: CommandPolicy = {
  decide: () => ({ decision: 'allow', risk: 0, reasons: [{ code: 't', message: 'Allowed.', span: [0, 1] }] }),
  propose: () => [],
};

async function opened(): Promise<Stage> {
  return await new Stage(programs).openOverlaid({ policy: () => allowing });
}

test('what the agent writes stays in its copy until the user accepts it', async () => {
  await using stage = await opened();
  await stage.session.prompt('write: docs/new.md Hello');
  await stage.session.prompt('run: cat docs/new.md; echo more >> README.md');
  expect([stage.exists('docs/new.md'), stage.lastCall?.output, stage.conversation.approvals]).toEqual([
    false,
    'Hello\n',
    [],
  ]);

  const [review] = await stage.copy.changes.review();
  expect(review?.changes.map(({ path, kind, added, removed }) => [path, kind, added, removed])).toEqual([
    ['README.md', 'modified', 1, 0],
    ['docs', 'added', undefined, undefined],
    ['docs/new.md', 'added', 1, 0],
  ]);

  const outcome = await stage.copy.changes.accept([{ folder: stage.workspace, path: 'docs/new.md' }]);
  expect(outcome).toMatchObject({ kind: 'accepted', merged: [] });
  expect(readFileSync(path.join(stage.workspace, 'docs/new.md'), 'utf8')).toBe('Hello\n');
  const [rest] = await stage.copy.changes.review();
  expect(rest?.changes.map(change => change.path)).toEqual(['README.md']);
});

test('what the user does meanwhile is there in the next turn, and never overwritten unseen', async () => {
  await using stage = await opened();
  stage.write('notes.md', 'one\ntwo\nthree\nfour\nfive\n');
  await stage.session.prompt('run: cat notes.md; test -e later.md || sed -i s/one/ONE/ notes.md');
  await vi.waitUntil(() => stage.items('turnEnd').at(-1)?.changed);
  // Saved as most editors do it: another file takes the name.
  stage.write('notes.new', 'one\ntwo\nthree\nfour\nFIVE\n');
  renameSync(path.join(stage.workspace, 'notes.new'), path.join(stage.workspace, 'notes.md'));
  stage.write('later.md', 'new\n');
  stage.write('src/slug.js', 'export {};\n');

  await stage.session.prompt('run: cat later.md src/slug.js');
  expect(stage.lastCall?.output).toBe('new\nexport {};\n');

  const outcome = await stage.copy.changes.accept([{ folder: stage.workspace, path: 'notes.md' }]);
  expect(outcome).toMatchObject({ kind: 'accepted', merged: [{ path: 'notes.md' }] });
  expect(read(stage, 'notes.md')).toBe('ONE\ntwo\nthree\nfour\nFIVE\n');

  await stage.session.prompt('run: cat notes.md; sed -i s/three/3/ notes.md');
  await vi.waitUntil(() => stage.items('turnEnd').at(-1)?.changed);
  expect(stage.lastCall?.output).toBe('ONE\ntwo\nthree\nfour\nFIVE\n');
  stage.write('notes.md', 'ONE\ntwo\nTHREE\nfour\nFIVE\n');
  expect(await stage.copy.changes.accept([{ folder: stage.workspace, path: 'notes.md' }])).toMatchObject({
    kind: 'obstructed',
    obstructions: [{ path: 'notes.md', kind: 'conflict' }],
  });
  expect(read(stage, 'notes.md')).toBe('ONE\ntwo\nTHREE\nfour\nFIVE\n');
});

test('what the user saves in the middle of a turn is there for the next command, and known for theirs', async () => {
  await using stage = await new Stage(programs).openOverlaid();
  stage.write('notes.md', 'one\ntwo\nthree\nfour\nfive\n');
  const turn = stage.session.prompt('run: cat notes.md; sed -i s/one/ONE/ notes.md');
  const request = await stage.approval();
  stage.write('notes.new', 'one\ntwo\nthree\nfour\nFIVE\n');
  renameSync(path.join(stage.workspace, 'notes.new'), path.join(stage.workspace, 'notes.md'));
  // A clock that ticks a hundred times a second must tell the one from the other; windows wait longer.
  await wait(30);
  await stage.session.saved();
  stage.session.answerApproval(request.id, { kind: 'allowOnce' });
  await turn;

  expect(stage.lastCall?.output).toBe('one\ntwo\nthree\nfour\nFIVE\n');
  expect(await stage.copy.changes.accept([{ folder: stage.workspace, path: 'notes.md' }])).toMatchObject({
    kind: 'accepted',
  });
  expect(read(stage, 'notes.md')).toBe('ONE\ntwo\nthree\nfour\nFIVE\n');
});

test('each command and turn tells what it changed; outputs are counted', async () => {
  await using stage = await opened();
  stage.write('.gitignore', 'out/\n');
  await stage.session.prompt('run: mkdir out lib; touch out/1 out/2 lib/a; rm README.md');
  await vi.waitUntil(() => stage.items('turnEnd').at(-1)?.changed);
  await vi.waitUntil(() => stage.lastCall?.changed);
  const changed = {
    files: [path.join(stage.workspace, 'README.md'), path.join(stage.workspace, 'lib/a')],
    count: 2,
    others: 1,
  };
  const told = stage.items('turnEnd').at(-1)?.changed;
  expect({ ...told, files: told?.files.toSorted() }).toEqual(changed);
  const call = stage.lastCall?.changed;
  expect({ ...call, files: call?.files.toSorted() }).toEqual(changed);
});

test('going back to before a turn, by its message; and forward again', async () => {
  await using stage = await opened();
  await stage.session.prompt('run: echo one > a.txt');
  await stage.session.prompt('run: echo two > a.txt; mkdir b; echo x > b/c; rm README.md');
  const message = stage.items('user').at(-1)?.id ?? '';

  const before = await stage.copy.changes.goBack(turnCheckpoint(message));
  await stage.session.prompt('run: cat a.txt; ls b README.md');
  expect(stage.lastCall?.output).toContain('one\n');
  expect(stage.lastCall?.output).toContain("cannot access 'b'");
  expect(stage.lastCall?.output).toContain('\nREADME.md');

  await stage.copy.changes.goBack(before);
  await stage.session.prompt('run: cat a.txt b/c; ls README.md');
  expect(stage.lastCall?.output).toContain('two\nx\n');
  expect(stage.lastCall?.output).toContain("cannot access 'README.md'");
});

test('a hunk is taken, another dropped; a change that moved on since it was looked at is not taken', async () => {
  await using stage = await opened();
  const text = Array.from({ length: 30 }, (_, line) => `line ${line}\n`).join('');
  stage.write('long.txt', text);
  await stage.session.prompt(`run: sed -i '3s/$/ A/;20s/$/ B/' long.txt`);
  const file = { folder: stage.workspace, path: 'long.txt' };
  const { hunks, version } = await stage.copy.changes.sides(file);
  expect(hunks?.map(({ beforeLine, added }) => [beforeLine, added])).toEqual([
    [3, ['line 2 A\n']],
    [20, ['line 19 B\n']],
  ]);

  expect(await stage.copy.changes.accept([{ ...file, hunks: [0], version }])).toMatchObject({
    kind: 'accepted',
  });
  expect(read(stage, 'long.txt')).toBe(text.replace('line 2\n', 'line 2 A\n'));
  expect(await stage.copy.changes.accept([{ ...file, hunks: [1], version }])).toMatchObject({
    kind: 'obstructed',
    obstructions: [{ kind: 'changed' }],
  });
  const rest = await stage.copy.changes.sides(file);
  expect(await stage.copy.changes.discard([{ ...file, hunks: [0], version: rest.version }])).toMatchObject({
    kind: 'discarded',
  });
  expect((await stage.copy.changes.review())[0]?.changes).toEqual([]);
});

test('a path that can run code is taken only when it is confirmed by itself', async () => {
  await using stage = await opened();
  await stage.session.prompt('run: mkdir -p .vscode && echo {} > .vscode/tasks.json && echo b > b.txt');
  const all = (await stage.copy.changes.review()).flatMap(({ changes }) => changes);
  const isFile = all.filter(({ is }) => is === 'file');
  expect(await stage.copy.changes.accept(isFile)).toMatchObject({
    kind: 'obstructed',
    obstructions: [{ path: '.vscode/tasks.json', kind: 'protected' }],
  });
  expect(stage.exists('b.txt')).toBe(false);
  const confirmed = isFile.map(change => ({ ...change, isConfirmed: true }));
  expect(await stage.copy.changes.accept(confirmed)).toMatchObject({ kind: 'accepted' });
  expect([stage.exists('b.txt'), read(stage, '.vscode/tasks.json')]).toEqual([true, '{}\n']);
});

test('what an accept overwrote comes back from the trash, and that can be undone as well', async () => {
  await using stage = await opened();
  stage.write('a.txt', 'mine\n');
  await stage.session.prompt('run: echo theirs > a.txt');
  await stage.copy.changes.accept([{ folder: stage.workspace, path: 'a.txt' }]);
  const [item] = await stage.copy.changes.trash();
  await stage.copy.changes.restore([item?.id ?? 0]);
  expect(read(stage, 'a.txt')).toBe('mine\n');
  const [back] = await stage.copy.changes.trash();
  await stage.copy.changes.restore([back?.id ?? 0]);
  expect(read(stage, 'a.txt')).toBe('theirs\n');
});

test('a forked copy goes its own way from the checkpoint on', async () => {
  await using stage = await opened();
  await stage.session.prompt('run: echo one > a.txt; ln -s a.txt link; rm README.md');
  await stage.session.prompt('run: echo two > a.txt; rm link; echo back > README.md');
  const message = stage.items('user').at(-1)?.id ?? '';
  await stage.copy.changes.fork(turnCheckpoint(message), path.join(stage.folder, 'fork'));

  await using fork = await stage.openCopy(path.join(stage.folder, 'fork'));
  const seen = async (copy: WorkingCopy) =>
    (await copy.changes.review()).flatMap(({ changes }) =>
      changes.map(({ path, kind }) => `${kind} ${path}`),
    );
  expect(await seen(fork)).toEqual(['deleted README.md', 'added a.txt', 'added link']);
  const { after } = await fork.changes.sides({ folder: stage.workspace, path: 'a.txt' });
  expect(Buffer.from(after ?? []).toString()).toBe('one\n');
  expect(await seen(stage.copy)).toEqual(['modified README.md', 'added a.txt']);
});

test('the agent process itself cannot write into the copy past the broker', async () => {
  await using stage = await new Stage(programs).openOverlaid({ isLocked: () => true });
  await stage.session.prompt('write: a.txt x');
  expect(stage.lastCall?.state).toMatchObject({ kind: 'denied', by: 'policy' });
  expect((await stage.copy.changes.review())[0]?.changes).toEqual([]);
});

function read(stage: Stage, name: string): string {
  return readFileSync(path.join(stage.workspace, name), 'utf8');
}

test('unsaved text is what the agent reads and changes, in its copy; the editor and the disk keep theirs', async () => {
  const typed = new Map<string, string>();
  const listeners = new Set<() => void>();
  const unsaved: UnsavedText = {
    textOf: file => typed.get(file),
    paths: () => [...typed.keys()],
    onChange: listener => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };
  await using stage = await new Stage(programs).openOverlaid({ policy: () => allowing, unsaved });
  const file = path.join(stage.workspace, 'plan.txt');
  stage.write('plan.txt', 'one\n');
  typed.set(file, 'one\ntyped\n');
  for (const listener of listeners) listener();

  await stage.session.prompt('read: plan.txt');
  expect(stage.said).toContain('typed');
  const edit = { path: 'plan.txt', edits: [{ old_text: 'typed', new_text: 'typed and changed' }] };
  await stage.session.prompt(`tool: edit_file ${JSON.stringify(edit)}`);
  expect(stage.lastCall).toMatchObject({
    state: { kind: 'finished', ok: true },
    diffs: [{ patch: '@@ -1,2 +1,2 @@\n one\n-typed\n+typed and changed' }],
  });
  expect([typed.get(file), read(stage, 'plan.txt')]).toEqual(['one\ntyped\n', 'one\n']);

  // From here on it sees its own version, in commands too.
  await stage.session.prompt('run: cat plan.txt');
  expect(stage.lastCall?.output).toBe('one\ntyped and changed\n');
  await stage.session.prompt('read: plan.txt');
  expect(stage.said).toContain('typed and changed');
  expect(
    await stage.copy.changes.mergeInto({ folder: stage.workspace, path: 'plan.txt' }, 'one\ntyped\n'),
  ).toBe('one\ntyped and changed\n');

  // Saved, it is what the agent worked from, and there is nothing to join.
  stage.write('plan.txt', 'one\ntyped\n');
  typed.clear();
  expect(await stage.copy.changes.accept([{ folder: stage.workspace, path: 'plan.txt' }])).toMatchObject({
    kind: 'accepted',
    merged: [],
  });
  expect(read(stage, 'plan.txt')).toBe('one\ntyped and changed\n');
});
