import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ApprovalAnswer } from '../../../src/protocol/approval.ts';
import type { Programs } from '../../../src/session/session.ts';
import { buildPrograms, Stage, temporaryFolder } from './harness.ts';

let programs: Programs;
const built = temporaryFolder();
beforeAll(async () => void (programs = await buildPrograms(built)));
afterAll(() => rmSync(built, { recursive: true }));

/** Runs a turn and answers the one approval it asks for. */
async function answered(stage: Stage, prompt: string, answer: ApprovalAnswer): Promise<unknown> {
  const turn = stage.session.prompt(prompt);
  const request = await stage.approval();
  stage.session.answerApproval(request.id, answer);
  await turn;
  return request.subject;
}

function read(stage: Stage, name: string): string {
  return readFileSync(path.join(stage.workspace, name), 'utf8');
}

function asked(stage: Stage): number {
  return stage.events.filter(({ type }) => type === 'approval').length;
}

test('the first change of a folder is asked, and "once" lasts for the turn', async () => {
  await using stage = await new Stage(programs).open();
  const subject = await answered(stage, 'write: docs/new.md Hello', { kind: 'allowOnce' });
  expect(subject).toEqual({
    kind: 'write',
    folder: stage.workspace,
    path: path.join(stage.workspace, 'docs/new.md'),
    operation: 'create',
  });
  expect(read(stage, 'docs/new.md')).toBe('Hello\n');
  expect(stage.lastCall).toMatchObject({
    tool: 'edit',
    state: { kind: 'finished', ok: true },
    diffs: [
      {
        path: path.join(stage.workspace, 'docs/new.md'),
        patch: '@@ -0,0 +1,1 @@\n+Hello',
        added: 1,
        removed: 0,
      },
    ],
  });
  await answered(stage, 'write: docs/other.md Hello', { kind: 'deny', words: 'Leave the docs alone.' });
  expect([stage.exists('docs/other.md'), stage.lastCall?.state]).toEqual([
    false,
    { kind: 'denied', by: 'user', reason: 'Leave the docs alone.' },
  ]);
  expect(stage.said).toContain('Leave the docs alone.');
});

test('granted for the session, the folder is not asked about again; "always" is handed on to be kept', async () => {
  await using stage = await new Stage(programs).open();
  await answered(stage, 'write: a.txt one', { kind: 'allowForSession' });
  await stage.session.prompt('write: a.txt two');
  await stage.session.prompt('delete: a.txt');
  expect([asked(stage), stage.exists('a.txt'), stage.lastCall?.diffs[0]?.patch]).toEqual([
    1,
    false,
    '@@ -1,1 +0,0 @@\n-two',
  ]);

  await using other = await new Stage(programs).open();
  await answered(other, 'write: a.txt one', { kind: 'alwaysAllow', pattern: 'anything', scope: 'user' });
  expect(other.remembered).toEqual([
    ['write', { kind: 'alwaysAllow', pattern: other.workspace, scope: 'user' }],
  ]);
  expect(other.exists('a.txt')).toBe(true);
});

test('a path that can run code later is asked about by itself, each time, whatever was granted', async () => {
  await using stage = new Stage(programs);
  await stage.open({ writableFolders: () => [stage.workspace] });
  await stage.session.prompt('write: plain.txt fine');
  expect(asked(stage)).toBe(0);
  const subject = await answered(stage, 'write: .vscode/tasks.json {}', { kind: 'allowForSession' });
  expect(subject).toMatchObject({
    kind: 'write',
    protectedBecause: expect.stringMatching(/^It can make the editor run/) as string,
  });
  expect(read(stage, '.vscode/tasks.json')).toBe('{}\n');
  await answered(stage, 'write: .vscode/tasks.json {"version":"2.0.0"}', { kind: 'deny' });
  expect([read(stage, '.vscode/tasks.json'), asked(stage)]).toEqual(['{}\n', 2]);
  await answered(stage, 'write: package.json {}', { kind: 'deny' });
  expect(read(stage, 'package.json')).toContain('field-notes');
});

