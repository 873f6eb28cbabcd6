import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ApprovalRequest } from '../../../src/protocol/approval.ts';
import { conversation, stateMessage, user } from './conversations.ts';
import { servePanel, type PanelServer } from './preview.ts';

let server: PanelServer;
beforeAll(async () => {
  server = await servePanel();
});
afterAll(() => server[Symbol.asyncDispose]());

const request: ApprovalRequest = {
  id: 'secret',
  conversationId: 'c1',
  toolCallId: 'call',
  at: 0,
  subject: { kind: 'secret', path: '/home/ann/my project/.env' },
  decision: {
    decision: 'ask',
    risk: 90,
    reasons: [
      {
        code: 'secret.read',
        message: '.env looks like a secret. What it holds goes to the model.',
        span: [0, 0],
      },
    ],
  },
};

test('a hidden file is named whole and flagged as a high risk, and allowing it takes two presses and is never for good', async () => {
  await using panel = await server.open();
  const items = [user('u', 'Go')];
  await panel.send(
    stateMessage({ conversation: conversation({ items, status: 'running', approvals: [request] }) }),
  );
  const card = panel.page.getByRole('group', { name: 'Approval request' });
  const text = await card.innerText();
  for (const words of ['Let Cordon read this secret?', 'High risk', 'What it holds goes to the model.'])
    expect(text).toContain(words);
  expect(await card.locator('.command').innerText()).toBe('/home/ann/my project/.env');
  expect(await card.locator('vscode-button').allInnerTexts()).toEqual([
    'Deny',
    'Allow once',
    'Allow for this session',
  ]);
  const sent = async () => (await panel.posted()).filter(message => message.type !== 'ready');
  await card.getByRole('button', { name: 'Allow for this session', exact: true }).click();
  expect(await sent()).toEqual([]);
  await card.getByRole('button', { name: 'Confirm: allow for this session', exact: true }).click();
  await expect
    .poll(sent)
    .toEqual([{ type: 'answerApproval', id: 'secret', answer: { kind: 'allowForSession' } }]);
});
