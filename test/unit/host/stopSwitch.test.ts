import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { StopSwitch } from '../../../src/host/stopSwitch.ts';

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'cordon-stop-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

function opened(directory: string): { it: StopSwitch; turns: boolean[] } {
  const it = new StopSwitch(directory, () => {});
  const turns: boolean[] = [];
  it.changed.on(() => turns.push(it.isStopped));
  onTestFinished(() => it[Symbol.dispose]());
  return { it, turns };
}

test('stopping counts at once, is seen by every other window, and stays over a restart until it is undone', async () => {
  const directory = folder();
  const here = opened(directory);
  const there = opened(directory);
  here.it.stop();
  here.it.stop();
  expect(here.turns).toEqual([true]);
  await vi.waitUntil(() => there.it.isStopped, { timeout: 5_000 });
  expect(opened(directory).it.isStopped).toBe(true);
  there.it.resume();
  await vi.waitUntil(() => !here.it.isStopped, { timeout: 5_000 });
  expect([here.turns, there.turns]).toEqual([
    [true, false],
    [true, false],
  ]);
  expect(opened(directory).it.isStopped).toBe(false);
});
