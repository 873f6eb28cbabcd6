import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Log } from '../../../src/base/log.ts';
import type { ApprovalRequest } from '../../../src/protocol/approval.ts';
import { applyEvent, emptyConversation } from '../../../src/protocol/transcript.ts';
import type { SessionEvent, ToolCallItem } from '../../../src/protocol/transcript.ts';
import type { History } from '../../../src/store/history.ts';
import { openHistory } from '../../../src/store/openHistory.ts';

let folder: string;
let file: string;
const open: History[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cordon-history-'));
  file = path.join(folder, 'state', 'history.db');
});

afterEach(() => {
  for (const history of open.splice(0)) history[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

function opened(log?: Log): History {
  const history = openHistory(file, log);
  open.push(history);
  return history;
}

function begun(id = 'c1'): History {
  const history = opened();
  history.create({ id, workspace: '/w', createdAt: 1 });
  return history;
}

const call: ToolCallItem = {
  id: 'call1',
  at: 3,
  kind: 'toolCall',
  tool: 'execute',
  title: 'Run ls',
  state: { kind: 'running', since: 3 },
  command: 'ls',
  cwd: '/w',
  locations: [],
  diffs: [],
  output: '',
};

const request: ApprovalRequest = {
  id: 'a1',
  conversationId: 'c1',
  toolCallId: 'call1',
  at: 4,
  subject: { kind: 'command', command: 'ls', cwd: '/w', background: false, proposals: [] },
  decision: {
    decision: 'ask',
    risk: 10,
    reasons: [{ code: 'rule.none', message: 'No rule allows this.', span: [0, 2] }],
  },
};

const events: SessionEvent[] = [
  { type: 'status', status: 'running' },
  { type: 'title', title: 'List the folder' },
  { type: 'item', item: { id: 'u1', at: 1, kind: 'user', text: 'List the folder' } },
  { type: 'item', item: { id: 'm1', at: 2, kind: 'assistant', text: '', state: 'streaming' } },
  { type: 'text', id: 'm1', text: 'I will ' },
  { type: 'text', id: 'm1', text: 'look.' },
  { type: 'item', item: { id: 'm1', at: 2, kind: 'assistant', text: 'I will look.', state: 'complete' } },
  { type: 'item', item: call },
  { type: 'output', id: 'call1', text: 'a\n' },
  { type: 'output', id: 'call1', text: 'b\n' },
  { type: 'item', item: { ...call, output: 'a\nb\n', state: { kind: 'finished', ok: true } } },
  { type: 'usage', usage: { inputTokens: 1, outputTokens: 2, cacheReadTokens: 3, requests: 4 } },
  { type: 'status', status: 'idle' },
  { type: 'item', item: { id: 'e1', at: 9, kind: 'turnEnd', reason: 'done' } },
];

test('what was recorded is read back as the sum of its events, also after reopening', () => {
  const history = begun();
  for (const event of events) history.record('c1', event);
  const wanted = events.reduce(applyEvent, emptyConversation('c1'));
  expect(history.read('c1')).toEqual(wanted);
  history[Symbol.dispose]();
  expect(opened().read('c1')).toEqual(wanted);
});

test('what was under way when the session went away comes back as cut and cancelled', () => {
  const history = begun();
  history.record('c1', {
    type: 'item',
    item: { id: 'm1', at: 2, kind: 'assistant', text: 'Hal', state: 'streaming' },
  });
  history.record('c1', { type: 'text', id: 'm1', text: 'f a ' });
  history.record('c1', { type: 'text', id: 'm1', text: 'word' });
  history.record('c1', { type: 'item', item: call });
  history.record('c1', { type: 'approval', request });
  const { items, approvals, status } = history.read('c1') ?? emptyConversation('none');
  expect({ items, approvals, status }).toEqual({
    items: [
      { id: 'm1', at: 2, kind: 'assistant', text: 'Half a word', state: 'cut' },
      { ...call, state: { kind: 'cancelled' } },
    ],
    approvals: [],
    status: 'idle',
  });
});

test('gathered text is written without being asked, and never twice', async () => {
  const history = begun();
  const message = { id: 'm1', at: 2, kind: 'assistant', text: '', state: 'streaming' } as const;
  history.record('c1', { type: 'item', item: message });
  history.record('c1', { type: 'text', id: 'm1', text: 'one ' });
  const other = openHistory(file);
  open.push(other);
  await expect.poll(() => other.read('c1')?.items[0], { timeout: 15_000 }).toMatchObject({ text: 'one ' });
  history.record('c1', { type: 'text', id: 'm1', text: 'two' });
  history.record('c1', { type: 'item', item: { ...message, text: 'one two', state: 'complete' } });
  history.flush();
  expect(other.read('c1')?.items[0]).toMatchObject({ text: 'one two', state: 'complete' });
});

test('output that never ends is kept from its end, as the panel keeps it', () => {
  const history = begun();
  history.record('c1', { type: 'item', item: call });
  for (let line = 0; line < 300; line++) {
    history.record('c1', { type: 'output', id: 'call1', text: `${line}`.padEnd(1_000, '.') });
    if (line % 50 === 0) history.flush();
  }
  const [item] = history.read('c1')?.items ?? [];
  expect(item?.kind === 'toolCall' && [item.output.length, item.output.slice(0, 3)]).toEqual([
    100_000,
    '200',
  ]);
});

test('every approval is kept with its answer, and one without an answer counts as no', () => {
  const history = begun();
  history.record('c1', { type: 'approval', request });
  history.record('c1', { type: 'approval', request: { ...request, id: 'a2', at: 5 } });
  history.record('c1', { type: 'approval', request: { ...request, id: 'a3', at: 6 } });
  history.record('c1', { type: 'approvalSettled', id: 'a1', answer: { kind: 'deny', words: 'Use pnpm.' } });
  history.record('c1', { type: 'approvalSettled', id: 'a2', answer: null });
  expect(history.approvals('c1')).toEqual([
    { request, answer: { kind: 'deny', words: 'Use pnpm.' }, settledAt: expect.any(Number) },
    { request: { ...request, id: 'a2', at: 5 }, answer: null, settledAt: expect.any(Number) },
    { request: { ...request, id: 'a3', at: 6 }, answer: null, settledAt: null },
  ]);
});

test('conversations are listed by workspace, the last one used first', () => {
  const history = opened();
  for (const [id, workspace, createdAt] of [
    ['a', '/w', 1],
    ['b', '/w', 2],
    ['c', '/other', 3],
  ] as const) {
    history.create({ id, workspace, createdAt });
  }
  history.rename('a', 'Renamed');
  expect(history.list('/w', 10)).toEqual([
    { id: 'a', title: 'Renamed', createdAt: 1, updatedAt: expect.any(Number) },
    { id: 'b', title: 'New conversation', createdAt: 2, updatedAt: 2 },
  ]);
  expect(history.list('/w', 1).map(({ id }) => id)).toEqual(['a']);
});

test('a deleted conversation leaves nothing behind, and late events of it are dropped', () => {
  const history = begun();
  for (const event of events) history.record('c1', event);
  history.record('c1', { type: 'approval', request });
  history.delete('c1');
  history.record('c1', { type: 'item', item: call });
  history.record('c1', { type: 'text', id: 'm1', text: 'late' });
  history.record('c1', { type: 'approval', request });
  history.flush();
  history[Symbol.dispose]();
  const database = new Database(file);
  const count = (table: string) => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  expect(['conversations', 'items', 'approvals'].map(count)).toEqual([0, 0, 0]);
  database.close();
});

test('the file and its log are readable by their owner alone, even where it was wider before', () => {
  begun()[Symbol.dispose]();
  chmodSync(file, 0o644);
  begun('c2');
  const modes = readdirSync(path.dirname(file)).map(name => [
    name,
    statSync(path.join(path.dirname(file), name)).mode & 0o777,
  ]);
  expect(modes).toEqual([
    ['history.db', 0o600],
    ['history.db-shm', 0o600],
    ['history.db-wal', 0o600],
  ]);
  expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
});

test('a history from a newer Cordon is refused and left alone', () => {
  begun()[Symbol.dispose]();
  const database = new Database(file);
  database.pragma('user_version = 999');
  database.close();
  expect(() => openHistory(file)).toThrow(expect.objectContaining({ code: 'history.newer' }));
  expect(readdirSync(path.dirname(file))).toEqual(['history.db']);
});

test('a file that is no database is moved aside, said so, and a new history begins', () => {
  begun()[Symbol.dispose]();
  writeFileSync(file, 'this was never a database '.repeat(400));
  const history = begun();
  expect(history.list('/w', 10)).toHaveLength(1);
  const moved = readdirSync(path.dirname(file)).find(name => name.includes('.damaged-')) ?? 'none';
  expect(history.notice).toBe(
    `The conversation history was damaged. It was moved to ${path.join(path.dirname(file), moved)} and a new one was begun.`,
  );
  expect(readFileSync(path.join(path.dirname(file), moved), 'utf8')).toMatch(/^this was never/);
});

test('a database with torn pages is moved aside as well', () => {
  const history = begun();
  for (let number = 0; number < 200; number++) {
    history.record('c1', {
      type: 'item',
      item: { id: `n${number}`, at: 1, kind: 'user', text: 'x'.repeat(500) },
    });
  }
  history[Symbol.dispose]();
  const bytes = readFileSync(file);
  bytes.fill(0xa5, 8_192, 60_000);
  writeFileSync(file, bytes);
  expect(opened().notice).toContain('was damaged');
});

test('an entry that cannot be read is left out, and the rest is kept', () => {
  const history = begun();
  for (const event of events) history.record('c1', event);
  history[Symbol.dispose]();
  const database = new Database(file);
  database.prepare('UPDATE items SET body = \'{"kind":"surprise"}\' WHERE id = \'m1\'').run();
  database.close();
  expect(
    opened()
      .read('c1')
      ?.items.map(({ id }) => id),
  ).toEqual(['u1', 'call1', 'e1']);
});

test('a history that cannot be written is logged once and does not stop the conversation', () => {
  const errors: string[] = [];
  const history = opened({ info() {}, warn() {}, error: message => void errors.push(message) });
  history.create({ id: 'c1', workspace: '/w', createdAt: 1 });
  const database = new Database(file);
  database.exec('DROP TABLE items');
  database.close();
  for (const event of events) history.record('c1', event);
  expect(errors).toEqual(['The conversation history could not be written: no such table: items']);
});

test('what does not exist reads as undefined', () => {
  expect(opened().read('nobody')).toBeUndefined();
});

test('the commands of a workspace come back with what the user said to each, newest first', () => {
  const history = begun();
  history.create({ id: 'elsewhere', workspace: '/other', createdAt: 1 });
  history.record('elsewhere', { type: 'item', item: { ...call, command: 'not mine' } });
  const run = (id: string, at: number, command: string, state: ToolCallItem['state']) =>
    history.record('c1', { type: 'item', item: { ...call, id, at, command, state } });
  const done: ToolCallItem['state'] = { kind: 'finished', ok: true };
  run('unasked', 1, 'ls', done);
  run('allowed', 2, 'npm test', done);
  history.record('c1', { type: 'approval', request: { ...request, id: 'a', toolCallId: 'allowed' } });
  history.record('c1', { type: 'approvalSettled', id: 'a', answer: { kind: 'allowOnce' } });
  run('denied', 3, 'rm x', { kind: 'denied', by: 'user', reason: 'no' });
  history.record('c1', { type: 'approval', request: { ...request, id: 'b', toolCallId: 'denied' } });
  history.record('c1', { type: 'approvalSettled', id: 'b', answer: { kind: 'deny' } });
  run('stopped', 4, 'sleep 9', { kind: 'cancelled' });
  history.record('c1', { type: 'approval', request: { ...request, id: 'c', toolCallId: 'stopped' } });
  history.record('c1', { type: 'approvalSettled', id: 'c', answer: null });

  run('waiting', 5, 'make', { kind: 'awaitingApproval', approvalId: 'd' });
  history.record('c1', { type: 'approval', request: { ...request, id: 'd', toolCallId: 'waiting' } });

  expect(history.commands('/w', 10)).toEqual([
    { command: 'rm x', cwd: '/w', answer: 'denied' },
    { command: 'npm test', cwd: '/w', answer: 'allowed' },
    { command: 'ls', cwd: '/w', answer: 'unasked' },
  ]);
  expect(history.commands('/w', 1)).toHaveLength(1);
});
