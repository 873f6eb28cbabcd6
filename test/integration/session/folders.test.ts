import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import esbuild from 'esbuild';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { loadPolicy } from '../../../src/policy/loadPolicy.ts';
import type { CommandPolicy } from '../../../src/policy/policy.ts';
import type { ApprovalAnswer } from '../../../src/protocol/approval.ts';
import { FolderGrants } from '../../../src/session/consent/folderGrants.ts';
import type { Programs, SessionOptions } from '../../../src/session/session.ts';
import type { UnsavedText } from '../../../src/session/files/unsavedText.ts';
import { openGrants } from '../../../src/store/grants.ts';
import { openTrash } from '../../../src/store/trash.ts';
import { askingPolicy, buildPrograms, Stage, temporaryFolder } from './harness.ts';

let programs: Programs;
const built = temporaryFolder();
// Inside node_modules, so that the bundle finds the native module as an installed extension would.
const otherWindow = path.resolve(`node_modules/.cache/other-window-${process.pid}.mjs`);
beforeAll(async () => {
  programs = await buildPrograms(built);
  await esbuild.build({
    entryPoints: ['test/integration/store/otherWindow.ts'],
    outfile: otherWindow,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['better-sqlite3'],
  });
});
afterAll(() => {
  rmSync(built, { recursive: true });
  rmSync(otherWindow);
});

/** A session, and beside its workspace a repository of the user's with a file, a secret and a hook. */
class Outside extends Stage {
  readonly library = path.join(this.folder, 'library');
  grants!: FolderGrants;

  async begin(options: Partial<SessionOptions> = {}): Promise<this> {
    mkdirSync(path.join(this.library, '.git/hooks'), { recursive: true });
    mkdirSync(path.join(this.library, 'docs/deep'), { recursive: true });
    writeFileSync(path.join(this.library, 'docs/guide.md'), 'Turn left.\n');
    writeFileSync(path.join(this.library, 'docs/deep/other.md'), 'Turn right.\n');
    writeFileSync(path.join(this.library, '.env'), 'TOKEN=secret\n');
    writeFileSync(path.join(this.library, '.git/hooks/pre-commit'), 'true\n');
    this.grants = new FolderGrants({
      store: () => openGrants(this.grantsFile),
      workspace: this.workspace,
      bounds: () => ({ workspace: [this.workspace], records: [path.join(this.folder, 'state')] }),
    });
    return this.open({
      folderGrants: this.grants,
      trash: path.join(this.folder, 'trash'),
      policy: readingAllowed(this.workspace),
      ...options,
    });
  }

  get grantsFile(): string {
    return path.join(this.folder, 'grants.db');
  }

  get guide(): string {
    return path.join(this.library, 'docs/guide.md');
  }

  get asked(): number {
    return this.events.filter(({ type }) => type === 'approval').length;
  }

  async answered(prompt: string, answer: ApprovalAnswer): Promise<unknown> {
    const turn = this.session.prompt(prompt);
    const request = await this.approval();
    if (!this.session.answerApproval(request.id, answer)) throw new Error('It was not offered.');
    await turn;
    return request.subject;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.grants[Symbol.dispose]();
    await super[Symbol.asyncDispose]();
  }
}

/** The real policy, and besides whatever a test runs by a shell. */
function readingAllowed(folder: string): (granted: readonly string[]) => CommandPolicy {
  return granted => {
    const { policy } = loadPolicy({ folders: [folder], granted, home: '/nonexistent', settings: [] });
    return {
      ...policy,
      decide: request =>
        /^(sh|sleep) /.test(request.command)
          ? { decision: 'allow', risk: 0, reasons: [] }
          : policy.decide(request),
    };
  };
}

/** Another process that has the same grants open. */
async function inAnotherWindow(stage: Outside, folder: string, what: 'revoke' | 'never'): Promise<void> {
  const args = [otherWindow, stage.grantsFile, stage.workspace, folder, what];
  await promisify(execFile)(process.execPath, args);
}

