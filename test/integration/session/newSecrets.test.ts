import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { CommandPolicy } from '../../../src/policy/policy.ts';
import type { Programs } from '../../../src/session/session.ts';
import { buildPrograms, Stage, temporaryFolder } from './harness.ts';

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

/** Asks for .env over and over, and prints what it is told where that is something else than before. */
const asking =
  'before=; while :; do now=missing; if read -r line < .env; then now="got $line"; elif [ -e .env ]; then now=there; fi; ' +
  'if [ "$now" != "$before" ]; then echo "$now"; before=$now; fi; done 2> /dev/null';

/** A conversation with a command in the background that asks for .env. */
async function watched(stage: Stage, first = ''): Promise<() => string | undefined> {
  await stage.openOverlaid({ policy: () => willing });
  await stage.session.prompt(`start: ${first}${asking}`);
  const output = () => stage.items('toolCall')[0]?.output;
  await vi.waitFor(() => expect(output()).toMatch(/missing|got/), { timeout: 20_000 });
  return output;
}

test.each(['accept', 'discard', 'undo'] as const)(
  'a secret file that the user makes is not shown to a command in the background when the user chooses to %s',
  async what => {
    await using stage = new Stage(programs);
    const output = await watched(stage);
    await stage.session.prompt('run: echo one > made.txt; echo two > dropped.txt');
    const { changes } = stage.copy;
    const change = (path: string) => [{ folder: stage.workspace, path }];
    const accepted = await changes.accept(change('made.txt'));
    if (accepted.kind !== 'accepted') throw new Error('It was not accepted.');
    stage.write('.env', 'TOKEN=1\n');
    if (what === 'undo') await changes.undo(accepted.batches);
    else await changes[what](change('dropped.txt'));
    await vi.waitUntil(() => output()?.endsWith('there\n'), { timeout: 20_000 });
    expect(output()).toBe('missing\nthere\n');
  },
);

test('the user’s own file is not shown when what a command made in its place is discarded', async () => {
  await using stage = new Stage(programs);
  const output = await watched(stage, 'echo mine > .env; ');
  stage.write('.env', 'TOKEN=1\n');
  await stage.copy.changes.discard([{ folder: stage.workspace, path: '.env' }]);
  await vi.waitFor(() => expect(output()).toBe('got mine\nthere\n'), { timeout: 20_000 });
  // Nor to what comes after it.
  await stage.session.prompt('run: cat .env');
  expect(stage.lastCall?.output).toContain('Permission denied');
});

test('the agent itself is not shown a secret file that it asked for before there was one', async () => {
  await using stage = await new Stage(programs).openOverlaid({ policy: () => willing });
  await stage.session.prompt('read: .env');
  stage.write('.env', 'TOKEN=1\n');
  const turn = stage.session.prompt('read: .env');
  // It is hidden, so it is asked about.
  const { id, subject } = await stage.approval();
  expect(subject).toMatchObject({ kind: 'secret' });
  stage.session.answerApproval(id, { kind: 'deny' });
  await turn;
  expect(JSON.stringify(stage.conversation)).not.toContain('TOKEN=1');
  expect(stage.lastCall?.state).toMatchObject({ kind: 'denied' });
});
