import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import esbuild from 'esbuild';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openHistory } from '../../../src/store/openHistory.ts';

// Inside node_modules, so that the bundle finds the native module as an installed extension would.
const cache = path.resolve('node_modules/.cache');
let folder: string;
let program: string;
let file: string;
let files = 0;

beforeAll(async () => {
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(path.join(cache, 'history-'));
  program = path.join(folder, 'writer.mjs');
  await esbuild.build({
    entryPoints: ['test/integration/store/writer.ts'],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['better-sqlite3'],
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => void (file = path.join(folder, `${++files}`, 'history.db')));

function startWriter(conversation: string, count: number) {
  const child = spawn(process.execPath, [program, file, conversation, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const written: string[] = [];
  const lines = createInterface(child.stdout).on('line', line => written.push(line));
  return { child, written, ended: Promise.all([once(child, 'close'), once(lines, 'close')]) };
}

test('several windows that open and write the same new history at once lose nothing', async () => {
  const writers = ['a', 'b', 'shared', 'shared'].map(conversation => startWriter(conversation, 150));
  await Promise.all(writers.map(({ ended }) => ended));
  using history = openHistory(file);
  const ids = (conversation: string) =>
    history
      .read(conversation)
      ?.items.map(({ id }) => id)
      .sort();
  const [a, b, one, other] = writers.map(({ written }) => written);
  expect([ids('a'), ids('b'), ids('shared')]).toEqual([
    a?.sort(),
    b?.sort(),
    [...(one ?? []), ...(other ?? [])].sort(),
  ]);
  expect(ids('a')).toHaveLength(150);
});

test('a window killed at any moment loses at most the message that was streaming', async () => {
  for (let round = 0; round < 6; round++) {
    const writer = startWriter(`killed ${round}`, 100_000);
    await expect
      .poll(() => writer.written.length, { timeout: 20_000, interval: 5 })
      .toBeGreaterThan(10 + 37 * round);
    writer.child.kill('SIGKILL');
    await writer.ended;
    using history = openHistory(file);
    const items = history.read(`killed ${round}`)?.items ?? [];
    const complete = items.filter(
      item => item.kind === 'assistant' && item.state === 'complete' && item.text === 'words',
    );
    expect(complete.map(({ id }) => id)).toEqual(expect.arrayContaining(writer.written));
    expect(items.length - complete.length).toBeLessThanOrEqual(1);
    expect(history.notice).toBeUndefined();
  }
  const database = new Database(file);
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  database.close();
});
