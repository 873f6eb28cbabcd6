import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { FolderGrants } from '../../../../src/session/consent/folderGrants.ts';
import { openGrants } from '../../../../src/store/grants.ts';

const day = new Date(2026, 4, 1, 22, 30).getTime();

function opened() {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'cordon-grants-')));
  const file = path.join(folder, 'state/grants.db');
  const clock = { now: day };
  const grantsOf = (workspace: string) => {
    const grants = new FolderGrants({
      store: () => openGrants(file),
      workspace,
      bounds: () => ({ workspace: [], records: [] }),
      now: () => clock.now,
    });
    onTestFinished(() => grants[Symbol.dispose]());
    return grants;
  };
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return { folder, file, clock, grantsOf };
}

test('once ends with the turn of its conversation, today at midnight, both with a restart; always stays', () => {
  const { clock, grantsOf } = opened();
  const grants = grantsOf('w');
  grants.add('/a', 'read', 'once', 'c1');
  grants.add('/b', 'read', 'today', 'c1');
  grants.add('/c', 'read', 'always', 'c1');
  expect([
    grants.find('/a/x', 'read', 'c1')?.answer,
    grants.find('/a/x', 'read', 'c2'),
    grants.find('/b/x', 'read', 'c2')?.answer,
    grants.find('/c', 'read', 'c2')?.answer,
    grants.find('/cc', 'read', 'c2'),
  ]).toEqual(['once', undefined, 'today', 'always', undefined]);
  expect(grants.visible('c1', true)).toEqual([
    { path: '/c', access: 'read' },
    { path: '/b', access: 'read' },
  ]);
  grants.endTurn('c1');
  clock.now = new Date(2026, 4, 2).getTime() - 1;
  expect(grants.list().map(each => each.path)).toEqual(['/c', '/b']);
  clock.now += 1;
  expect(grants.list().map(each => each.path)).toEqual(['/c']);
  expect(grantsOf('w').list()).toMatchObject([{ path: '/c', access: 'read', answer: 'always' }]);
  expect(grantsOf('other').list()).toEqual([]);
  expect(grantsOf('w').recent()).toEqual(expect.arrayContaining(['/a', '/b', '/c']));
});

test('the strictest answer counts: what was refused stays hidden in what is open, and is never written', () => {
  const grants = opened().grantsOf('w');
  grants.add('/p', 'read', 'always', 'c');
  grants.add('/p', 'write', 'today', 'c');
  grants.add('/p/private', 'read', 'never', 'c');
  grants.add('/q', 'write', 'today', 'c');
  grants.add('/q', 'write', 'never', 'c');
  expect([
    grants.find('/p/x', 'write', 'c')?.answer,
    grants.find('/p/private/x', 'read', 'c')?.answer,
    grants.find('/p/private/x', 'write', 'c')?.answer,
    grants.find('/q/x', 'write', 'c')?.answer,
    grants.find('/q/x', 'read', 'c')?.answer,
  ]).toEqual(['today', 'never', 'never', 'never', 'today']);
  expect(grants.visible('c', false)).toEqual([
    { path: '/p', access: 'read' },
    { path: '/q', access: 'read' },
    { path: '/p/private', access: 'none' },
  ]);
});

test('uses are counted, and what is taken back is told to whoever runs on it', () => {
  const grants = opened().grantsOf('w');
  const told: string[] = [];
  grants.revoked.on(each => told.push(each.path));
  grants.add('/a', 'read', 'always', 'c');
  grants.add('/b', 'read', 'today', 'c');
  grants.add('/n', 'read', 'never', 'c');
  for (const file of ['/a/1', '/a/2', '/b/1']) {
    const grant = grants.find(file, 'read', 'c');
    if (grant) grants.use(grant);
  }
  expect(grants.list().map(({ path: folder, uses, lastUsedAt }) => [folder, uses, lastUsedAt])).toEqual([
    ['/a', 2, day],
    ['/n', 0, null],
    ['/b', 1, day],
  ]);
  for (const { id, answer } of grants.list()) if (answer !== 'today') grants.revoke(id);
  grants.revoke('s999');
  expect([told, grants.list().map(each => each.path)]).toEqual([['/a'], ['/b']]);
  grants.dropTemporary();
  expect([told, grants.list()]).toEqual([['/a', '/b'], []]);
});

test('at midnight what was allowed for the day is over for what runs, too', () => {
  vi.useFakeTimers({ now: day });
  onTestFinished(() => void vi.useRealTimers());
  const { clock, grantsOf } = opened();
  const grants = grantsOf('w');
  const told: string[] = [];
  grants.revoked.on(each => told.push(each.path));
  grants.add('/b', 'read', 'today', 'c');
  clock.now = day + 60 * 60 * 1_000;
  vi.advanceTimersByTime(61 * 60 * 1_000);
  expect(told).toEqual([]);
  clock.now = new Date(2026, 4, 2, 0, 0, 1).getTime();
  vi.advanceTimersByTime(61 * 60 * 1_000);
  expect(told).toEqual(['/b']);
});

test("the store is only its owner's to read, and one that cannot be read opens nothing", () => {
  const { folder, file, grantsOf } = opened();
  grantsOf('w').add('/a', 'read', 'always', 'c');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const broken = path.join(folder, 'broken.db');
  mkdirSync(broken);
  writeFileSync(path.join(broken, 'x'), '');
  const grants = new FolderGrants({
    store: () => openGrants(broken),
    workspace: 'w',
    bounds: () => ({ workspace: [], records: [] }),
  });
  expect(() => grants.find('/a', 'read', 'c')).toThrow(/cannot be opened/);
  expect(() => grants.visible('c', false)).toThrow(/cannot be opened/);
});
