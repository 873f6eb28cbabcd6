import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat } from './chat.ts';
import type { WorkbenchWindow } from './window.ts';
import { demoChosen, Workbench } from './workbench.ts';

let workbench: Workbench;
let library: string;
beforeAll(async () => {
  workbench = await Workbench.start({
    settings: {
      ...demoChosen,
      'cordon.approvals.surface': 'panel',
      'files.autoSave': 'off',
      'cordon.commands.rules': { 'sleep *': 'allow' },
    },
  });
  library = path.join(workbench.home, 'library');
  mkdirSync(path.join(library, 'docs'), { recursive: true });
  writeFileSync(path.join(library, 'docs/guide.md'), 'Turn left at the mill.\n');
});
afterAll(() => workbench[Symbol.asyncDispose]());

const guide = () => path.join(library, 'docs/guide.md');

test('a file outside is asked for: once, today, always, and never, which is not asked again', async () => {
  const { window, chat } = await openTrusted('answers');
  const read = async (answer: string) => {
    await chat.send(`read: ${guide()}`);
    await chat.card.waitFor();
    if (answer === 'Allow once') await window.screenshot('folder-card');
    await chat.answer(answer);
    await chat.idle();
    return chat.lastAnswer();
  };

  expect(await read('Allow once')).toContain('Turn left at the mill.');
  expect(await read('Allow today')).toContain('outside of the workspace');
  await chat.send(`run: cat ${guide()}`);
  await chat.idle();
  expect(await chat.card.count()).toBe(0);
  expect(await chat.lastAnswer()).toContain('Turn left at the mill.');

  await showGrants(window);
  expect(await grantRow(window, 'docs').getAttribute('aria-label')).toMatch(
    /docs, read · today · used \d times/,
  );
  await window.screenshot('grants-today');
  await revoke(window, 'docs');

  expect(await read('Always allow')).toContain('Turn left at the mill.');
  await grantRow(window, 'read · always').waitFor();
  // By the keyboard.
  await grantRow(window, 'read · always').click();
  await window.page.keyboard.press('Delete');
  await grantRow(window, 'read · always').waitFor({ state: 'detached' });

  await read('Never');
  await chat.send(`read: ${guide()}`);
  await chat.idle();
  expect(await chat.card.count()).toBe(0);
  expect(await chat.lastAnswer()).toContain('is never to be allowed');
  await grantRow(window, 'never').waitFor();
  await window.screenshot('grants-never');
  await window.command('Cordon: Revoke Grant…');
  await window.screenshot('grants-pick');
  await window.quickInput.getByRole('option', { name: /docs/ }).click();
  await grantRow(window, 'never').waitFor({ state: 'detached' });
  await chat.send(`read: ${guide()}`);
  await chat.card.waitFor();
  await chat.answer('Deny');
  await chat.idle();
  expect(window.violations()).toEqual([]);
}, 240_000);

test('another folder is chosen in the quick pick: wider, narrower, or one that was allowed before', async () => {
  const { window, chat } = await openTrusted('another');
  await chat.send(`read: ${guide()}`);
  await chat.card.waitFor();
  await chat.answer('Another folder…');
  await window.screenshot('folder-choices');
  await window.quickInput.getByRole('option', { name: /library, wider/ }).click();
  await window.screenshot('folder-quick-pick');
  await window.pick('Allow today');
  await chat.idle();
  expect(await chat.lastAnswer()).toContain('Turn left at the mill.');
  await showGrants(window);
  await grantRow(window, 'library, read · today').waitFor();
  // What is allowed in one workspace is not in another.
  const { chat: elsewhere } = await openTrusted('elsewhere');
  await elsewhere.send(`read: ${guide()}`);
  await elsewhere.card.waitFor();
  await elsewhere.answer('Deny');
  await elsewhere.idle();
}, 150_000);

test('a grant that is revoked during a command ends it, and the output says why', async () => {
  const { window, chat } = await openTrusted('revoke');
  await chat.send(`read: ${guide()}`);
  await chat.card.waitFor();
  await chat.answer('Allow today');
  await chat.idle();
  await chat.send('run: sleep 300');
  await chat.button('Stop').waitFor();
  await chat.frame.locator('.tool-call', { hasText: 'sleep 300' }).waitFor();
  await delay(2_000);
  await showGrants(window);
  await revoke(window, 'docs');
  await chat.idle();
  expect(await chat.lastAnswer()).toContain('was taken back, so this command was ended.');
  await window.screenshot('grants-revoked');
}, 120_000);

test('stop everything ends what runs, shows a gate, stays over a reload, and is undone by Resume', async () => {
  const { window, chat } = await openTrusted('stop');
  await chat.send('start: sleep 301');
  await chat.idle();
  await chat.send('run: sleep 302');
  await chat.button('Stop').waitFor();
  await delay(2_000);
  expect(running(/sleep 30[12]/)).toBe(2);
  await chat.button('Stop everything').click();
  await chat.button('Resume').waitFor();
  await delay(1_000);
  expect(running(/sleep 30[12]/)).toBe(0);
  await window.page.getByRole('button', { name: /everything is stopped until you resume/ }).waitFor();
  await window.screenshot('stopped');

  await window.load();
  const again = new Chat(await window.panel());
  await again.button('Resume').click();
  await again.prompt.waitFor();
  await again.send('say: Back again.');
  await again.idle();
  expect(await again.lastAnswer()).toContain('Back again.');
}, 150_000);

test('text that is not saved is what the agent reads, and it is not changed under the user', async () => {
  const { window, chat } = await openTrusted('unsaved');
  await window.openFile('frost.md');
  await window.page.locator('.monaco-editor .view-line').first().click();
  await window.page.keyboard.press('Control+Home');
  await window.page.keyboard.type('Typed, not saved. ');
  await chat.send('read: notes/frost.md');
  await chat.idle();
  expect(await chat.lastAnswer()).toContain('(unsaved in the editor)');
  expect(await chat.lastAnswer()).toContain('Typed, not saved.');
  await window.screenshot('unsaved');
  await chat.send('write: notes/frost.md Lost?');
  await chat.idle();
  expect(await chat.lastAnswer()).toContain('not saved');
}, 120_000);

async function openTrusted(name: string): Promise<{ window: WorkbenchWindow; chat: Chat }> {
  const window = await workbench.open(await workbench.sample(name));
  await window.answerTrust(true);
  const chat = new Chat(await window.panel());
  await chat.prompt.waitFor();
  return { window, chat };
}

async function showGrants(window: WorkbenchWindow): Promise<void> {
  await window.command('Cordon: Focus on Grants View');
}

/** A row of the grants view, by a part of its accessible name. */
function grantRow(window: WorkbenchWindow, text: string) {
  return window.page.locator('.pane', { hasText: 'Grants' }).getByRole('treeitem', { name: text }).last();
}

async function revoke(window: WorkbenchWindow, text: string): Promise<void> {
  const row = grantRow(window, text);
  await row.hover();
  await row.getByRole('button', { name: /^Revoke/ }).click();
  await row.waitFor({ state: 'detached' });
}

/** Processes of this machine whose command line matches. */
function running(command: RegExp): number {
  return execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter(line => line.startsWith('sleep ') && command.test(line)).length;
}