test('a file outside is asked for by its repository, and "once" is over with the turn', async () => {
  await using stage = await new Outside(programs).begin();
  const subject = await stage.answered(`read: ${stage.guide}`, { kind: 'allowOnce' });
  expect(subject).toEqual({
    kind: 'folder',
    folder: stage.library,
    path: stage.guide,
    access: 'read',
    around: [path.join(stage.library, 'docs')],
    recent: [],
  });
  expect(stage.said).toContain('(outside of the workspace)');
  expect(stage.said).toContain('Turn left.');
  expect(stage.grants.list()).toEqual([]);
  await stage.answered(`read: ${stage.guide}`, { kind: 'deny', words: 'Not again.' });
  expect(stage.said).toContain('Not again.');
  expect(stage.lastCall?.state).toEqual({ kind: 'denied', by: 'user', reason: 'Not again.' });
});

test('"today" and "always" are not asked again, and commands see that folder, without its secrets, and cannot change it', async () => {
  await using stage = await new Outside(programs).begin();
  await stage.answered(`read: ${stage.guide}`, { kind: 'allowToday' });
  await stage.session.prompt(`run: cat ${stage.guide}`);
  expect([stage.asked, stage.lastCall?.output]).toEqual([1, 'Turn left.\n']);
  await stage.session.prompt(
    `run: sh -c "cat ${stage.library}/.env; echo x > ${stage.guide}; ls ${stage.folder}"`,
  );
  expect(stage.lastCall?.output).not.toContain('secret');
  expect(stage.lastCall?.output).toContain('Read-only file system');
  expect(stage.lastCall?.output).toContain('library\nmy project\n');
  expect(stage.grants.list()).toMatchObject([
    { path: stage.library, access: 'read', answer: 'today', expiresAt: expect.any(Number) as number },
  ]);
  expect(stage.grants.list()[0]?.uses).toBeGreaterThan(1);
});

test('another folder may be chosen of those that were offered, and of no other', async () => {
  await using stage = await new Outside(programs).begin();
  const docs = path.join(stage.library, 'docs');
  const turn = stage.session.prompt(`read: ${stage.guide}`);
  const { id } = await stage.approval();
  expect(stage.session.answerApproval(id, { kind: 'allowToday', folder: '/etc' })).toBe(false);
  expect(stage.session.answerApproval(id, { kind: 'alwaysAllow', pattern: '/', scope: 'user' })).toBe(false);
  expect(stage.session.answerApproval(id, { kind: 'allowForSession' })).toBe(false);
  expect(stage.session.answerApproval(id, { kind: 'alwaysAllow', pattern: docs, scope: 'user' })).toBe(true);
  await turn;
  expect(stage.grants.list()).toMatchObject([{ path: docs, answer: 'always' }]);
  await stage.session.prompt(`run: sh -c "ls ${stage.library}"`);
  expect(stage.lastCall?.output).toBe('docs\n');
});

test('"never" is kept over a restart and not asked again, for reading and for changing', async () => {
  await using stage = await new Outside(programs).begin();
  await stage.answered(`read: ${stage.guide}`, { kind: 'never' });
  const again = new FolderGrants({
    store: () => openGrants(path.join(stage.folder, 'grants.db')),
    workspace: stage.workspace,
    bounds: () => ({ workspace: [], records: [] }),
  });
  expect(again.list()).toMatchObject([{ path: stage.library, access: 'read', answer: 'never' }]);
  again[Symbol.dispose]();
  await stage.session.prompt(`read: ${stage.guide}`);
  await stage.session.prompt(`write: ${stage.library}/new.md x`);
  await stage.session.prompt(`run: sh -c "cat ${stage.guide}"`);
  expect([stage.asked, stage.lastCall?.output]).toEqual([
    1,
    expect.stringContaining('is never to be allowed') as string,
  ]);
  stage.grants.revoke(stage.grants.list()[0]?.id ?? '');
  await stage.answered(`read: ${stage.guide}`, { kind: 'allowOnce' });
  expect(stage.said).toContain('Turn left.');
});

