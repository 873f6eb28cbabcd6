import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat } from './chat.ts';
import type { WorkbenchWindow } from './window.ts';
import { demoChosen, Workbench } from './workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await Workbench.start({
    settings: { ...demoChosen, 'cordon.approvals.surface': 'panel', 'cordon.approvals.ask': 'contained' },
  });
});
afterAll(() => workbench[Symbol.asyncDispose]());

test('one hunk is accepted by the keyboard and the other discarded, and the editor can undo what came', async () => {
  const { window, chat, folder } = await openTrusted('by-hunk');
  const before = readFileSync(path.join(folder, 'README.md'), 'utf8');
  await chat.send(
    `run: sed -i -e '1s/^/First line\\n/' -e '$a Last line' README.md; echo new > notes/new.md`,
  );
  await chat.idle();
  await chat.frame.getByRole('group', { name: 'Changes to review' }).waitFor();
  await window.page.getByRole('treeitem', { name: 'README.md', exact: true }).dblclick();
  await lines(window).filter({ hasText: 'Field notes' }).first().waitFor();

  // In the view: down to the first part of the file, and accept it.
  await window.command('Cordon: Show Changes View');
  await change(window, 'new.md, added, 1 line added, 0 removed, in notes').waitFor();
  await change(window, 'README.md, modified, 2 lines added, 0 removed').click();
  await window.page.keyboard.press('ArrowRight');
  await change(window, 'Part 1, lines 1: First line').waitFor();
  await window.page.keyboard.press('ArrowDown');
  await window.screenshot('review-hunks');
  await window.page.keyboard.press('Control+Enter');
  await expect.poll(() => readFileSync(path.join(folder, 'README.md'), 'utf8')).toBe(`First line\n${before}`);
  await change(window, 'README.md, modified, 1 line added, 0 removed').waitFor();

  // In the editor of all changes: the part at the cursor.
  await window.command('Cordon: Review Changes');
  const readme = window.page.locator('.multiDiffEntry').filter({ hasText: 'Last line' });
  await readme.locator('.modified .view-line', { hasText: 'Last line' }).click();
  await window.screenshot('review-all');
  await window.page.keyboard.press('Control+Alt+Backspace');
  await change(window, 'README.md, modified').waitFor({ state: 'detached' });
  await window.screenshot('review-discarded');
  expect(readFileSync(path.join(folder, 'README.md'), 'utf8')).toBe(`First line\n${before}`);

  // What was accepted is one step of the editor's undo stack.
  await window.page.getByRole('tab', { name: /^README\.md/ }).click();
  await lines(window).filter({ hasText: 'First line' }).first().click();
  await window.page.keyboard.press('Control+z');
  await lines(window).filter({ hasText: 'First line' }).waitFor({ state: 'detached' });
  await window.page.keyboard.press('Control+Shift+z');
  await lines(window).filter({ hasText: 'First line' }).first().waitFor();
}, 180_000);

function change(window: WorkbenchWindow, name: string): Locator {
  return window.page.getByRole('treeitem', { name: new RegExp(`^${name.replaceAll('.', String.raw`\.`)}`) });
}

function lines(window: WorkbenchWindow): Locator {
  return window.page.locator('.editor-instance .view-lines');
}

async function openTrusted(name: string): Promise<{ window: WorkbenchWindow; chat: Chat; folder: string }> {
  const folder = await workbench.sample(name);
  const window = await workbench.open(folder);
  await window.answerTrust(true);
  const chat = new Chat(await window.panel());
  await chat.prompt.waitFor();
  return { window, chat, folder };
}
