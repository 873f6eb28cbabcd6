import { rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CommandPolicy } from '../../../src/policy/policy.ts';
import type { ApprovalAnswer } from '../../../src/protocol/approval.ts';
import type { Programs, SessionOptions } from '../../../src/session/session.ts';
import { buildPrograms, Stage, temporaryFolder } from './harness.ts';

let programs: Programs;
const built = temporaryFolder();
beforeAll(async () => void (programs = await buildPrograms(built)));
afterAll(() => rmSync(built, { recursive: true }));

const willing: CommandPolicy = {
  decide: () => ({ decision: 'allow', risk: 0, reasons: [{ code: 't', message: 'Allowed.', span: [0, 1] }] }),
  propose: () => [],
};

class Secretive extends Stage {
  async begin(options: Partial<SessionOptions> = {}): Promise<this> {
    this.write('.env', 'TOKEN=1\n');
    this.write('other/server.key', 'KEY=2\n');
    return await this.openOverlaid({ policy: () => willing, ...options });
  }

  async answered(prompt: string, answer: ApprovalAnswer): Promise<unknown> {
    const turn = this.session.prompt(prompt);
    const { id, subject, decision } = await this.approval();
    if (!this.session.answerApproval(id, answer)) throw new Error('It was not offered.');
    await turn;
    return { ...subject, risk: decision.risk };
  }

  get asked(): number {
    return this.events.filter(({ type }) => type === 'approval').length;
  }

  get file(): string {
    return path.join(this.workspace, '.env');
  }
}

test('the agent asks for a hidden file by its name, as a high risk, and "once" is this reading alone', async () => {
  await using stage = await new Secretive(programs).begin();
  expect(await stage.answered('read: .env', { kind: 'allowOnce' })).toEqual({
    kind: 'secret',
    path: stage.file,
    risk: 90,
  });
  expect(stage.said).toContain('(hidden as a secret; the user lets you read it)');
  expect(stage.said).toContain('TOKEN=1');
  expect(stage.session.grants.list()).toEqual([]);
  await stage.session.prompt('run: cat .env');
  expect(stage.lastCall?.output).toContain('Permission denied');
  await stage.answered('read: .env', { kind: 'deny', words: 'Use the example.' });
  expect(stage.lastCall?.state).toEqual({ kind: 'denied', by: 'user', reason: 'Use the example.' });
  expect(stage.said).not.toContain('TOKEN=1');
});

test('for the session it is that file and no other, is listed, and is taken back at once, from commands too', async () => {
  await using stage = await new Secretive(programs).begin();
  await stage.answered('read: .env', { kind: 'allowForSession' });
  await stage.session.prompt('read: .env');
  expect([stage.asked, stage.said]).toEqual([1, expect.stringContaining('TOKEN=1')]);
  await stage.session.prompt('run: cat .env; cat other/server.key');
  expect(stage.lastCall?.output).toContain('TOKEN=1\n');
  expect(stage.lastCall?.output).not.toContain('KEY=2');
  await stage.answered('read: other/server.key', { kind: 'deny' });
  const [grant] = stage.session.grants.list();
  expect(grant).toMatchObject({ kind: 'file', name: stage.file });
  await stage.session.prompt('start: sleep 98779');
  stage.session.grants.revoke(grant?.id ?? '');
  await expect.poll(() => stage.lastCall?.output, { timeout: 20_000 }).toContain('was taken back');
  await stage.answered('read: .env', { kind: 'deny' });
  expect(stage.said).not.toContain('TOKEN=1');
});