test('changing is asked apart from reading, is there at once, and protected files are asked by themselves', async () => {
  await using stage = await new Outside(programs).begin();
  await stage.answered(`read: ${stage.guide}`, { kind: 'allowToday' });
  const subject = await stage.answered(`write: ${stage.library}/docs/new.md Hello`, { kind: 'allowToday' });
  expect(subject).toMatchObject({ kind: 'folder', folder: stage.library, access: 'write' });
  expect(readFileSync(path.join(stage.library, 'docs/new.md'), 'utf8')).toBe('Hello\n');
  await stage.session.prompt(`write: ${stage.guide} Turn back.`);
  expect(readFileSync(stage.guide, 'utf8')).toBe('Turn back.\n');
  using trash = openTrash(path.join(stage.folder, 'trash'));
  const [kept] = trash.list(stage.library);
  expect(kept).toMatchObject({ path: 'docs/guide.md', why: 'overwritten' });
  expect(kept && readFileSync(trash.contentPath(kept), 'utf8')).toBe('Turn left.\n');
  await stage.session.prompt(
    `run: sh -c "echo more >> ${stage.guide}; echo evil > ${stage.library}/.git/hooks/pre-commit"`,
  );
  expect(readFileSync(stage.guide, 'utf8')).toBe('Turn back.\nmore\n');
  expect(readFileSync(path.join(stage.library, '.git/hooks/pre-commit'), 'utf8')).toBe('true\n');
  const asked = stage.asked;
  await stage.answered(`write: ${stage.library}/package.json {}`, { kind: 'deny' });
  await stage.session.prompt(`write: ${stage.library}/.env TOKEN=2`);
  expect(stage.asked).toBe(asked + 1);
});

test('a conversation with a copy of the workspace has none of a folder outside: protected and unsaved files there are no different', async () => {
  await using stage = new Outside(programs);
  const typed = new Map<string, string>();
  const unsaved: UnsavedText = {
    textOf: file => typed.get(file),
    paths: () => [...typed.keys()],
    onChange: () => ({ [Symbol.dispose]() {} }),
  };
  stage.copy = await stage.openCopy(path.join(stage.folder, 'copy'));
  await stage.begin({ workingCopy: stage.copy, unsaved });
  stage.grants.add(stage.library, 'write', 'always', 'c1');

  const tasks = path.join(stage.library, '.vscode/tasks.json');
  const subject = await stage.answered(`write: ${tasks} {}`, { kind: 'deny' });
  expect(subject).toMatchObject({
    kind: 'write',
    path: tasks,
    protectedBecause: expect.any(String) as string,
  });
  expect(existsSync(tasks)).toBe(false);

  await stage.session.prompt(`read: ${stage.guide}`);
  typed.set(stage.guide, 'Turn left.\n');
  const edit = { path: stage.guide, edits: [{ old_text: 'left', new_text: 'right' }] };
  await stage.session.prompt(`tool: edit_file ${JSON.stringify(edit)}`);
  expect(readFileSync(stage.guide, 'utf8')).toBe('Turn left.\n');
});

test('what cannot be granted is refused without a question, also through a link', async () => {
  await using stage = await new Outside(programs).begin();
  symlinkSync('/etc', path.join(stage.workspace, 'settings'));
  symlinkSync(path.join(stage.library, '.env'), path.join(stage.workspace, 'plain.txt'));
  for (const file of [
    '/etc/shadow',
    '/root/.ssh/id_ed25519',
    `${stage.library}/.env`,
    'settings/shadow',
    'plain.txt',
    '/nowhere/x',
  ]) {
    await stage.session.prompt(`read: ${file}`);
    expect([file, stage.lastCall?.state.kind]).toEqual([file, 'denied']);
  }
  expect(stage.asked).toBe(0);
});

