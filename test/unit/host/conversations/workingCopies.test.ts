import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { WorkingCopies } from '../../../../src/host/conversations/workingCopies.ts';
import type { ChangesEngine } from '../../../../src/session/changes/changesEngine.ts';
import type { WorkingCopy } from '../../../../src/session/changes/workingCopy.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'cordon-copies-'));
afterAll(() => rmSync(folder, { recursive: true }));

function copies(inUse: ReadonlySet<string>, busy: ReadonlySet<string> = new Set()) {
  const closed: string[] = [];
  const changes = { discard: async () => ({ kind: 'discarded', discarded: [] }) } as unknown as ChangesEngine;
  const opened = new WorkingCopies({
    open: async directory => {
      const name = path.basename(directory);
      mkdirSync(path.join(directory, 'layers'), { recursive: true });
      const dispose = async () => void closed.push(name);
      const copy: WorkingCopy = {
        kind: 'overlay',
        folders: [],
        changes,
        refresh: async () => {},
        [Symbol.asyncDispose]: dispose,
      };
      return copy;
    },
    directory: () => folder,
    isBusy: id => busy.has(id),
    isInUse: id => inUse.has(id),
    onAccepted() {},
    onMoved() {},
    log: { info() {}, warn() {}, error() {} },
  });
  return { opened, closed };
}

test('copies that nothing uses are closed again, the oldest first; those in use stay', async () => {
  const { opened, closed } = copies(new Set(['a']));
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) await opened.open(id);
  expect(closed).toEqual(['b']);
  await opened[Symbol.asyncDispose]();
  expect(closed.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
});

test('nothing is taken out from under an agent that is at work', async () => {
  const { opened } = copies(new Set(), new Set(['busy']));
  const busy = await opened.open('busy');
  await expect(busy.changes.discard([])).rejects.toMatchObject({ code: 'changes.busy' });
  const idle = await opened.open('idle');
  await expect(idle.changes.discard([])).resolves.toMatchObject({ kind: 'discarded' });
});

test('a removed copy is gone from the disk, also where a command took its rights away', async () => {
  const { opened, closed } = copies(new Set());
  await opened.open('x');
  const closedFolder = path.join(folder, 'x/layers/closed');
  mkdirSync(closedFolder);
  writeFileSync(path.join(closedFolder, 'file'), '');
  chmodSync(closedFolder, 0);
  await opened.remove('x');
  expect([closed, existsSync(path.join(folder, 'x')), existsSync(path.join(folder, 'x.removed'))]).toEqual([
    ['x'],
    false,
    false,
  ]);
  await opened.remove('never there');
});
