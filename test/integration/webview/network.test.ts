import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ApprovalRequest } from '../../../src/protocol/approval.ts';
import type { TranscriptItem } from '../../../src/protocol/transcript.ts';
import { conversation, domainRequest, refusedCall, stateMessage, user } from './conversations.ts';
import { servePanel, type PanelServer, type Preview } from './preview.ts';

let server: PanelServer;
beforeAll(async () => {
  server = await servePanel();
});
afterAll(() => server[Symbol.asyncDispose]());

async function panelWith(items: TranscriptItem[], approvals: ApprovalRequest[] = []): Promise<Preview> {
  const panel = await server.open();
  const status = approvals.length === 0 ? 'idle' : 'running';
  await panel.send(stateMessage({ conversation: conversation({ items, status, approvals }) }));
  return panel;
}

const sent = async (panel: Preview) => (await panel.posted()).filter(message => message.type !== 'ready');
const card = (panel: Preview) => panel.page.getByRole('group', { name: 'Approval request' });

test('a host is asked for by its name, with the command that waits, and four answers in order', async () => {
  await using panel = await panelWith([user('u', 'Go')], [domainRequest('docs.example.com', 443)]);
  const text = await card(panel).innerText();
  expect(text).toContain('Reach this host?');
  expect(await card(panel).locator('.host').innerText()).toBe('docs.example.com');
  expect(await card(panel).locator('.command').innerText()).toBe('npm ci');
  expect(text).toContain('could send to docs.example.com');
  expect(await card(panel).locator('vscode-button').allInnerTexts()).toEqual([
    'Deny',
    'Allow once',
    'Allow for this session',
    'Always allow…',
  ]);
  await card(panel).getByRole('button', { name: 'Allow for this session', exact: true }).click();
  expect(await sent(panel)).toEqual([
    { type: 'answerApproval', id: 'domain-docs.example.com', answer: { kind: 'allowForSession' } },
  ]);
});

test.each([
  ['an unusual port', domainRequest('docs.example.com', 8443), 'docs.example.com port 8443'],
  ['no encryption', domainRequest('docs.example.com', 80), 'docs.example.com port 80, not encrypted'],
  ['letters that imitate others', domainRequest('xn--pple-43d.com', 443), 'xn--pple-43d.com'],
  ['what would not be seen', domainRequest('a\u200Bb.example.com', 443), 'a⟨U+200B⟩b.example.com'],
])('%s shows in the host', async (_, request, shown) => {
  await using panel = await panelWith([user('u', 'Go')], [request]);
  expect(await card(panel).locator('.host').innerText()).toBe(shown);
});

test('a host of high risk takes two presses to allow', async () => {
  await using panel = await panelWith([user('u', 'Go')], [domainRequest('xn--pple-43d.com', 443, null, 75)]);
  expect(await card(panel).innerText()).toContain('for a command of this conversation');
  await card(panel).getByRole('button', { name: 'Allow once', exact: true }).click();
  expect(await sent(panel)).toEqual([]);
  await card(panel).getByRole('button', { name: 'Confirm: allow once', exact: true }).click();
  expect(await sent(panel)).toMatchObject([{ answer: { kind: 'allowOnce' } }]);
});

test('what the walls refused stands under the call, with a button for what can be lifted and no other', async () => {
  await using panel = await panelWith([user('u', 'Build it'), refusedCall]);
  const denials = panel.page.getByRole('list', { name: 'Refused by the walls' });
  expect(await denials.getByRole('listitem').allInnerTexts()).toHaveLength(6);
  expect(await denials.locator('vscode-button').allInnerTexts()).toEqual([
    'Allow docs.example.com…',
    'Show this file to commands…',
    'Open this setting',
  ]);
  expect(await denials.innerText()).toContain('Allowed for this session now.');
  // As everywhere, paths are shown without the folder that is open.
  expect(await denials.innerText()).toContain('\n.env is hidden');
  for (const name of ['Allow docs.example.com…', 'Show this file to commands…', 'Open this setting'])
    await denials.getByRole('button', { name, exact: true }).click();
  // Which one, and nothing of what it allows.
  expect(await sent(panel)).toEqual([
    { type: 'cureDenial', toolCallId: 'refused', denial: 0 },
    { type: 'cureDenial', toolCallId: 'refused', denial: 3 },
    { type: 'cureDenial', toolCallId: 'refused', denial: 4 },
  ]);
});

test('an opened call tells which hosts it reached, and how much went there and back', async () => {
  await using panel = await panelWith([user('u', 'Build it'), refusedCall]);
  await panel.page.getByRole('button', { name: /make release/ }).click();
  const reached = panel.page.getByRole('list', { name: 'Reached over the network' });
  const rows = await reached.getByRole('listitem').allInnerTexts();
  expect(rows.map(each => each.trim())).toEqual([
    'registry.npmjs.org 12 connections, 8.4 kB sent, 2.3 MB received',
    'git.example.com:8443 120 B sent, 0 B received',
  ]);
});