test('a link put where a granted folder was leads nowhere', async () => {
  await using stage = await new Outside(programs).begin();
  await stage.answered(`read: ${stage.guide}`, { kind: 'allowToday' });
  mkdirSync(path.join(stage.folder, 'private'));
  writeFileSync(path.join(stage.folder, 'private/diary.txt'), 'Dear diary');
  renameSync(stage.library, `${stage.library}.old`);
  symlinkSync(path.join(stage.folder, 'private'), stage.library);
  await stage.session.prompt(`run: sh -c "cat ${stage.library}/diary.txt || true"`);
  expect(stage.lastCall?.output).not.toContain('Dear diary');
  await stage.answered(`read: ${stage.library}/diary.txt`, { kind: 'deny' });
  expect(stage.said).not.toContain('Dear diary');
});

test('a command that fails for a folder outside has it offered, and the next run works', async () => {
  await using stage = await new Outside(programs).begin();
  const subject = await stage.answered(`run: sh -c "cat ${stage.guide}"`, { kind: 'allowToday' });
  expect(subject).toMatchObject({ kind: 'folder', folder: stage.library, access: 'read' });
  expect(stage.lastCall?.output).toContain('The user has now allowed reading it: run the command again.');
  await stage.session.prompt(`run: sh -c "cat ${stage.guide}"`);
  expect(stage.lastCall).toMatchObject({ output: 'Turn left.\n', state: { kind: 'finished', ok: true } });
});

test('taking a folder back ends the commands that see it, says why, and closes it', async () => {
  await using stage = await new Outside(programs).begin();
  await stage.answered(`read: ${stage.guide}`, {
    kind: 'alwaysAllow',
    pattern: stage.library,
    scope: 'user',
  });
  await stage.session.prompt('start: sleep 300');
  const turn = stage.session.prompt('run: sleep 200');
  await vi.waitUntil(
    () => stage.lastCall?.command === 'sleep 200' && stage.lastCall.state.kind === 'running',
    {
      timeout: 20_000,
    },
  );
  const [grant] = stage.grants.list();
  const before = Date.now();
  stage.grants.revoke(grant?.id ?? '');
  await turn;
  expect(Date.now() - before).toBeLessThan(10_000);
  const calls = stage.items('toolCall').filter(({ command }) => command?.startsWith('sleep'));
  expect(calls.map(({ output }) => output)).toEqual([
    expect.stringContaining(`Access to ${stage.library} was taken back, so this command was ended.`),
    expect.stringContaining(`Access to ${stage.library} was taken back, so this command was ended.`),
  ]);
  expect(calls.map(({ state }) => state)).toMatchObject([
    { kind: 'finished', exit: { signal: 'SIGKILL' } },
    { kind: 'finished', exit: { signal: 'SIGKILL' } },
  ]);
  await stage.answered(`read: ${stage.guide}`, { kind: 'deny' });
});

test.each(['taken back', 'refused'])(
  'a folder that is %s in another window ends what runs on it in this one at once',
  async what => {
    await using stage = await new Outside(programs).begin();
    stage.grants.add(stage.library, 'read', 'always', 'c1');
    stage.grants.add(stage.guide, 'read', 'always', 'c1');
    await stage.session.prompt('start: sleep 300');
    const changed = vi.fn();
    stage.grants.changed.on(changed);
    await inAnotherWindow(stage, stage.library, what === 'refused' ? 'never' : 'revoke');
    await vi.waitUntil(() => stage.lastCall?.state.kind === 'finished', { timeout: 20_000 });
    expect(stage.lastCall?.output).toBe(
      `[Cordon] Access to ${stage.library} was taken back, so this command was ended.\n`,
    );
    expect(changed).toHaveBeenCalled();
    expect(stage.grants.list().map(({ path: each, answer }) => [each, answer])).toEqual([
      [stage.guide, 'always'],
      ...(what === 'refused' ? [[stage.library, 'never']] : []),
    ]);
  },
);

