import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CommandPolicy } from '../../../src/policy/policy.ts';
import type { Programs } from '../../../src/session/session.ts';
import { askingPolicy, buildPrograms, Stage, temporaryFolder } from './harness.ts';

let programs: Programs;
const built = temporaryFolder();
beforeAll(async () => void (programs = await buildPrograms(built)));
afterAll(() => rmSync(built, { recursive: true }));

test('a command that is allowed once runs once and is asked again', async () => {
  await using stage = await new Stage(programs).open();
  const turn = stage.session.prompt('run: echo one; echo two >&2');
  const request = await stage.approval();
  expect(request.subject).toEqual({
    kind: 'command',
    command: 'echo one; echo two >&2',
    cwd: stage.workspace,
    background: false,
    proposals: [{ pattern: 'echo **', description: 'All of it' }],
  });
  expect(stage.lastCall?.state).toEqual({ kind: 'awaitingApproval', approvalId: request.id });
  expect(stage.session.answerApproval(request.id, { kind: 'allowOnce' })).toBe(true);
  expect(stage.session.answerApproval(request.id, { kind: 'deny' })).toBe(false);
  await turn;
  expect(stage.lastCall).toMatchObject({
    tool: 'execute',
    command: 'echo one; echo two >&2',
    state: { kind: 'finished', ok: true, exit: { code: 0, signal: null } },
    output: 'one\ntwo\n',
    allowedBy: 'You allowed it once.',
  });
  expect(stage.said).toContain('one\ntwo');

  const again = stage.session.prompt('run: echo one; echo two >&2');
  const { id } = await stage.approval();
  expect(id).not.toBe(request.id);
  stage.session.answerApproval(id, { kind: 'deny' });
  await again;
  expect(stage.lastCall?.state).toEqual({ kind: 'denied', by: 'user', reason: 'The command was not run.' });
});

test('the words of a denial reach the agent and the transcript, and nothing runs', async () => {
  await using stage = await new Stage(programs).open({ writableFolders: () => [] });
  const turn = stage.session.prompt('run: touch /tmp/was-here');
  const { id } = await stage.approval();
  stage.session.answerApproval(id, { kind: 'deny', words: 'Use make instead.' });
  await turn;
  expect(stage.lastCall).toMatchObject({
    state: { kind: 'denied', by: 'user', reason: 'Use make instead.' },
    output: expect.not.stringContaining('[Cordon]') as string,
  });
  expect(stage.said).toContain('Use make instead.');
  expect(stage.ending).toBe('done');
});

test('allowed for the session means exactly that line, for as long as the session lives', async () => {
  await using stage = await new Stage(programs).open();
  const first = stage.session.prompt('run: echo same');
  stage.session.answerApproval((await stage.approval()).id, { kind: 'allowForSession' });
  await first;
  await stage.session.prompt('run: echo same');
  expect(stage.lastCall?.allowedBy).toBe('You allowed this command for the session.');
  const longer = stage.session.prompt('run: echo same; echo more');
  stage.session.answerApproval((await stage.approval()).id, { kind: 'deny' });
  await longer;
  expect(stage.lastCall?.state.kind).toBe('denied');
});

test('"always" is remembered as one of the proposed patterns and nothing else', async () => {
  await using stage = await new Stage(programs).open();
  const turn = stage.session.prompt('run: echo x');
  const { id } = await stage.approval();
  const answer = { kind: 'alwaysAllow', pattern: 'echo **', scope: 'workspace' } as const;
  expect(stage.session.answerApproval(id, { ...answer, pattern: '**' })).toBe(false);
  expect(stage.conversation.approvals).toHaveLength(1);
  expect(stage.session.answerApproval(id, answer)).toBe(true);
  await turn;
  expect([stage.remembered, stage.lastCall?.allowedBy]).toEqual([
    [['command', answer]],
    'You allowed it always, by the rule "echo **".',
  ]);
});

test('a rule that cannot be stored is said so and counts once', async () => {
  await using stage = await new Stage(programs).open({
    remember: () => Promise.reject(new Error('the settings are read-only')),
  });
  const turn = stage.session.prompt('run: echo x');
  stage.session.answerApproval((await stage.approval()).id, {
    kind: 'alwaysAllow',
    pattern: 'echo **',
    scope: 'user',
  });
  await turn;
  expect(stage.items('notice')).toMatchObject([{ level: 'warning', code: 'approval.notRemembered' }]);
  expect(stage.lastCall).toMatchObject({ output: 'x\n', allowedBy: 'You allowed it once.' });
});

test('what the policy allows runs unasked and says why; what it denies does not run and says why', async () => {
  let rules: CommandPolicy = {
    ...askingPolicy,
    decide: () => ({
      decision: 'allow',
      risk: 0,
      reasons: [{ code: 'rule.allow', message: 'The rule "echo **" allows it.', span: [0, 4] }],
    }),
  };
  await using stage = await new Stage(programs).open({ policy: () => rules });
  await stage.session.prompt('run: echo free');
  expect(stage.lastCall).toMatchObject({ output: 'free\n', allowedBy: 'The rule "echo **" allows it.' });
  rules = {
    ...askingPolicy,
    decide: () => ({
      decision: 'deny',
      risk: 100,
      reasons: [{ code: 'deny.root', message: 'It would remove everything.', span: [0, 4] }],
    }),
  };
  await stage.session.prompt('run: rm -rf /');
  expect(stage.lastCall?.state).toEqual({
    kind: 'denied',
    by: 'policy',
    reason: 'It would remove everything.',
  });
  expect(stage.said).toContain('It would remove everything.');
  expect(stage.events.filter(({ type }) => type === 'approval')).toEqual([]);
});

test('a policy that throws asks', async () => {
  await using stage = await new Stage(programs).open({
    policy: () => {
      throw new Error('settings.json is not JSON');
    },
  });
  const turn = stage.session.prompt('run: echo x');
  const request = await stage.approval();
  expect([request.subject, request.decision.reasons[0]?.message]).toMatchObject([
    { proposals: [] },
    'The rules could not be read (settings.json is not JSON), so you are asked.',
  ]);
  stage.session.answerApproval(request.id, { kind: 'deny' });
  await turn;
});

test('where nobody can be asked, what would be asked is denied with words on how to allow it', async () => {
  const unattended = {
    command: 'Use a rule.',
    write: 'Use --apply.',
    protectedWrite: 'Do it yourself.',
    host: (grant: string) => `Use --allow-domain ${grant}.`,
    folder: 'Name it with --workspace.',
  };
  await using stage = await new Stage(programs).open({ unattended });
  await stage.session.prompt('run: echo x');
  expect(stage.lastCall?.state).toEqual({
    kind: 'denied',
    by: 'policy',
    reason: 'No rule allows it. Use a rule.',
  });
  await stage.session.prompt('write: new.txt hello');
  expect(stage.lastCall?.state).toEqual({
    kind: 'denied',
    by: 'policy',
    reason: `Nothing in ${stage.workspace} may be changed in this run. Use --apply.`,
  });
  await stage.session.prompt('ask: May I?');
  expect(stage.events.filter(({ type }) => type === 'approval' || type === 'question')).toEqual([]);
  expect(stage.exists('new.txt')).toBe(false);
});
