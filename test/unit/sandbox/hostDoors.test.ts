import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostDoors } from '../../../sandbox/hostDoors.ts';

let root: string;
let folder: string;
const servers = new Set<ReturnType<typeof createServer>>();

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'cordon-doors-')));
  folder = join(root, 'project');
  mkdirSync(folder);
  symlinkSync(folder, join(root, 'link to it'));
});
afterEach(async () => {
  for (const server of servers) await new Promise(resolve => server.close(resolve));
  servers.clear();
  rmSync(root, { recursive: true, force: true });
});

async function listen(path: string): Promise<void> {
  const server = createServer().listen(path);
  servers.add(server);
  await once(server, 'listening');
}

test('what is in a folder that commands only read is hidden, whatever it is', async () => {
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  await listen(join(folder, 'socket'));
  const found = [join(folder, 'pipe'), join(folder, 'socket')];
  expect(hostDoors(found, [])).toEqual(found);
});

test('where they write, a socket that somebody listens on is hidden, by whatever name it was bound', async () => {
  await listen(join(folder, 'plain'));
  await listen(join(root, 'link to it', 'my socket'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const found = ['plain', 'my socket', 'pipe'].map(name => join(folder, name));
  expect(hostDoors(found, [folder])).toEqual(found.slice(0, 2));
});

test('where they write, a socket that nobody here listens on is theirs, also beside one of the same name', async () => {
  mkdirSync(join(root, 'other'));
  await listen(join(root, 'other', 'socket'));
  const script = `const s = require('net').createServer().listen(${JSON.stringify(join(folder, 'socket'))}, () => process.kill(process.pid, 'SIGKILL'))`;
  expect(() => execFileSync(process.execPath, ['-e', script])).toThrow(/Command failed/);
  expect(hostDoors([join(folder, 'socket')], [folder])).toEqual([]);
});
