import { writeFileSync, mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat } from './chat.ts';
import type { WorkbenchWindow } from './window.ts';
import { demoChosen, Workbench } from './workbench.ts';

// There is no internet here. A server of this machine stands for it: its very address is allowed, as the rules for
// private addresses want it, while the name that leads there is not, so it is asked about like any other.
let server: Server;
let workbench: Workbench;
let host: string;
beforeAll(async () => {
  server = createServer((request, response) => void response.end(`hello from outside${request.url ?? ''}\n`));
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  host = `localhost:${port}`;
  workbench = await Workbench.start({
    settings: {
      ...demoChosen,
      'cordon.approvals.surface': 'panel',
      'cordon.network.allowedDomains': [`127.0.0.1:${port}`],
      'cordon.commands.rules': { 'curl **': 'allow', 'cat .env': 'allow' },
    },
  });
});
afterAll(async () => {
  await workbench?.[Symbol.asyncDispose]();
  server?.close();
});

test('a command asks for a host; allowed once it works, denied it says so, and the card offers the cure', async () => {
  const { window, chat, folder } = await openTrusted('reach-a-host');
  const get = (page: string) => `run: curl -sS --noproxy '' http://${host}/${page}`;
  await chat.send(get('first'));
  await chat.card.waitFor({ timeout: 60_000 });
  const shown = await chat.card.innerText();
  expect(shown).toContain('Reach this host?');
  expect(shown).toContain('localhost');
  expect(shown).toContain(`port ${host.split(':')[1]}`);
  expect(shown).toContain("curl -sS --noproxy ''");
  await window.screenshot('host-card-dark');
  await chat.answer('Allow once');
  await chat.idle();
  expect(await chat.lastAnswer()).toContain('hello from outside/first');

  // Once was once.
  await chat.send(get('second'));
  await chat.card.waitFor({ timeout: 60_000 });
  useTheme(folder, 'Light Modern');
  await window.page.locator('.monaco-workbench.vs').waitFor();
  await window.screenshot('host-card-light');
  await chat.card.getByRole('textbox', { name: 'Tell Cordon what to do instead' }).fill('Use the copy here.');
  await chat.answer('Deny');
  await chat.idle();
  expect(await chat.lastAnswer()).toContain('the user did not allow it. They say: Use the copy here.');
  const refused = chat.frame.getByRole('list', { name: 'Refused by the walls' }).last();
  expect(await refused.innerText()).toContain(
    `You did not let it reach ${host}. You said: Use the copy here.`,
  );
  await window.screenshot('host-denied-light');

  await refused.getByRole('button', { name: `Allow ${host}…`, exact: true }).click();
  await window.screenshot('host-cure');
  await window.pick('Allow for this session');
  await expect.poll(() => chat.prompt.inputValue()).toBe(`${host} is allowed now: run the command again.`);
  expect(await refused.innerText()).toContain('Allowed for this session now.');
  await chat.send(get('third'));
  await chat.idle();
  expect(await chat.lastAnswer()).toContain('hello from outside/third');
  expect(await chat.card.count()).toBe(0);
  await window.screenshot('host-allowed-light');
  expect(window.violations()).toEqual([]);
});

test('a hidden file is shown to commands only after two gestures, one of them no web page can make', async () => {
  const { window, chat, folder } = await openTrusted('hidden-file');
  writeFileSync(path.join(folder, '.env'), 'GREETING=hello\n');
  await chat.send('run: cat .env');
  await chat.idle();
  const refused = chat.frame.getByRole('list', { name: 'Refused by the walls' }).last();
  expect(await refused.innerText()).toContain('looks like a secret');
  await refused.getByRole('button', { name: 'Show this file to commands…', exact: true }).click();
  // At once: a click that comes too early does not count, and does not keep the next one from counting.
  await window.pick('Show this file to commands for this session');
  await window.dialog.waitFor();
  await window.screenshot('hidden-file-confirm');
  await window.dialog.getByRole('button', { name: 'Show It', exact: true }).click();
  await expect.poll(() => chat.prompt.inputValue()).toContain('run the command again.');
  await chat.send('run: cat .env');
  await chat.idle();
  expect(await chat.lastAnswer()).toContain('GREETING=hello');
});

test('the agent asks for a hidden file on a card of high risk, and what it may read for the session is among the grants', async () => {
  const { window, chat, folder } = await openTrusted('hidden-file-asked');
  writeFileSync(path.join(folder, '.env'), 'GREETING=hello\n');
  await chat.send('read: .env');
  await chat.card.waitFor({ timeout: 60_000 });
  expect(await chat.card.innerText()).toContain('High risk');
  await window.screenshot('secret-card');
  await chat.answer('Allow for this session');
  await chat.answer('Confirm: allow for this session');
  await chat.idle();
  expect(await chat.lastAnswer()).toContain('GREETING=hello');
  await window.command('Cordon: Revoke Grant…');
  await window.screenshot('secret-revoke');
  await window.quickInput.getByRole('option', { name: /asked\/\.env/ }).click();
  await chat.send('run: cat .env');
  await chat.idle();
  expect(await chat.lastAnswer()).toContain('Permission denied');
});

test('"Always allow…" asks once more, is kept in the user settings, and counts from then on', async () => {
  const { window, chat } = await openTrusted('always-a-host');
  await chat.send(`run: curl -sS --noproxy '' http://${host}/always`);
  await chat.card.waitFor({ timeout: 60_000 });
  await chat.answer('Always allow…');
  await window.screenshot('host-always');
  await window.pick(`Always allow ${host}`);
  await chat.idle();
  expect(await chat.lastAnswer()).toContain('hello from outside/always');
  expect(workbench.userSettings()).toMatchObject({
    'cordon.network.allowedDomains': [host.replace('localhost', '127.0.0.1'), host],
  });
  await chat.send(`run: curl -sS --noproxy '' http://${host}/again`);
  await chat.idle();
  expect(await chat.lastAnswer()).toContain('hello from outside/again');
  expect(await chat.card.count()).toBe(0);
});

function useTheme(folder: string, theme: string): void {
  mkdirSync(path.join(folder, '.vscode'), { recursive: true });
  writeFileSync(
    path.join(folder, '.vscode/settings.json'),
    JSON.stringify({ 'workbench.colorTheme': theme }),
  );
}

async function openTrusted(name: string): Promise<{ window: WorkbenchWindow; chat: Chat; folder: string }> {
  const folder = await workbench.sample(name);
  const window = await workbench.open(folder);
  await window.answerTrust(true);
  const chat = new Chat(await window.panel());
  await chat.prompt.waitFor();
  return { window, chat, folder };
}
