import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CommandPolicy } from '../../../src/policy/policy.ts';
import type { Programs } from '../../../src/session/session.ts';
import { buildPrograms, Stage, temporaryFolder } from './harness.ts';
import { descendants } from './processes.ts';

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

/** Processes of the session whose command line holds this word. */
function running(word: string): number {
  return descendants().filter(
    ({ argv }) => argv.some(each => each.includes(word)) && !argv[0]?.includes('bwrap'),
  ).length;
}

test('what is printed on both streams keeps its order, and characters cut by a pipe stay whole', async () => {
  await using stage = await new Stage(programs).open({ policy: () => willing });
  await stage.session.prompt(
    "run: for i in 1 2 3; do echo out$i; echo err$i >&2; done; printf 'Gr\\303'; sleep 0.2; printf '\\274\\303\\237e\\n'",
  );
  expect(stage.lastCall?.output).toBe('out1\nerr1\nout2\nerr2\nout3\nerr3\nGrüße\n');
});

test('the exit status is told as it is, and a signal by its name', async () => {
  await using stage = await new Stage(programs).open({ policy: () => willing });
  await stage.session.prompt('run: exit 42');
  expect(stage.lastCall?.state).toMatchObject({
    kind: 'finished',
    ok: false,
    exit: { code: 42, signal: null },
  });
  await stage.session.prompt('run: kill -TERM $$');
  expect(stage.lastCall?.state).toMatchObject({ kind: 'finished', ok: false });
  expect(stage.said).toMatch(/143|SIGTERM/);
});

test("a command sees neither the real home, nor other folders, nor a network, nor the host's processes", async () => {
  await using stage = await new Stage(programs).open({ policy: () => willing });
  await stage.session.prompt(
    'run: ls -A ~ | wc -l; ls /root /home 2>&1 | grep -v : | wc -l; (echo > /dev/tcp/127.0.0.1/22) 2>&1 | wc -l; ps -e 2>/dev/null | wc -l; env | grep -ci "key\\|token\\|secret"',
  );
  const [, , refused, processes, secrets] = (stage.lastCall?.output ?? '').trim().split('\n').map(Number);
  expect([refused === 0, (processes ?? 99) < 15, secrets]).toEqual([false, true, 0]);
});

test('a command in the background lives on between turns and ends with the session', async () => {
  const stage = await new Stage(programs).open({ policy: () => willing });
  await stage.session.prompt('start: echo ready; sleep 98761');
  expect(stage.lastCall).toMatchObject({ background: true, state: { kind: 'running' }, output: 'ready\n' });
  await stage.session.prompt('say: meanwhile');
  const [call] = stage.items('toolCall');
  expect([call?.state.kind, running('98761') > 0]).toEqual(['running', true]);
  await stage.session[Symbol.asyncDispose]();
  expect([running('98761'), stage.items('toolCall')[0]?.state.kind]).toEqual([0, 'finished']);
  await stage[Symbol.asyncDispose]();
});

test('the agent can stop a background command and read what it printed', async () => {
  await using stage = await new Stage(programs).open({ policy: () => willing });
  await stage.session.prompt('start: echo ready; sleep 98762');
  await stage.session.prompt('tool: command_output {"id":"1"}');
  await stage.session.prompt('tool: stop_command {"id":"1"}');
  expect(running('98762')).toBe(0);
  const state = stage.items('toolCall')[0]?.state;
  expect(state).toMatchObject({ kind: 'finished', ok: false });
});

test('a command that takes longer than it may is ended', async () => {
  await using stage = await new Stage(programs).open({ policy: () => willing });
  await stage.session.prompt('tool: run_command {"command":"echo begun; sleep 98763","timeout_seconds":1}');
  expect(stage.lastCall).toMatchObject({ output: 'begun\n', state: { kind: 'finished', ok: false } });
  expect([running('98763'), stage.said]).toEqual([
    0,
    expect.stringMatching(/did not end within 1 second/) as string,
  ]);
});

test('output without end is kept from its end, and the host stays at hand', async () => {
  await using stage = await new Stage(programs).open({ policy: () => willing });
  let longest = 0;
  let last = Date.now();
  const beat = setInterval(() => {
    longest = Math.max(longest, Date.now() - last);
    last = Date.now();
  }, 10);
  await stage.session.prompt('tool: run_command {"command":"yes | head -c 30000000; echo the end"}');
  clearInterval(beat);
  expect(stage.lastCall?.output).toMatch(/^[y\n]+the end\n$/);
  expect(stage.lastCall?.output).toHaveLength(100_000);
  // Generous: what is shown here is that nothing stood still for the whole time.
  expect(longest).toBeLessThan(2_000);
});

test('a folder outside the workspace is no place for a command', async () => {
  await using stage = await new Stage(programs).open({ policy: () => willing });
  await stage.session.prompt('tool: run_command {"command":"ls","cwd":"/etc"}');
  await stage.session.prompt('tool: run_command {"command":"ls","cwd":"../.."}');
  expect(stage.items('toolCall').filter(({ state }) => state.kind === 'finished' && state.ok)).toEqual([]);
});
