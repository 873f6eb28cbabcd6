import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat } from './chat.ts';
import { demoChosen, Workbench } from './workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await Workbench.start({ settings: { ...demoChosen, 'cordon.approvals.ask': 'contained' } });
});
afterAll(() => workbench[Symbol.asyncDispose]());

const commit = 'git -c user.name=Agent -c user.email=agent@example.org commit --quiet --all';

test('commits of the agent come into a branch that the user names, and a secret is held back', async () => {
  const folder = await workbench.sample('commits');
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();
  const window = await workbench.open(folder);
  await window.answerTrust(true);
  const chat = new Chat(await window.panel());
  await chat.send(`run: echo more >> README.md; ${commit} -m "Say more"`);
  await chat.idle();
  await chat.frame.getByText('1 commit not in your repository').waitFor();
  await window.screenshot('commits-offered');

  await chat.button('Import…').click();
  await window.quickInput.getByRole('option', { name: /^Import into “cordon\// }).waitFor();
  await window.type('main');
  await window.quickInput.getByRole('option', { name: /^There is a branch "main" already/ }).waitFor();
  await window.page.keyboard.press('Enter');
  await window.type('from-cordon');
  await window.screenshot('commits-branch');
  await window.pick('Import into “from-cordon”');
  await window.notification('1 commit is on the new branch from-cordon.').waitFor();
  expect(git('log', '--format=%s', '-1', 'from-cordon')).toBe('Say more');
  expect([git('rev-parse', '--abbrev-ref', 'HEAD'), git('status', '--porcelain')]).toEqual(['main', '']);

  await chat.send(`run: echo KEY=1 > .env; git add -f .env; ${commit} -m "Keep the key"`);
  await chat.answer('Allow once');
  await chat.idle();
  await window.command("Cordon: Import the Agent's Commits…");
  await window.type('second');
  await window.pick('Import into “second”');
  await window
    .notification(/Nothing was imported: \.env has the name of a file that holds secrets/)
    .waitFor();
  await window.screenshot('commits-held-back');
  expect(git('branch', '--list', 'second')).toBe('');
});
