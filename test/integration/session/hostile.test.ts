import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Programs } from '../../../src/session/session.ts';
import { buildAgent, buildPrograms, Stage, temporaryFolder } from './harness.ts';
import { agentPid } from './processes.ts';

let programs: Programs;
let hostile: Programs;
const built = temporaryFolder();

beforeAll(async () => {
  programs = await buildPrograms(built);
  hostile = { ...programs, agent: await buildAgent(built, 'test/integration/session/hostileAgent.ts') };
});
afterAll(() => rmSync(built, { recursive: true }));

const violations: Readonly<Record<string, RegExp>> = {
  garbage: /sent a line that is not JSON/,
  oversized: /sent a message that is too long/,
  batch: /sent something that is no protocol message/,
  unknownMethod: /asked for "_cordon\/grant_everything", which Cordon does not offer/,
  unknownNotification: /sent the unknown message "session\/approve"/,
  unknownUpdate: /sent a malformed message/,
  malformedUpdate: /sent a malformed message/,
  relativeWrite: /sent a malformed message \(path:/,
  endlessArguments: /sent a malformed message \(: The command is too long/,
  variables: /sent a malformed message \(env:/,
  permission: /asked for "session\/request_permission"/,
  manyCalls: /more than 2000 tool calls/,
  unknownEnding: /ended its turn in an unknown way/,
};

for (const [deed, words] of Object.entries(violations)) {
  test(`an agent that breaks the protocol is ended with a reason, and nothing was allowed: ${deed}`, async () => {
    await using stage = await new Stage(hostile).open({ writableFolders: () => [] });
    await stage.session.prompt(deed);
    expect([stage.ending, stage.items('notice').at(-1)]).toMatchObject([
      'failed',
      { level: 'error', code: 'agent.protocol', text: expect.stringMatching(words) as string },
    ]);
    expect(stage.events.filter(({ type }) => type === 'approval')).toEqual([]);
    await expect.poll(() => agentPid(), { timeout: 10_000 }).toBeUndefined();
    await stage.session.prompt('fine');
    expect(stage.ending).toBe('done');
  });
}

test('an agent that exits by itself is not waited for', async () => {
  await using stage = await new Stage(hostile).open();
  await stage.session.prompt('exit');
  expect([stage.ending, stage.items('notice')]).toMatchObject([
    'failed',
    [{ code: 'agent.died', text: expect.stringMatching(/status was 3/) as string }],
  ]);
});

test('an agent that does not listen to the stop is ended, and the user did not wait for it', async () => {
  await using stage = await new Stage(hostile).open();
  const turn = stage.session.prompt('deaf');
  await expect.poll(() => stage.said, { timeout: 40_000 }).toBe('I do not listen. ');
  const pid = agentPid();
  const stopping = stage.session.stop();
  await turn;
  expect([stage.ending, agentPid()]).toEqual(['stopped', pid]);
  await stopping;
  expect(agentPid()).toBeUndefined();
  await stage.session.prompt('fine');
  expect(stage.ending).toBe('done');
});

test('a flood of words does not stop the host, and all of it arrives', async () => {
  await using stage = await new Stage(hostile).open();
  let longest = 0;
  let last = Date.now();
  const beat = setInterval(() => {
    longest = Math.max(longest, Date.now() - last);
    last = Date.now();
  }, 5);
  await stage.session.prompt('flood');
  clearInterval(beat);
  expect([stage.said.length, stage.ending]).toEqual([400_000, 'done']);
  // 200,000 messages came; what is told of them is counted in tens a second.
  expect(stage.events.length).toBeLessThan(2_000);
  expect(longest).toBeLessThan(2_000);
});

test('an agent cannot rewrite what an earlier turn showed, nor claim a change that was not made', async () => {
  await using stage = await new Stage(hostile).open();
  await stage.session.prompt('claim');
  const [claimed] = stage.items('toolCall');
  await stage.session.prompt('rewrite');
  expect([stage.items('toolCall').length, stage.items('toolCall')[0], claimed?.diffs]).toEqual([
    2,
    claimed,
    [],
  ]);
});

test('a program that cannot prove the key gets no session', async () => {
  const impostor = path.join(built, 'impostor.cjs');
  writeFileSync(
    impostor,
    `process.stdin.once('data', () => console.log(JSON.stringify({ challenge: 'a'.repeat(64), proof: 'b'.repeat(64) })));`,
  );
  await using stage = await new Stage({ ...programs, agent: impostor }).open();
  await stage.session.prompt('say: hello');
  expect([stage.ending, stage.items('notice').at(-1)?.text]).toEqual([
    'failed',
    expect.stringMatching(/did not prove the key/) as string,
  ]);
  expect(stage.said).toBe('');
});

test('an agent that cannot start says why', async () => {
  const broken = path.join(built, 'broken.cjs');
  writeFileSync(broken, `throw new Error('no such module')`);
  await using stage = await new Stage({ ...programs, agent: broken }).open();
  await stage.session.prompt('say: hello');
  expect([stage.ending, stage.items('notice').at(-1)]).toMatchObject([
    'failed',
    { code: 'agent.died', text: expect.stringMatching(/no such module/) as string },
  ]);
});
