import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat } from './chat.ts';
import type { WorkbenchWindow } from './window.ts';
import { demoChosen, Workbench } from './workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await Workbench.start({ settings: { ...demoChosen, 'cordon.approvals.surface': 'panel' } });
});
afterAll(() => workbench[Symbol.asyncDispose]());

test('a task from the panel to a result: the failing test is fixed, each step approved on a card', async () => {
  const { window, chat, folder } = await openTrusted('fix-the-test');
  await chat.send('Fix the failing test.');

  await chat.card.waitFor({ timeout: 60_000 });
  expect(await chat.card.innerText()).toContain('npm test');
  await window.screenshot('card-command');
  let asked = 0;
  for (const until = Date.now() + 75_000; Date.now() < until && !(await chat.button('Send').isVisible());) {
    if (await chat.card.isVisible()) {
      asked += 1;
      await chat.answer('Allow once');
    }
    await delay(500);
  }

  await chat.idle();
  // The tests, and the tests again: what it changes, it changes in its own copy.
  expect(asked).toBe(2);
  expect(await chat.lastAnswer()).toContain('pass');
  await window.screenshot('card-task-done');
  expect(readFileSync(path.join(folder, 'src/slug.js'), 'utf8')).toBe(
    readFileSync(path.join(import.meta.dirname, '../sample/src/slug.js'), 'utf8'),
  );
  expect(window.violations()).toEqual([]);
  // And such a thing would be seen.
  await chat.frame.locator('body').evaluate(body => body.setAttribute('style', 'color: red'));
  await expect.poll(() => window.violations().length, { timeout: 10_000 }).toBeGreaterThan(0);
}, 180_000);

test('a command that is denied does not run, and the words reach the agent', async () => {
  const { window, chat } = await openTrusted('deny');
  await chat.send('run: npm test');
  await chat.card.waitFor();
  await chat.card
    .getByRole('textbox', { name: 'Tell Cordon what to do instead' })
    .fill('Read the tests first, please.');
  await chat.answer('Deny');

  await chat.idle();
  expect(await chat.frame.locator('.tool-call').last().innerText()).toContain('Denied');
  expect(await chat.lastAnswer()).toContain('Read the tests first, please.');
  await window.screenshot('card-denied');
});

test('"Always allow…" lands in the settings where the user picked, and is honoured', async () => {
  const { window, chat, folder } = await openTrusted('always');
  await chat.send('run: npm test');
  await chat.card.waitFor();
  await chat.answer('Always allow…');
  await window.screenshot('always-pattern');
  await window.pick('npm test');
  await window.screenshot('always-scope');
  await window.pick('In this workspace');
  await chat.idle();
  expect(JSON.parse(readFileSync(path.join(folder, '.vscode/settings.json'), 'utf8'))).toEqual({
    'cordon.commands.rules': { 'npm test': 'allow' },
  });

  await chat.send('run: npm test');
  await chat.idle();

  expect(await chat.card.count()).toBe(0);
  expect(await chat.frame.locator('.tool-call').count()).toBe(2);
  expect(await chat.lastAnswer()).toContain('dashes do not repeat');
  await window.screenshot('always-honoured');
});

async function openTrusted(name: string): Promise<{ window: WorkbenchWindow; chat: Chat; folder: string }> {
  const folder = await workbench.sample(name);
  const window = await workbench.open(folder);
  await window.answerTrust(true);
  const chat = new Chat(await window.panel());
  await chat.prompt.waitFor();
  return { window, chat, folder };
}
