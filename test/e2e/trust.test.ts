import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat } from './chat.ts';
import { demoChosen, Workbench } from './workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await Workbench.start({ settings: demoChosen });
});
afterAll(() => workbench[Symbol.asyncDispose]());

test('an untrusted folder gets an explanation and no agent; trust brings Cordon up without a reload', async () => {
  const window = await workbench.open(await workbench.sample('field-notes'));
  await window.answerTrust(false);
  const chat = new Chat(await window.panel());
  await chat.frame.getByRole('heading', { name: 'This workspace is not trusted' }).waitFor();
  expect(await chat.prompt.count()).toBe(0);
  await window.screenshot('trust-restricted');
  await window.page.evaluate('globalThis.neverReloaded = true');

  await chat.button('Manage Workspace Trust').click();
  await window.trustInEditor();

  await chat.prompt.waitFor();
  await chat.send('say: I am up.');
  await chat.idle();
  expect(await chat.lastAnswer()).toContain('I am up.');
  expect(await window.page.evaluate('globalThis.neverReloaded')).toBe(true);
  expect(window.violations()).toEqual([]);
  await window.screenshot('trust-granted');
});
