import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat } from './chat.ts';
import { demoChosen, Workbench } from './workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await Workbench.start({
    settings: {
      ...demoChosen,
      'cordon.approvals.ask': 'contained',
      'workbench.colorTheme': 'Light Modern',
    },
  });
});
afterAll(() => workbench[Symbol.asyncDispose]());

test('what was accepted is undone whole, and single files come back from the trash', async () => {
  const folder = await workbench.sample('trash');
  const window = await workbench.open(folder);
  await window.answerTrust(true);
  const chat = new Chat(await window.panel());
  const readme = () => readFileSync(path.join(folder, 'README.md'), 'utf8');
  const [before, added] = [readme(), path.join(folder, 'new.md')];
  await chat.send('run: echo changed > README.md; echo new > new.md');
  await chat.idle();
  await chat.frame.getByRole('group', { name: 'Changes to review' }).waitFor();

  await window.command('Cordon: Accept All Changes');
  await expect.poll(readme).toBe('changed\n');
  const offer = window.page.getByRole('button', { name: /Undo Accept/ });
  await offer.waitFor();
  await window.screenshot('undo-accept');
  await offer.click();
  await expect.poll(() => [readme(), existsSync(added)]).toEqual([before, false]);
  await chat.frame.getByRole('group', { name: 'Changes to review' }).waitFor();

  await window.command('Cordon: Accept All Changes');
  await expect.poll(readme).toBe('changed\n');
  await window.command('Cordon: Restore from Trash…');
  const row = window.quickInput.locator('.monaco-list-row').filter({ hasText: 'README.md' }).last();
  await row.hover();
  await row.locator('.quick-input-list-entry-action-bar .action-label').click();
  await window.page.locator('.monaco-diff-editor').first().waitFor();
  await window.screenshot('trash-difference');
  await row.click();
  await window.quickInput.getByRole('button', { name: 'OK', exact: true }).click();
  await expect.poll(readme).toBe(before);
  const notice = window.notification('Restored 1 file.');
  await window.screenshot('trash-restored');
  await notice.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect.poll(readme).toBe('changed\n');
});

test('what commands keep in their private home folder is cleared', async () => {
  const folder = await workbench.sample('home');
  const window = await workbench.open(folder);
  await window.answerTrust(true);
  const chat = new Chat(await window.panel());
  const run = async (command: string) => {
    await chat.send(`run: ${command}`);
    await chat.button('Allow once').click();
    await chat.idle();
  };
  await run('echo kept > ~/kept; ls ~ > before.txt');
  await window.command('Cordon: Clear the Private Home Folder of Commands…');
  const dialog = window.dialog;
  await dialog.getByText('Clear the private home folder').waitFor();
  await window.screenshot('clear-home');
  await dialog.getByRole('button', { name: 'Clear', exact: true }).click();
  await window.notification('The private home folder is empty.').waitFor();
  await run('ls ~ > after.txt');
  await window.command('Cordon: Accept All Changes');
  const read = (name: string) =>
    existsSync(path.join(folder, name)) ? readFileSync(path.join(folder, name), 'utf8') : undefined;
  await expect.poll(() => [read('before.txt'), read('after.txt')]).toEqual(['kept\n', '']);
});
