import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat } from './chat.ts';
import { demoChosen, Workbench } from './workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await Workbench.start({ settings: { ...demoChosen, 'cordon.approvals.surface': 'panel' } });
});
afterAll(() => workbench[Symbol.asyncDispose]());

test('rules that a repository brings count for nothing until they are accepted as a diff', async () => {
  const folder = await workbench.sample('brought-rules');
  mkdirSync(path.join(folder, '.vscode'), { recursive: true });
  writeFileSync(
    path.join(folder, '.vscode/settings.json'),
    JSON.stringify({ 'cordon.commands.rules': { 'npm test': 'allow' } }),
  );
  const window = await workbench.open(folder);
  await window.answerTrust(true);
  const chat = new Chat(await window.panel());
  const question = window.notification('would change 1 command rule');
  await question.getByRole('button', { name: 'Review…' }).click();
  const diff = window.page.locator('.monaco-diff-editor .editor.modified .view-lines');
  await diff.filter({ hasText: 'npm' }).waitFor();
  await window.screenshot('rules-diff');
  await window.quickInput.waitFor();
  await window.page.keyboard.press('Escape');
  await chat.send('run: npm test');
  await chat.card.waitFor();
  await chat.answer('Deny');
  await chat.idle();

  await window.command('Cordon: Manage Command Rules');
  await window.pick('Review the rules of the workspace settings…');
  await window.pick('Accept these rules');
  await window.page.keyboard.press('Escape');
  await chat.send('run: npm test');
  await chat.idle();
  expect(await chat.lastAnswer()).toContain('dashes do not repeat');
  expect(await chat.card.count()).toBe(0);
});

test('a rule is added, tested and seen without touching JSON', async () => {
  const folder = await workbench.sample('rule-editor');
  const window = await workbench.open(folder);
  await window.answerTrust(true);
  await window.panel();
  await window.command('Cordon: Manage Command Rules');
  await window.pick('Add a rule…');
  await window.type('git push **');
  await window.page.keyboard.press('Enter');
  await window.pick('deny');
  await window.pick('workspace settings');
  await expect.poll(() => settingsOf(folder), { timeout: 20_000 }).toContain('"git push **": "deny"');
  await window.quickInput.getByText('git push **').waitFor();
  await window.screenshot('rule-editor');

  await window.pick('Test a command against the rules…');
  await window.type('git push origin main');
  await window.page.keyboard.press('Enter');
  await window.quickInput.getByText('Denied', { exact: true }).waitFor();
  await window.screenshot('rule-tested');
});

test('leaving the sandbox is confirmed for the conversation, and refusing keeps the walls', async () => {
  const folder = await workbench.sample('unrestricted');
  const window = await workbench.open(folder);
  await window.answerTrust(true);
  const chat = new Chat(await window.panel());
  await window.command('Cordon: Choose Mode');
  await window.pick('Unrestricted');
  await chat.button('Mode: Unrestricted').waitFor();
  await ask(chat);
  await window.dialog.getByText('without a sandbox?').waitFor();
  await window.screenshot('unrestricted-question');
  await window.dialog.getByRole('button', { name: 'Cancel' }).click();
  await chat.card.waitFor();
  await chat.answer('Allow once');
  await chat.idle();
  const outside = readlinkSync('/proc/self/ns/net');
  expect(await chat.lastAnswer()).not.toContain(outside);

  await chat.button('New conversation').click();
  await ask(chat);
  await window.dialog.getByRole('button', { name: 'Run without the sandbox' }).click();
  await chat.card.waitFor();
  await window.screenshot('unrestricted-running');
  await chat.answer('Allow once');
  await chat.idle();
  expect(await chat.lastAnswer()).toContain(outside);
});

const readNetwork = 'run: readlink /proc/self/ns/net';

/** Sends without waiting for the prompt to stand there: the question comes first. */
async function ask(chat: Chat): Promise<void> {
  await chat.prompt.fill(readNetwork);
  await chat.button('Send').click();
}

function settingsOf(folder: string): string {
  const file = path.join(folder, '.vscode/settings.json');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
