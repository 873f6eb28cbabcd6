import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat } from './chat.ts';
import type { WorkbenchWindow } from './window.ts';
import { demoChosen, Workbench } from './workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await Workbench.start({ settings: { ...demoChosen, 'cordon.approvals.ask': 'contained' } });
});
afterAll(() => workbench[Symbol.asyncDispose]());

async function openTrusted(name: string): Promise<{ window: WorkbenchWindow; chat: Chat }> {
  const window = await workbench.open(await workbench.sample(name));
  await window.answerTrust(true);
  return { window, chat: new Chat(await window.panel()) };
}

async function say(chat: Chat, text: string): Promise<void> {
  await chat.send(text);
  await chat.idle();
}

test('going back to before a message brings files and conversation back, and can be undone', async () => {
  const { window, chat } = await openTrusted('go-back');
  await say(chat, 'run: echo first > notes.txt');
  await say(chat, 'run: echo second > notes.txt; echo more > more.txt');
  const messages = chat.frame.locator('.user-text');

  await messages.nth(1).hover();
  await window.screenshot('go-back-buttons');
  await chat.message(1, 'Go back to before this message').click();
  await window.quickInput.waitFor();
  await window.screenshot('go-back-choice');
  await window.pick('Files and conversation');
  await window.dialog.waitFor();
  await window.screenshot('go-back-confirm');
  await window.dialog.getByRole('button', { name: 'Go Back', exact: true }).click();

  await expect.poll(() => messages.allInnerTexts()).toEqual(['run: echo first > notes.txt']);
  await expect
    .poll(() => chat.prompt.inputValue())
    .toBe('run: echo second > notes.txt; echo more > more.txt');
  const notice = window.notification('Went back to before');
  await notice.waitFor();
  await window.screenshot('went-back');
  await notice.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect.poll(() => messages.count()).toBe(2);
  await chat.frame.locator('.notice').filter({ hasText: 'Going back was undone.' }).waitFor();

  await window.command('Cordon: Go Back to a Checkpoint…');
  await window.screenshot('go-back-list');
  await window.pick('run: echo second > notes.txt; echo more > more.txt');
  await window.pick('Files and conversation');
  await window.dialog.getByRole('button', { name: 'Go Back', exact: true }).click();
  await expect.poll(() => messages.count()).toBe(1);
  await chat.prompt.fill('');
  await say(chat, 'run: cat notes.txt; ls');
  expect(await chat.lastAnswer()).toContain('first');
  expect(await chat.lastAnswer()).not.toContain('more.txt');
  expect(window.errors()).toEqual([]);
});

test('a conversation is forked from a message, with the files of then, and each goes its own way', async () => {
  const { window, chat } = await openTrusted('fork');
  await say(chat, 'run: echo first > notes.txt');
  await say(chat, 'run: echo second > notes.txt');
  await chat.message(1, 'Fork the conversation from here').focus();
  await window.page.keyboard.press('Enter');
  await chat.frame.getByRole('heading', { name: /\(fork\)$/ }).waitFor();
  await window.screenshot('forked');
  expect(await chat.frame.locator('.user-text').allInnerTexts()).toEqual(['run: echo first > notes.txt']);
  await chat.prompt.fill('');
  await say(chat, 'run: cat notes.txt; echo third > notes.txt');
  expect(await chat.lastAnswer()).toContain('first');

  await chat.button('History').click();
  await chat.frame.locator('.history-open').filter({ hasNotText: '(fork)' }).first().click();
  await say(chat, 'run: cat notes.txt');
  expect(await chat.lastAnswer()).toContain('second');
  expect(window.errors()).toEqual([]);
});

test('while the agent works there is no going back, and it says so', async () => {
  const { window, chat } = await openTrusted('busy');
  await chat.send('slow');
  await chat.button('Stop').waitFor();
  await chat.message(0, 'Go back to before this message').click();
  await window.notification('The agent is at work in this conversation.').waitFor();
  expect(await chat.frame.locator('.user-text').count()).toBe(1);
  await chat.button('Stop').click();
  await chat.idle();
});

test('a conversation whose changes were not taken over is deleted only when that is said again', async () => {
  const { window, chat } = await openTrusted('delete');
  await say(chat, 'run: echo first > notes.txt');
  await chat.button('History').click();
  const row = chat.frame.locator('.history-open').first();
  const remove = async () => {
    await row.focus();
    await window.page.keyboard.press('Delete');
    await chat.button('Delete').click();
    await window.dialog.waitFor();
  };
  await remove();
  expect(await window.dialog.innerText()).toContain('holds 1 change that you have not taken over');
  await window.screenshot('delete-changes');
  await window.dialog.getByRole('button', { name: 'Cancel', exact: true }).click();
  await row.waitFor();
  await remove();
  await window.dialog.getByRole('button', { name: 'Delete All of It', exact: true }).click();
  await chat.frame.getByText('No conversations yet.').waitFor();
});
