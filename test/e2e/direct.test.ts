import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat } from './chat.ts';
import { demoChosen, Workbench } from './workbench.ts';

// A Bubblewrap that may put up walls, and may not make a namespace with its own root in it, as some distributions have
// it: then there is no overlay.
const programs = mkdtempSync(path.join(tmpdir(), 'cordon-programs-'));
const refusing = `#!/bin/sh
case " $* " in *" --cap-add "*) echo "bwrap: setting up uid map: Permission denied" >&2; exit 1 ;; esac
exec /usr/bin/bwrap "$@"
`;
let workbench: Workbench;
beforeAll(async () => {
  writeFileSync(path.join(programs, 'bwrap'), refusing, { mode: 0o755 });
  workbench = await Workbench.start({
    settings: { ...demoChosen, 'cordon.approvals.surface': 'panel', 'cordon.approvals.ask': 'contained' },
    environment: { PATH: `${programs}:${process.env['PATH']}` },
  });
});
afterAll(async () => {
  await workbench[Symbol.asyncDispose]();
  rmSync(programs, { recursive: true });
});

test('without an overlay the agent works in the user’s own files: named, asked for, and what it did can be dropped', async () => {
  const folder = await workbench.sample('own-files');
  const readme = () => readFileSync(path.join(folder, 'README.md'), 'utf8');
  const before = readme();
  const window = await workbench.open(folder);
  await window.answerTrust(true);
  const chat = new Chat(await window.panel());
  await chat.prompt.waitFor();

  await chat.send('write: notes/new.md Hello');
  const notice = chat.frame.locator('.notice').filter({ hasText: 'The agent works in your own files.' });
  await notice.waitFor();
  expect(await notice.innerText()).toMatch(
    /Nor can this file system clone the folder, as btrfs and XFS can\.$/,
  );
  await chat.card.waitFor();
  await window.screenshot('direct-asks');
  await chat.answer('Allow for this session');
  await chat.idle();
  expect(readFileSync(path.join(folder, 'notes/new.md'), 'utf8')).toBe('Hello\n');
  await chat.frame.getByText('your own files').first().waitFor();

  await chat.send('run: echo more >> README.md');
  await chat.idle();
  expect(readme()).toBe(`${before}more\n`);
  await chat.frame.getByRole('group', { name: 'Changes to review' }).waitFor();
  await window.command('Cordon: Show Changes View');
  const change = (name: RegExp) => window.page.getByRole('treeitem', { name });
  await change(/^new\.md, added/).waitFor();
  await change(/^README\.md, modified/).click();
  await window.screenshot('direct-changes');
  const editor = window.page.locator('.editor-instance .modified .view-lines');
  await editor.filter({ hasText: 'more' }).first().waitFor();
  await window.screenshot('direct-difference');

  await window.command('Cordon: Show Changes View');
  await change(/^README\.md, modified/).click();
  await window.page.keyboard.press('Delete');
  await expect.poll(readme).toBe(before);
  await change(/^README\.md, modified/).waitFor({ state: 'detached' });
  await change(/^new\.md, added/).click();
  await window.page.keyboard.press('Control+Enter');
  await change(/^new\.md, added/).waitFor({ state: 'detached' });
  expect(readFileSync(path.join(folder, 'notes/new.md'), 'utf8')).toBe('Hello\n');
  await window.screenshot('direct-reviewed');
}, 180_000);
