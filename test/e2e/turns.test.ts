import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat } from './chat.ts';
import type { WorkbenchWindow } from './window.ts';
import { demoChosen, Workbench } from './workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await Workbench.start({
    settings: { ...demoChosen, 'cordon.approvals.surface': 'panel', 'cordon.approvals.ask': 'everything' },
  });
});
afterAll(() => workbench[Symbol.asyncDispose]());

test('Stop ends a running command at once, and the conversation goes on', async () => {
  const { window, chat } = await openTrusted('stop');
  await chat.send('run: sleep 86399');
  await chat.card.waitFor();
  await chat.answer('Allow once');
  await expect.poll(() => isRunning('sleep\u000086399'), { timeout: 20_000 }).toBe(true);
  await window.screenshot('stop-running');

  await chat.button('Stop').click();

  await chat.idle();
  await expect.poll(() => isRunning('sleep\u000086399'), { timeout: 20_000 }).toBe(false);
  await chat.frame.getByText('Stopped', { exact: true }).waitFor();
  await window.screenshot('stop-stopped');
  await chat.send('say: Still here.');
  await chat.idle();
  expect(await chat.lastAnswer()).toContain('Still here.');
});

test('a panel that is closed and opened again mid-turn has lost nothing', async () => {
  const { window, chat } = await openTrusted('reopen');
  await chat.send('slow');
  await expect.poll(() => chat.lastAnswer().catch(() => ''), { timeout: 20_000 }).toMatch(/\w{3}\s+\w{2}/);
  const before = await chat.lastAnswer();
  await window.command('View: Toggle Secondary Side Bar Visibility');
  await window.page.locator('.part.auxiliarybar').waitFor({ state: 'hidden' });
  await delay(1_500);

  const again = new Chat(await window.panel());

  await again.frame.locator('.user-text', { hasText: 'slow' }).waitFor();
  // All that was there, and what came while it was closed.
  await expect.poll(() => again.lastAnswer(), { timeout: 20_000 }).toContain(before.trim());
  expect((await again.lastAnswer()).length).toBeGreaterThan(before.trim().length);
  expect(await again.frame.locator('.entry-assistant').count()).toBe(1);
  await window.screenshot('reopened-mid-turn');
  await again.button('Stop').click();
  await again.idle();
});

async function openTrusted(name: string): Promise<{ window: WorkbenchWindow; chat: Chat }> {
  const window = await workbench.open(await workbench.sample(name));
  await window.answerTrust(true);
  const chat = new Chat(await window.panel());
  await chat.prompt.waitFor();
  return { window, chat };
}

/** Whether a process of this machine has these words, joined by null characters, in its command line. */
function isRunning(words: string): boolean {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .some(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(words);
      } catch {
        return false;
      }
    });
}
