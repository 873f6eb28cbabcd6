import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { demoBackend } from '../../../src/gateway/demo/demoBackend.ts';
import type { ModelBackend } from '../../../src/gateway/gateway.ts';
import type { CommandPolicy } from '../../../src/policy/policy.ts';
import type { Programs } from '../../../src/session/session.ts';
import { buildPrograms, Stage, temporaryFolder } from './harness.ts';
import { agentPid, descendants } from './processes.ts';

let programs: Programs;
const built = temporaryFolder();
beforeAll(async () => void (programs = await buildPrograms(built)));
afterAll(() => rmSync(built, { recursive: true }));

const willing: CommandPolicy = {
  decide: () => ({
    decision: 'allow',
    risk: 0,
    reasons: [{ code: 'rule.allow', message: 'Allowed.', span: [0, 1] }],
  }),
  propose: () => [],
};

test('a turn streams, and its events sum up to the conversation', async () => {
  await using stage = await new Stage(programs).open();
  await stage.session.prompt('say: # Hello\n\nworld');
  expect(stage.events.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['item', 'title', 'status', 'usage']) as unknown,
  );
  expect(stage.conversation).toMatchObject({
    title: 'say: # Hello',
    status: 'idle',
    items: [
      { kind: 'user', text: 'say: # Hello\n\nworld' },
      { kind: 'assistant', text: '# Hello\n\nworld', state: 'complete' },
      { kind: 'turnEnd', reason: 'done' },
    ],
    usage: { requests: 1 },
  });
});

test('stopping ends a slow answer at once, and the next message is answered', async () => {
  await using stage = await new Stage(programs).open();
  const turn = stage.session.prompt('slow');
  await expect.poll(() => stage.said.length, { timeout: 40_000 }).toBeGreaterThan(20);
  const before = Date.now();
  await stage.session.stop();
  await turn;
  expect(Date.now() - before).toBeLessThan(3_000);
  expect([stage.ending, stage.items('assistant').at(-1)?.state, stage.conversation.status]).toEqual([
    'stopped',
    'cut',
    'idle',
  ]);
  const length = stage.said.length;
  await stage.session.prompt('say: and on');
  expect([stage.items('assistant')[0]?.text.length, stage.said, stage.ending]).toEqual([
    length,
    'and on',
    'done',
  ]);
});

test('stopping while the user is asked counts as no', async () => {
  await using stage = await new Stage(programs).open();
  const turn = stage.session.prompt('run: touch stopped.txt');
  const { id } = await stage.approval();
  await stage.session.stop();
  await turn;
  expect(stage.events).toContainEqual({ type: 'approvalSettled', id, answer: null });
  expect([
    stage.session.answerApproval(id, { kind: 'allowOnce' }),
    stage.lastCall?.state,
    stage.conversation.approvals,
  ]).toEqual([false, { kind: 'cancelled' }, []]);
});

test('stopping ends the command that runs', async () => {
  await using stage = await new Stage(programs).open({ policy: () => willing });
  const turn = stage.session.prompt('run: echo begun; sleep 98770');
  await expect.poll(() => stage.lastCall?.output, { timeout: 40_000 }).toBe('begun\n');
  await stage.session.stop();
  await turn;
  expect([stage.lastCall?.state, stage.ending]).toEqual([{ kind: 'cancelled' }, 'stopped']);
  expect(descendants().filter(({ argv }) => argv.some(word => word.includes('98770')))).toEqual([]);
});

test('a turn that works longer than it may is ended with all that it runs, and says so', async () => {
  const limits = { maxRequests: 60, contextTokens: 150_000, turnTime: 3_000 };
  await using stage = await new Stage(programs).open({ policy: () => willing, limits });
  // However long the agent takes to come up: that is work as well.
  await stage.session.prompt('run: sleep 98777');
  expect([stage.ending, stage.items('notice')]).toMatchObject([
    'limit',
    [
      {
        level: 'warning',
        code: 'turn.timeLimit',
        text: 'The turn was stopped after 3 seconds of work. Send a message to go on.',
      },
    ],
  ]);
  await vi.waitFor(() => expect(descendants().some(({ argv }) => argv.includes('98777'))).toBe(false));
  limits.turnTime = 60 * 60 * 1_000;
  await stage.session.prompt('say: and on');
  expect([stage.said, stage.ending, stage.items('notice').length]).toEqual(['and on', 'done', 1]);
});

test('an agent that takes longer to come up than a turn may is no stop of the user’s', async () => {
  const limits = { maxRequests: 60, contextTokens: 150_000, turnTime: 1 };
  await using stage = await new Stage(programs).open({ limits });
  await stage.session.prompt('say: too late');
  expect([stage.ending, stage.items('notice').map(({ code }) => code)]).toEqual([
    'limit',
    ['turn.timeLimit'],
  ]);
  expect(agentPid()).toBeUndefined();
});

