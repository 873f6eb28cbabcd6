import { readFileSync } from 'node:fs';
import path from 'node:path';
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

test('one hunk is accepted by the keyboard and another discarded, and only the accepted one is in the file', async () => {
  const { window, chat, folder } = await openTrusted('by-hunk');
  await chat.send(`run: sed -i '1s/^/# First line\\n/; $s/$/\\nLast line/' README.md; echo new > notes/new.md; rm notes/frost.md; chmod +x src/cli.js; printf 'a\\0b' > pic.bin; mkdir -p .vscode; echo '{}' > .vscode/tasks.json; mkdir -p node_modules/x; touch node_modules/x/y`);
  await chat.idle();
  const row = window.page.getByRole('treeitem', { name: /^README.md, mod/ });
  await row.waitFor();
  await window.page.getByRole('treeitem', { name: 'README.md', exact: true }).dblclick();
  await window.page.locator('.editor-instance .view-lines').filter({ hasText: 'notes' }).first().waitFor();
  await row.click();
  await window.page.keyboard.press('ArrowRight');
  await window.page.getByRole('treeitem', { name: /^Part 1/ }).waitFor();
  await window.page.keyboard.press('ArrowDown');
  await window.page.keyboard.press('Control+Enter');
  await window.screenshot('review-explore-6');
  console.log(JSON.stringify(readFileSync(path.join(folder, 'README.md'), 'utf8').slice(0,40)));
  await window.page.getByRole('tab', { name: /^README.md/ }).first().click();
  await window.screenshot('review-explore-9');
  await window.page.locator('.editor-instance .view-lines').first().click();
  await window.page.keyboard.press('Control+z');
  await window.screenshot('review-explore-10');
  await window.page.keyboard.press('Control+Shift+z');
  await window.command('Cordon: Review Changes');
  await window.page.locator('.monaco-diff-editor').first().waitFor();
  await window.screenshot('review-explore-11');
  await window.page.keyboard.press('Control+Alt+Enter');
  await window.screenshot('review-explore-12');
  console.log(window.errors().join('\n'));
  expect(1).toBe(1);
}, 180_000);

async function openTrusted(name: string): Promise<{ window: WorkbenchWindow; chat: Chat; folder: string }> {
  const folder = await workbench.sample(name);
  const window = await workbench.open(folder);
  await window.answerTrust(true);
  const chat = new Chat(await window.panel());
  await chat.prompt.waitFor();
  return { window, chat, folder };
}
