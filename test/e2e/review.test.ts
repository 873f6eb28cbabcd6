import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat } from './chat.ts';
import type { WorkbenchWindow } from './window.ts';
import { demoChosen, Workbench } from './workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await Workbench.start({
    settings: {
      ...demoChosen,
      'cordon.approvals.surface': 'panel',
      'cordon.approvals.ask': 'contained',
      // In the browser it would be on.
      'files.autoSave': 'off',
    },
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
  await window.page.getByRole('treeitem', { name: /^Part 1, lines 25: Last line/, selected: true }).waitFor();

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

test('what both changed is a conflict: merged by hand in the merge editor, never overwritten', async () => {
  const { window, chat, folder } = await openTrusted('conflict');
  const file = path.join(folder, 'notes/herons.md');
  await chat.send(`run: sed -i -e '1s/.*/# Theirs/' -e '$a Their end.' notes/herons.md`);
  await chat.idle();
  await window.command('Cordon: Show Changes View');
  await change(window, 'herons.md, modified').waitFor();
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^.*/, '# Mine'));

  await window.command('Cordon: Accept All Changes');
  await window.quickInput.getByText('Conflict: herons.md').waitFor();
  await window.screenshot('review-conflict');
  await window.pick('Merge by hand');
  await window.page.locator('.merge-editor').waitFor();
  await window.screenshot('review-merge-editor');
  expect(readFileSync(file, 'utf8')).toMatch(/^# Mine\n/);
  await window.page.getByText('Accept Cordon', { exact: false }).first().click();
  await window.page.getByText('Accept Cordon', { exact: false }).first().click();
  await window.screenshot('review-merge-decided');
  await window.page.getByRole('button', { name: 'Complete Merge' }).click();
  await change(window, 'herons.md, modified').waitFor({ state: 'detached' });
  await window.screenshot('review-merged');
  expect(readFileSync(file, 'utf8')).toMatch(/^# Mine\n# Theirs\n[^]*\nTheir end\.\n$/);
}, 180_000);

test('a file with unsaved edits is joined in its editor: nothing is saved, and it can be undone', async () => {
  const { window, chat, folder } = await openTrusted('unsaved');
  const file = path.join(folder, 'notes/herons.md');
  const before = readFileSync(file, 'utf8');
  await window.page.getByRole('treeitem', { name: 'notes', exact: true }).click();
  await window.page.getByRole('treeitem', { name: 'herons.md', exact: true }).dblclick();
  await lines(window).filter({ hasText: 'Herons' }).first().click();
  await window.page.keyboard.press('Control+Home');
  await window.page.keyboard.type('Mine. ');
  await chat.send(`run: sed -i '$a Their end.' notes/herons.md`);
  await chat.idle();
  const card = chat.frame.getByRole('group', { name: 'Changes to review' });
  await card.getByRole('button', { name: 'Accept all' }).click();
  await window.notification('Joined with your unsaved edits').waitFor();
  await lines(window).filter({ hasText: 'Their end.' }).first().waitFor();
  await window.screenshot('review-unsaved');
  expect(readFileSync(file, 'utf8')).toBe(before);
  await card.waitFor({ state: 'detached' });

  await lines(window).first().click();
  await window.page.keyboard.press('Control+z');
  await lines(window).filter({ hasText: 'Their end.' }).waitFor({ state: 'detached' });
  await window.page.keyboard.press('Control+Shift+z');
  await window.page.keyboard.press('Control+s');
  await expect.poll(() => readFileSync(file, 'utf8')).toBe(`Mine. ${before}Their end.\n`);
}, 180_000);

test('protected files are left out of accepting all, and each is called out with what it could do', async () => {
  const { window, chat, folder } = await openTrusted('protected');
  await chat.send(
    `run: mkdir .vscode; echo {} > .vscode/tasks.json; echo '{"a":1}' > package.json; echo new > notes/new.md`,
  );
  await chat.idle();
  const card = chat.frame.getByRole('group', { name: 'Changes to review' });
  await card.getByText('2 of them can run code').waitFor();
  await card.getByRole('button', { name: 'Accept all' }).click();
  const left = window.notification('2 protected files were left out');
  await left.waitFor();
  expect(existsSync(path.join(folder, 'notes/new.md'))).toBe(true);
  expect(existsSync(path.join(folder, '.vscode'))).toBe(false);
  await window.screenshot('review-protected-left-out');
  await left.getByRole('button', { name: 'Go Through Them' }).click();
  await window.dialog.getByText('It can make the editor run a task').waitFor();
  await window.screenshot('review-protected-question');
  await window.page.keyboard.press('Enter');
  await window.dialog.waitFor({ state: 'hidden' });
  expect(existsSync(path.join(folder, '.vscode'))).toBe(false);
  await change(window, 'tasks.json').click();
  await window.page.keyboard.press('Control+Enter');
  await window.dialog.getByRole('button', { name: 'Accept This File' }).click();
  await expect.poll(() => existsSync(path.join(folder, '.vscode/tasks.json'))).toBe(true);
  expect(readFileSync(path.join(folder, 'package.json'), 'utf8')).not.toBe('{"a":1}\n');
  await change(window, 'package.json, modified').waitFor();
}, 180_000);

test('a comment on a line goes to the agent with the line', async () => {
  const { window, chat } = await openTrusted('comment');
  await chat.send('write: notes/new.md One line');
  await chat.idle();
  await window.command('Cordon: Show Changes View');
  await change(window, 'new.md, added').dblclick();
  await window.page.locator('.view-line', { hasText: 'One line' }).last().click();
  const box = window.page.locator('.review-widget');
  for (let tries = 0; tries < 4 && !(await box.isVisible()); tries++) {
    // It does nothing before the editor knows where comments may stand.
    await window.command('Comments: Add Comment on Current Selection');
    await box.waitFor({ timeout: 5_000 }).catch(() => {});
  }
  await window.page.keyboard.type('Say more.');
  await window.screenshot('review-comment');
  await box.getByRole('button', { name: 'Add Comment' }).click();
  await window.screenshot('review-comment-kept');
  await window.command('Cordon: Send Review Comments to Cordon');
  await chat.frame.locator('.user-text', { hasText: 'notes/new.md:1' }).waitFor();
  const prompt = await chat.frame.locator('.user-text').last().innerText();
  expect(prompt).toContain('> One line\n\nSay more.');
  await chat.idle();
  await window.screenshot('review-comment-sent');
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
