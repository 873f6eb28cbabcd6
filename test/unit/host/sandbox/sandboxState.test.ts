import { expect, test } from 'vitest';
import { SandboxState } from '../../../../src/host/sandbox/sandboxState.ts';
import type { Sandbox } from '../../../../sandbox/sandbox.ts';
import type { SelfTestReport } from '../../../../sandbox/selfTest.ts';

const walls: Sandbox = {
  launch: () => Promise.reject(new Error('nothing is launched here')),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

function stateWith(report: SelfTestReport): SandboxState {
  return new SandboxState({
    check: () => Promise.resolve({ kind: 'ready' }),
    selfTest: () => Promise.resolve(report),
  });
}

test('what has no meaning on a system is shown as not tried, and counts as nothing', async () => {
  const state = stateWith({
    probes: ['write outside', 'read a file'].map(name => ({ name, ok: true, detail: 'refused' })),
    absent: [{ name: 'create a user namespace', why: 'macOS has none' }],
  });
  await state.prove(walls);
  expect(state.badge).toMatchObject({
    state: 'holding',
    detail: '2 attempts to get out were stopped.',
  });
  expect(state.report()).toContain('| create a user namespace | not tried | macOS has none |');
});

test('walls of which nothing could be tried are not proven', async () => {
  const state = stateWith({ probes: [], absent: [{ name: 'anything', why: 'there is nothing' }] });
  await expect(state.prove(walls)).rejects.toMatchObject({ code: 'sandbox.selfTestFailed' });
  expect(state.badge.state).toBe('failed');
});

test('one attempt that came through is a red badge, and nothing runs', async () => {
  const state = stateWith({
    probes: [
      { name: 'write outside', ok: true, detail: 'refused' },
      { name: 'list the home folder', ok: false, detail: 'listed it' },
    ],
  });
  await expect(state.prove(walls)).rejects.toThrow('list the home folder: listed it');
  expect([state.badge.state, state.problem?.code]).toEqual(['failed', 'sandbox.selfTestFailed']);
});
