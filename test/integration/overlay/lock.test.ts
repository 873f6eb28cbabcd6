import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { rmSync } from 'node:fs';
import { build } from 'esbuild';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from '../../../src/overlay/lock.ts';
import { scratch } from './scratch.ts';

let root: string;
beforeEach(() => void (root = scratch('lock')));
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('one at a time holds a lock, however many want it and however many die with it', async () => {
  const program = join(root, 'holder.mjs');
  const entryPoints = [join(import.meta.dirname, 'lockHolder.ts')];
  await build({
    entryPoints,
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  const complaints: string[] = [];
  const turns: string[] = [];
  const start = (): ChildProcess => {
    const child = spawn(process.execPath, [program, join(root, 'lock'), join(root, 'inside')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString().split('\n').filter(Boolean))
        (line === 'again' ? turns : complaints).push(line);
    });
    return child;
  };
  const all = Array.from({ length: 6 }, start);
  // One that is just inside is among them sooner or later.
  for (let killed = 0; killed < 40; killed++) {
    turns.length = 0;
    while (turns.length < 2) await new Promise(resolve => setTimeout(resolve, 5));
    all.splice(Math.floor(Math.random() * all.length), 1)[0]?.kill('SIGKILL');
    all.push(start());
  }
  for (const each of all) each.kill('SIGKILL');
  expect(complaints).toEqual([]);
});

test('work that fails gives the lock back', async () => {
  const lock = join(root, 'lock');
  await expect(withLock(lock, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await withLock(lock, () => Promise.resolve('mine'))).toBe('mine');
});

test('where there can be no lock, it says why', async () => {
  await expect(withLock(join(root, 'none/lock'), () => Promise.resolve())).rejects.toMatchObject({
    code: 'overlay.locked',
    message: expect.stringContaining('No such file or directory') as string,
  });
});
