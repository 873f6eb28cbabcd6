import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat } from './chat.ts';
import { demoChosen, Workbench } from './workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await Workbench.start({ settings: { ...demoChosen, 'cordon.approvals.surface': 'panel' } });
});
afterAll(() => workbench[Symbol.asyncDispose]());

test('conversations survive the end of VS Code, and go on from where they were', async () => {
  const window = await workbench.open(await workbench.sample('restart'));
  await window.answerTrust(true);
  const before = new Chat(await window.panel());
  await before.prompt.waitFor();
  await before.send('say: The first conversation.');
  await before.idle();
  await before.button('New conversation').click();
  await before.frame.getByRole('heading', { name: 'What shall we do?' }).waitFor();
  await before.send('run: npm test');
  await before.card.waitFor();

  await workbench.restart();
  await window.load();

  const after = new Chat(await window.panel());
  await after.frame.locator('.user-text', { hasText: 'run: npm test' }).waitFor();
  // What was open when it ended is no consent, and is not asked again by itself.
  expect(await after.card.count()).toBe(0);
  await window.screenshot('restart-conversation');
  await after.button('History').click();
  const list = after.frame.getByRole('region', { name: 'History' });
  await list.getByText('The first conversation.').waitFor();
  await window.screenshot('restart-history');
  await list.getByText('The first conversation.').click();
  await expect.poll(() => after.lastAnswer()).toContain('The first conversation.');
  await after.send('say: And on it goes.');
  await after.idle();
  expect(await after.lastAnswer()).toContain('And on it goes.');
});
