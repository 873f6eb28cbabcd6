import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCommandLine, type CommandLine } from './commandLine.ts';

let cordon: CommandLine;
beforeAll(async () => {
  cordon = await buildCommandLine();
});
afterAll(() => cordon[Symbol.dispose]());

const shell = (script: string) => cordon.run(['sandbox', '--', 'bash', '-c', script]);
const shown = async () => {
  const { stdout } = await cordon.run(['home', 'show', '--json']);
  return JSON.parse(stdout) as { homes: string[]; bytes: number };
};

test('what commands keep in HOME is shown, and cleared once the user says so', async () => {
  expect(await shown()).toEqual({ homes: [], bytes: 0 });
  const kept =
    'head -c 3000000 /dev/zero > ~/cache; mkdir -p ~/closed/inner; echo a > ~/closed/inner/a; chmod 0 ~/closed';
  expect(await shell(kept)).toMatchObject({ status: 0, stderr: '' });
  const { homes, bytes } = await shown();
  expect([homes.length, bytes > 3_000_000]).toEqual([1, true]);

  const refused = await cordon.run(['home', 'clear']);
  expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining('--yes')]);
  expect((await shell('ls -A ~')).stdout).toBe('cache\nclosed\n');

  expect((await cordon.run(['home', 'clear', '--yes'])).stdout).toBe('Cleared: 3.0 MB.\n');
  expect((await shell('ls -A ~; echo b > ~/b')).stdout).toBe('');
  const [home = ''] = homes;
  expect(readdirSync(dirname(home)).filter(name => name.startsWith('home'))).toEqual(['home']);
});

test('clearing follows no link out of it, and what runs goes on', async () => {
  const precious = join(cordon.home, 'precious');
  mkdirSync(precious);
  writeFileSync(join(precious, 'file'), 'mine');
  const [home = ''] = (await shown()).homes;
  const running = cordon.start([
    'sandbox',
    '--',
    'bash',
    '-c',
    `ln -s ${precious} ~/link; mkdir ~/d; echo ready; while [ ! -e /tmp/over ]; do rm -rf ~/d; ln -sfn ${precious} ~/d; rm -f ~/d; mkdir -p ~/d/e; done`,
  ]);
  await new Promise(resolve => running.stdout?.once('data', resolve));
  expect(existsSync(join(home, 'd')) || existsSync(join(home, 'link'))).toBe(true);
  const cleared = await cordon.run(['home', 'clear', '--yes']);
  // What is made while it is being deleted may stay behind, where no command sees it.
  expect([0, 1]).toContain(cleared.status);
  expect(running.exitCode).toBeNull();
  running.kill('SIGTERM');
  await new Promise(resolve => running.once('exit', resolve));
  expect(readFileSync(join(precious, 'file'), 'utf8')).toBe('mine');
  expect((await shell('ls -A ~')).stdout).toBe('');
  rmSync(precious, { recursive: true });
});

test('wrong words are told from a wrong workspace', async () => {
  const outcomes = [
    await cordon.run(['home']),
    await cordon.run(['home', 'clear', 'path']),
    await cordon.run(['home', 'show', '--workspace', '/nonexistent']),
  ];
  expect(outcomes.map(({ status, stderr }) => [status, stderr])).toEqual([
    [2, 'cordon home: say "show" or "clear".\n'],
    [2, 'cordon home: it takes no paths and no session.\n'],
    [2, 'cordon home: /nonexistent is not a folder.\n'],
  ]);
});