test('a turn can be stopped at any moment, and the next one works', async () => {
  await using stage = await new Stage(programs).open({ policy: () => willing });
  for (const delay of [0, 1, 5, 10, 20, 30, 50, 80, 120]) {
    const turn = stage.session.prompt('run: echo working; sleep 0.05; echo done');
    await new Promise(resolve => setTimeout(resolve, delay));
    await stage.session.stop();
    await turn;
    await stage.session.prompt(`say: still here after ${delay} ms`);
    expect([stage.ending, stage.said]).toEqual(['done', `still here after ${delay} ms`]);
  }
  expect(stage.items('notice')).toEqual([]);
});

test('an agent killed in the middle of a turn is said so, and a fresh one goes on with the conversation', async () => {
  const demo = demoBackend({ pace: 0 });
  const asked: string[] = [];
  const backend: ModelBackend = {
    ...demo,
    respond: (request, signal) => {
      asked.push(JSON.stringify(request.body['messages']));
      return demo.respond(request, signal);
    },
  };
  await using stage = await new Stage(programs).open({ backend, policy: () => willing });
  await stage.session.prompt('run: echo heron');
  const turn = stage.session.prompt('slow');
  await expect.poll(() => stage.said.length, { timeout: 40_000 }).toBeGreaterThan(20);
  process.kill(agentPid() ?? 0, 'SIGKILL');
  await turn;
  expect([stage.ending, stage.items('assistant').at(-1)?.state, stage.items('notice')]).toMatchObject([
    'failed',
    'cut',
    [{ level: 'error', code: 'agent.died', text: expect.stringMatching(/SIGKILL|status was 137/) as string }],
  ]);
  await stage.session.prompt('say: back again');
  expect([stage.said, stage.ending]).toEqual(['back again', 'done']);
  // The fresh agent knows what was said and done, the turn that broke off included.
  expect(asked.at(-1)).toMatch(
    /run: echo heron.*\[Ran: echo heron \(exit status 0\)\].*slow.*cut short.*say: back again/,
  );
});

test('an agent killed while the user is asked takes its question with it', async () => {
  await using stage = await new Stage(programs).open();
  const turn = stage.session.prompt('run: touch x');
  const { id } = await stage.approval();
  process.kill(agentPid() ?? 0, 'SIGKILL');
  await turn;
  expect(stage.events).toContainEqual({ type: 'approvalSettled', id, answer: null });
  expect([stage.ending, stage.lastCall?.state.kind]).toEqual(['failed', 'cancelled']);
});

test('a conversation is taken up again where it was', async () => {
  await using first = await new Stage(programs).open();
  await first.session.prompt('say: one');
  const resume = first.conversation;
  await using second = await new Stage(programs).open({ resume });
  expect(second.conversation.items).toEqual(resume.items);
  await second.session.prompt('say: two');
  expect(second.conversation).toMatchObject({ title: 'say: one', usage: { requests: 2 } });
  expect(second.items('user').map(({ text }) => text)).toEqual(['say: one', 'say: two']);
  // A title is given once.
  expect(second.events.filter(({ type }) => type === 'title')).toEqual([]);
});

test('a question of the agent waits for words', async () => {
  await using stage = await new Stage(programs).open();
  const turn = stage.session.prompt('ask: Which one? | the red one | the blue one');
  await expect.poll(() => stage.conversation.questions.length, { timeout: 40_000 }).toBe(1);
  const [question] = stage.conversation.questions;
  expect(question).toMatchObject({ question: 'Which one?', options: ['the red one', 'the blue one'] });
  expect(stage.session.answerQuestion(question?.id ?? '', 'the blue one')).toBe(true);
  expect(stage.session.answerQuestion(question?.id ?? '', 'the red one')).toBe(false);
  await turn;
  expect([stage.said, stage.conversation.questions]).toEqual([expect.stringContaining('the blue one'), []]);
});

test('a plan is one entry that is rewritten', async () => {
  await using stage = await new Stage(programs).open();
  await stage.session.prompt('plan: look; mend; test');
  expect(stage.items('plan')).toMatchObject([
    { entries: [{ content: 'look', status: 'in_progress' }, { content: 'mend' }, { content: 'test' }] },
  ]);
});

test('a tool that does not exist is a failed call, not a failed turn', async () => {
  await using stage = await new Stage(programs).open();
  await stage.session.prompt('tool: launch_rocket {"now":true}');
  expect([stage.lastCall?.state, stage.ending]).toMatchObject([{ kind: 'finished', ok: false }, 'done']);
});

test('one turn at a time, and none after the end', async () => {
  await using stage = await new Stage(programs).open();
  const turn = stage.session.prompt('slow');
  await expect(stage.session.prompt('say: me too')).rejects.toMatchObject({ code: 'session.busy' });
  await stage.session.stop();
  await turn;
  await stage.session[Symbol.asyncDispose]();
  await expect(stage.session.prompt('say: hello?')).rejects.toMatchObject({ code: 'session.over' });
  expect(agentPid()).toBeUndefined();
});

test('without a sandbox nothing runs, and the turn says why', async () => {
  await using stage = await new Stage(programs).open();
  await stage.sandbox[Symbol.asyncDispose]();
  await stage.session.prompt('say: hello');
  expect([stage.ending, stage.items('notice')]).toMatchObject([
    'failed',
    [{ level: 'error', code: expect.stringMatching(/^sandbox\./) as string }],
  ]);
});