test('a command that failed for it sees it in its next run, once, and no other command does', async () => {
  await using stage = await new Secretive(programs).begin();
  const lift = () => stage.session.liftDenial(stage.lastCall?.id ?? '', 0, 'once');
  await stage.session.prompt('run: cat .env');
  expect(lift()).toBe(true);
  expect(stage.lastCall?.denials).toMatchObject([{ kind: 'secretFile', cured: 'once' }]);
  expect(stage.session.grants.list()).toMatchObject([
    { kind: 'file', name: stage.file, onceFor: 'cat .env' },
  ]);
  await stage.session.prompt('run: cat ./.env');
  expect(stage.lastCall?.output).toContain('Permission denied');
  await stage.session.prompt('run: cat .env');
  expect([stage.lastCall?.output, stage.session.grants.list()]).toEqual(['TOKEN=1\n', []]);
  await stage.session.prompt('run: cat .env');
  expect(stage.lastCall?.output).toContain('Permission denied');
  // Taken back before it was used.
  expect(lift()).toBe(true);
  stage.session.grants.revoke(stage.session.grants.list()[0]?.id ?? '');
  await stage.session.prompt('run: cat .env');
  expect(stage.lastCall?.output).toContain('Permission denied');
});

test('taking back what a command sees once ends it', async () => {
  await using stage = await new Secretive(programs).begin();
  const command = 'cat .env && echo read && sleep 98780';
  await stage.session.prompt(`run: ${command}`);
  expect(stage.session.liftDenial(stage.lastCall?.id ?? '', 0, 'once')).toBe(true);
  const turn = stage.session.prompt(`run: ${command}`);
  await expect.poll(() => stage.lastCall?.output, { timeout: 20_000 }).toBe('TOKEN=1\nread\n');
  stage.session.grants.revoke(stage.session.grants.list()[0]?.id ?? '');
  await turn;
  expect(stage.lastCall?.output).toContain(
    `Sight of ${stage.file} was taken back, so this command was ended.`,
  );
});

test('it is never allowed for good, or for a folder', async () => {
  await using stage = await new Secretive(programs).begin();
  const turn = stage.session.prompt('read: .env');
  const { id } = await stage.approval();
  const answers: ApprovalAnswer[] = [
    { kind: 'alwaysAllow', pattern: stage.file, scope: 'user' },
    { kind: 'allowToday' },
    { kind: 'never' },
  ];
  expect(answers.map(each => stage.session.answerApproval(id, each))).toEqual([false, false, false]);
  expect(stage.session.answerApproval(id, { kind: 'allowOnce', folder: '/' })).toBe(true);
  await turn;
  expect([stage.said.includes('TOKEN=1'), stage.remembered]).toEqual([true, []]);
});

test('a link leads to no other file than the one that was asked about', async () => {
  await using stage = new Secretive(programs);
  symlinkSync('.env', path.join(stage.workspace, 'notes.txt'));
  await stage.begin();
  expect(await stage.answered('read: notes.txt', { kind: 'deny' })).toMatchObject({ path: stage.file });
  symlinkSync('/etc/shadow', path.join(stage.workspace, '.env.local'));
  await stage.session.prompt('read: .env.local');
  expect([stage.asked, stage.lastCall?.state.kind]).toEqual([1, 'denied']);
  expect(stage.said).not.toContain('root:');
});

test('what the agent made itself, and what is no secret, is not asked about', async () => {
  await using stage = await new Secretive(programs).begin();
  await stage.session.prompt(
    'run: echo MINE > .env.test; echo x > closed.txt; chmod 000 closed.txt .env.test',
  );
  await stage.session.prompt('read: closed.txt');
  expect(stage.lastCall?.state).toMatchObject({ kind: 'finished', ok: false });
  await stage.session.prompt('read: .env.test');
  expect([stage.asked, stage.lastCall?.state]).toMatchObject([0, { kind: 'finished', ok: false }]);
});

test('where nobody can be asked it stays hidden', async () => {
  const unattended = { command: '', write: '', protectedWrite: '', folder: '', host: () => '' };
  await using stage = await new Secretive(programs).begin({ unattended });
  await stage.session.prompt('read: .env');
  expect([stage.asked, stage.lastCall?.state]).toEqual([
    0,
    {
      kind: 'denied',
      by: 'policy',
      reason: 'It is hidden, because it looks like a secret. Nobody can be asked about it in this run.',
    },
  ]);
});
