import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { History } from '../../../src/store/history.ts';
import { openHistory } from '../../../src/store/openHistory.ts';

let folder: string;
let history: History;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cordon-rewinds-'));
  history = openHistory(path.join(folder, 'history.db'));
  history.create({ id: 'c', workspace: '/w', createdAt: 1 });
  history.record('c', { type: 'title', title: 'Task' });
  for (const id of ['one', 'two', 'three']) say(id);
});
afterEach(() => {
  history[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

function say(id: string): void {
  history.record('c', { type: 'item', item: { id, at: 1, kind: 'user', text: id } });
  const notice = { kind: 'notice', level: 'info', code: 'n', text: '' } as const;
  history.record('c', { type: 'item', item: { id: `${id} end`, at: 2, ...notice } });
}

function items(id = 'c'): string[] | undefined {
  return history.read(id)?.items.map(item => item.id);
}

test('what going back takes off a conversation can be put back, in order', () => {
  const all = items();
  history.rewind('c', { id: 'r', checkpoint: 'before', from: 'two' });
  expect([items(), history.lastRewind('c')]).toEqual([['one', 'one end'], { id: 'r', checkpoint: 'before' }]);
  history.undoRewind('r');
  expect([items(), history.lastRewind('c')]).toEqual([all, undefined]);
});

test('going back twice is undone one after the other, newest first', async () => {
  const all = items();
  history.rewind('c', { id: 'first', checkpoint: null, from: 'three' });
  await new Promise(resolve => setTimeout(resolve, 2));
  history.rewind('c', { id: 'second', checkpoint: null, from: 'one' });
  expect([items(), history.lastRewind('c')?.id]).toEqual([[], 'second']);
  history.undoRewind('second');
  expect(history.lastRewind('c')?.id).toBe('first');
  history.undoRewind('first');
  expect(items()).toEqual(all);
});

test('after a new message it is too late to put back what was taken off', () => {
  history.rewind('c', { id: 'r', checkpoint: null, from: 'two' });
  say('instead');
  expect([history.lastRewind('c'), items()]).toEqual([
    undefined,
    ['one', 'one end', 'instead', 'instead end'],
  ]);
});

test('files alone can go back: no message leaves, and what is noted of it is no message', () => {
  const all = items();
  history.rewind('c', { id: 'r', checkpoint: 'before', from: null });
  const notice = { kind: 'notice', level: 'info', code: 'n', text: '' } as const;
  history.record('c', { type: 'item', item: { id: 'noted', at: 2, ...notice } });
  expect([items(), history.lastRewind('c')?.id]).toEqual([[...(all ?? []), 'noted'], 'r']);
});

test('a fork holds what came before, costs nothing yet, and goes its own way', () => {
  history.fork('c', 'two', { id: 'f', createdAt: 5 });
  say('four');
  expect([items('f'), history.list('/w', 9).map(({ id, title }) => [id, title])]).toEqual([
    ['one', 'one end'],
    [
      ['c', 'Task'],
      ['f', 'Task (fork)'],
    ],
  ]);
  history.delete('c');
  expect(items('f')).toEqual(['one', 'one end']);
});