test('a link does not hide a protected path, and leads nowhere outside', async () => {
  await using stage = new Stage(programs);
  await stage.open({ writableFolders: () => [stage.workspace] });
  stage.write('.vscode/settings.json', '{}');
  symlinkSync('.vscode', path.join(stage.workspace, 'docs'));
  symlinkSync(stage.folder, path.join(stage.workspace, 'out'));
  const subject = await answered(stage, 'write: docs/tasks.json {}', { kind: 'deny' });
  expect(subject).toMatchObject({ protectedBecause: expect.any(String) as string });
  await stage.session.prompt('write: out/escaped.txt x');
  await stage.session.prompt('write: ../escaped.txt x');
  expect([stage.exists('..', 'escaped.txt'), stage.exists('.vscode', 'tasks.json')]).toEqual([false, false]);
});

test('files that hold secrets are neither written nor deleted', async () => {
  await using stage = new Stage(programs);
  await stage.open({ writableFolders: () => [stage.workspace] });
  stage.write('.env', 'TOKEN=1');
  await stage.session.prompt('write: .env.local TOKEN=2');
  expect(stage.lastCall?.state).toEqual({
    kind: 'denied',
    by: 'policy',
    reason: '.env.local may hold secrets, so the agent has no part in it.',
  });
  await stage.session.prompt('delete: .env');
  expect([stage.exists('.env.local'), stage.exists('.env')]).toEqual([false, true]);
});

test('a file that changed since the agent read it is not overwritten', async () => {
  await using stage = new Stage(programs);
  await stage.open({ writableFolders: () => [] });
  const file = path.join(stage.workspace, 'note.txt');
  writeFileSync(file, 'as read\n');
  await stage.session.prompt('read: note.txt');
  const edit = { path: 'note.txt', edits: [{ old_text: 'as read', new_text: 'as edited' }] };
  const turn = stage.session.prompt(`tool: edit_file ${JSON.stringify(edit)}`);
  const { id } = await stage.approval();
  // While the question is open, the user saves the file.
  writeFileSync(file, 'as the user wants it\n');
  stage.session.answerApproval(id, { kind: 'allowOnce' });
  await turn;
  expect([read(stage, 'note.txt'), stage.lastCall]).toMatchObject([
    'as the user wants it\n',
    { state: { kind: 'finished', ok: false }, diffs: [] },
  ]);
  expect(stage.said).toMatch(/changed since you read it/);
});

test('a command meets a read-only folder, the user grants writing, and the next run works', async () => {
  await using stage = await new Stage(programs).open({
    policy: () => ({ decide: () => ({ decision: 'allow', risk: 0, reasons: [] }), propose: () => [] }),
  });
  const subject = await answered(stage, 'run: echo built > out.txt', { kind: 'allowForSession' });
  expect(subject).toEqual({
    kind: 'write',
    folder: stage.workspace,
    path: stage.workspace,
    operation: 'edit',
  });
  expect(stage.lastCall?.output).toMatch(
    /Read-only file system\n\[Cordon\] .* now allowed writing there: run the command again\.\n$/,
  );
  expect(stage.said).toContain('run the command again');
  await stage.session.prompt('run: echo built > out.txt');
  expect([read(stage, 'out.txt'), asked(stage), stage.lastCall?.state]).toMatchObject([
    'built\n',
    1,
    { kind: 'finished', ok: true },
  ]);
});

test('refused, the command stays failed and the agent is told', async () => {
  await using stage = await new Stage(programs).open({
    policy: () => ({ decide: () => ({ decision: 'allow', risk: 0, reasons: [] }), propose: () => [] }),
  });
  await answered(stage, 'run: touch x', { kind: 'deny', words: 'Not yet.' });
  expect(stage.lastCall).toMatchObject({
    state: { kind: 'finished', ok: false, exit: { code: 1 } },
    output: expect.stringMatching(/the user did not allow writing there\. They say: Not yet\.\n$/) as string,
  });
  expect(stage.exists('x')).toBe(false);
});
