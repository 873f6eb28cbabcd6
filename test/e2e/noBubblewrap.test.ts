import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat } from './chat.ts';
import { demoChosen, Workbench } from './workbench.ts';

const empty = mkdtempSync(path.join(tmpdir(), 'cordon-no-programs-'));
let workbench: Workbench;
beforeAll(async () => {
  workbench = await Workbench.start({ settings: demoChosen, environment: { PATH: empty } });
});
afterAll(async () => {
  await workbench[Symbol.asyncDispose]();
  rmSync(empty, { recursive: true });
});

test('without Bubblewrap nothing can run, and the panel says why and how to mend it', async () => {
  const window = await workbench.open(await workbench.sample('no-bubblewrap'));
  await window.answerTrust(true);
  const chat = new Chat(await window.panel());
  await chat.frame.getByRole('heading', { name: 'Nothing can run yet' }).waitFor();

  expect(await chat.frame.locator('.blocked-message').innerText()).toContain('Bubblewrap');
  expect(await chat.frame.getByRole('group', { name: 'How to mend it' }).innerText()).toContain(
    'install bubblewrap',
  );
  expect(await chat.prompt.count()).toBe(0);
  await window.screenshot('no-bubblewrap');
});
