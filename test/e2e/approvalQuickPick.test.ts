import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat } from './chat.ts';
import { demoChosen, Workbench } from './workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await Workbench.start({ settings: { ...demoChosen, 'cordon.approvals.surface': 'quickPick' } });
});
afterAll(() => workbench[Symbol.asyncDispose]());

test('a command is approved in the quick pick, and the card closes with it', async () => {
  const window = await workbench.open(await workbench.sample('quick-pick'));
  await window.answerTrust(true);
  const chat = new Chat(await window.panel());
  await chat.prompt.waitFor();
  await chat.send('run: npm test');
  await window.quickInput.getByText('Cordon wants to run a command').waitFor();
  await chat.card.waitFor();
  expect(await window.quickInput.innerText()).toContain('npm test');
  await window.screenshot('quick-pick-approval');

  // Enter at once does nothing: the first row only shows, and nothing is taken in the first moment.
  await window.page.keyboard.press('Enter');
  expect(await chat.card.count()).toBe(1);
  await window.pick('Allow once');

  await chat.card.waitFor({ state: 'detached' });
  await chat.idle();
  expect(await chat.lastAnswer()).toContain('dashes do not repeat');
  await window.screenshot('quick-pick-allowed');
});

test('a card that is answered closes the quick pick', async () => {
  const window = await workbench.open(await workbench.sample('two-faces'));
  await window.answerTrust(true);
  const chat = new Chat(await window.panel());
  await chat.prompt.waitFor();
  await chat.send('run: npm test');
  await window.quickInput.getByText('Cordon wants to run a command').waitFor();

  await chat.answer('Deny');

  await window.quickInput.waitFor({ state: 'hidden' });
  await chat.idle();
  expect(await chat.frame.locator('.tool-call').last().innerText()).toContain('Denied');
});
