import { expect, test } from 'vitest';
import { gateOf } from '../../../src/panel/gate.ts';

const open = {
  folders: [{ scheme: 'file' }],
  isTrusted: true,
  hasModel: true,
  isStopped: false,
  sandboxProblem: undefined,
};
const problem = { code: 'sandbox.missing', message: 'No Bubblewrap.', remedy: 'apt install bubblewrap' };

test.each([
  ['everything is there', open, 'open'],
  ['no folder is open', { ...open, folders: [] }, 'noFolder'],
  [
    'one folder is not of a real file system',
    { ...open, folders: [{ scheme: 'file' }, { scheme: 'vscode-vfs' }] },
    'virtualWorkspace',
  ],
  ['the workspace is not trusted', { ...open, isTrusted: false }, 'untrusted'],
  ['no sandbox can be had', { ...open, sandboxProblem: problem }, 'blocked'],
  ['everything was stopped', { ...open, isStopped: true, sandboxProblem: problem }, 'stopped'],
  ['no model was chosen', { ...open, hasModel: false }, 'chooseModel'],
  [
    'untrusted comes before everything that reads the workspace',
    { ...open, isTrusted: false, sandboxProblem: problem, hasModel: false },
    'untrusted',
  ],
  [
    'a missing sandbox comes before the choice of a model',
    { ...open, sandboxProblem: problem, hasModel: false },
    'blocked',
  ],
] as const)('when %s', (_, facts, kind) => {
  expect(gateOf(facts).kind).toBe(kind);
});

test('the demonstration model is offered last and labelled as what it is', () => {
  const gate = gateOf({ ...open, hasModel: false });
  expect(gate.kind === 'chooseModel' && gate.choices.at(-1)).toMatchObject({
    provider: 'demo',
    label: 'Demo (scripted, no model)',
  });
});