test('what is done in another window about other folders leaves what runs here alone', async () => {
  await using stage = await new Outside(programs).begin();
  stage.grants.add(path.join(stage.library, 'docs'), 'read', 'always', 'c1');
  await stage.session.prompt('start: sleep 300');
  stage.grants.add(path.join(stage.library, '.git'), 'read', 'always', 'c1');
  expect(stage.grants.list()).toHaveLength(2);
  const revoked: string[] = [];
  stage.grants.revoked.on(grant => revoked.push(grant.path));
  await inAnotherWindow(stage, path.join(stage.library, '.git'), 'revoke');
  await vi.waitUntil(() => revoked.length > 0, { timeout: 20_000 });
  expect(revoked).toEqual([path.join(stage.library, '.git')]);
  expect(stage.lastCall?.state.kind).toBe('running');
});

test('a background command sees what lasts, and not what is granted for the turn', async () => {
  await using stage = await new Outside(programs).begin();
  await stage.answered(`read: ${stage.guide}`, {
    kind: 'allowToday',
    folder: path.join(stage.library, 'docs'),
  });
  await stage.session.prompt(`start: sh -c "cat ${stage.guide}"`);
  expect(stage.lastCall?.output).toBe('Turn left.\n');
});

test('a rule or a permission for the session that is taken back ends what it let run, and nothing else', async () => {
  const allowed = new Set(['sleep 100']);
  await using stage = new Outside(programs);
  await stage.begin({
    policy: () => ({
      ...askingPolicy,
      decide: request =>
        allowed.has(request.command)
          ? { decision: 'allow', risk: 0, reasons: [] }
          : askingPolicy.decide(request),
    }),
  });
  await stage.session.prompt('start: sleep 100');
  await stage.answered('start: sleep 200', { kind: 'allowForSession' });
  await stage.answered('start: sleep 300', { kind: 'allowOnce' });
  const call = (command: string) => stage.items('toolCall').find(each => each.command === command);
  allowed.clear();
  await stage.session.recheck('grants');
  expect(call('sleep 100')?.state.kind).toBe('running');
  await stage.session.recheck('rules');
  await vi.waitUntil(() => call('sleep 100')?.state.kind === 'finished', { timeout: 20_000 });
  expect(call('sleep 100')?.output).toBe(
    '[Cordon] The permission for it was taken back, so this command was ended.\n',
  );
  const [grant] = stage.session.grants.list();
  expect(grant).toMatchObject({ kind: 'command', name: 'sleep 200', uses: 1 });
  stage.session.grants.revoke(grant?.id ?? '');
  await vi.waitUntil(() => call('sleep 200')?.state.kind === 'finished', { timeout: 20_000 });
  expect([stage.session.grants.list(), call('sleep 300')?.state.kind]).toEqual([[], 'running']);
  // Asked again.
  await stage.answered('start: sleep 200', { kind: 'deny' });
});

test("the editor's unsaved text is read, told of as it changes, and its file is not written", async () => {
  const texts = new Map<string, string>();
  const listeners = new Set<() => void>();
  await using stage = new Outside(programs);
  const note = path.join(stage.workspace, 'notes/frost.md');
  await stage.begin({
    writableFolders: () => [stage.workspace],
    unsaved: {
      textOf: file => texts.get(file),
      paths: () => [...texts.keys()],
      onChange(listener) {
        listeners.add(listener);
        return { [Symbol.dispose]: () => void listeners.delete(listener) };
      },
    },
  });
  texts.set(note, 'As typed.\n');
  await stage.session.prompt('read: notes/frost.md');
  expect(stage.said).toContain('(unsaved in the editor)');
  expect(stage.said).toContain('As typed.');
  const before = readFileSync(note, 'utf8');
  await stage.session.prompt('write: notes/frost.md Lost?');
  expect([readFileSync(note, 'utf8'), stage.said]).toEqual([
    before,
    expect.stringContaining('not saved') as string,
  ]);
  // Saved: on disk again.
  texts.clear();
  for (const listener of listeners) listener();
  await stage.session.prompt('read: notes/frost.md');
  expect(stage.said).not.toContain('unsaved');
});
