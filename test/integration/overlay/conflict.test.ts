import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { prepareAcceptance } from '../../../src/overlay/acceptance.ts';
import { applyChanges } from '../../../src/overlay/apply.ts';
import { Bases } from '../../../src/overlay/bases.ts';
import { readChangeset } from '../../../src/overlay/changeset.ts';
import { Checkpoints } from '../../../src/overlay/checkpoints.ts';
import { discardHunks } from '../../../src/overlay/discard.ts';
import { hunksOf } from '../../../src/overlay/hunks.ts';
import { openOverlayRecord, type OverlayRecord } from '../../../src/overlay/overlayRecord.ts';
import { openTrash, type Trash } from '../../../src/store/trash.ts';
import { liveOverlay, type LiveOverlay } from './liveOverlay.ts';
import { picture } from './operations.ts';

const poem = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', ''].join('\n');
let overlay: LiveOverlay;
let record: OverlayRecord;
let bases: Bases;
let trash: Trash;

beforeEach(async () => {
  overlay = await liveOverlay(lower => {
    for (const name of ['poem', 'other', 'binary']) writeFileSync(path.join(lower, name), poem);
    writeFileSync(path.join(lower, 'binary'), '\0one');
    mkdirSync(path.join(lower, 'folder'));
    writeFileSync(path.join(lower, 'folder/inner'), 'inner\n');
  });
  record = openOverlayRecord(overlay.folder.upper);
  bases = new Bases(overlay.folder, record);
  trash = openTrash(path.join(overlay.state, 'trash'));
});
afterEach(async () => {
  record[Symbol.dispose]();
  trash[Symbol.dispose]();
  await overlay[Symbol.asyncDispose]();
});

const agent = (name: string) => path.join(overlay.merged, name);
const user = (name: string) => path.join(overlay.folder.lower, name);

async function look() {
  const lookedAt = Date.now();
  const changeset = await readChangeset(overlay.folder);
  await bases.note(changeset, lookedAt);
  return changeset.changes;
}

async function accept(resolved?: ReadonlySet<string>) {
  const changes = await look();
  const { desired, merged, conflicts } = await prepareAcceptance(
    overlay.folder,
    changes.map(change => ({ change })),
    bases,
    resolved,
  );
  if (conflicts.length > 0) return { conflicts };
  const options = { journals: path.join(overlay.state, 'applies'), trash };
  const result = await applyChanges(overlay.folder.lower, desired, options);
  if (result.kind === 'applied') bases.applied(result.paths);
  return { merged, ...result };
}

test('what the user and the agent changed in different lines is joined', async () => {
  writeFileSync(agent('poem'), poem.replace('six', 'SIX'));
  await look();
  writeFileSync(user('poem'), poem.replace('one', 'ONE'));
  expect(await accept()).toMatchObject({ kind: 'applied', merged: ['poem'] });
  expect(readFileSync(user('poem'), 'utf8')).toBe(poem.replace('six', 'SIX').replace('one', 'ONE'));
  // And what was overwritten is the user's text.
  expect(trash.list().map(item => readFileSync(trash.contentPath(item), 'utf8'))).toEqual([
    poem.replace('one', 'ONE'),
  ]);
});

test('what both changed in the same line is a conflict, and nothing is written', async () => {
  writeFileSync(agent('poem'), poem.replace('six', 'agent'));
  writeFileSync(agent('other'), 'fine\n');
  await look();
  writeFileSync(user('poem'), poem.replace('six', 'user'));
  const before = picture(overlay.folder.lower);
  expect(await accept()).toEqual({ conflicts: [{ path: 'poem', kind: 'changed' }] });
  expect(picture(overlay.folder.lower)).toEqual(before);
  // The user may decide for the agent's; their own text is in the trash then.
  expect(await accept(new Set(['poem']))).toMatchObject({ kind: 'applied' });
  expect(readFileSync(user('poem'), 'utf8')).toBe(poem.replace('six', 'agent'));
  expect(trash.list().map(({ path }) => path)).toEqual(['poem', 'other']);
});

test('each way in which the user can be first is a conflict of its own', async () => {
  writeFileSync(agent('poem'), 'agent\n');
  writeFileSync(agent('new'), 'agent\n');
  writeFileSync(agent('binary'), '\0agent');
  unlinkSync(agent('other'));
  rmSync(agent('folder'), { recursive: true });
  await look();
  unlinkSync(user('poem'));
  writeFileSync(user('new'), 'user\n');
  writeFileSync(user('binary'), '\0user');
  writeFileSync(user('other'), 'user\n');
  writeFileSync(user('folder/inner'), 'user\n');
  expect(await accept()).toEqual({
    conflicts: [
      { path: 'binary', kind: 'changed' },
      { path: 'folder/inner', kind: 'changed' },
      { path: 'new', kind: 'exists' },
      { path: 'other', kind: 'changed' },
      { path: 'poem', kind: 'vanished' },
    ],
  });
});

test('a file that the user saved while the agent worked, before the first look, is not overwritten', async () => {
  writeFileSync(user('poem'), poem.replace('one', 'user'));
  writeFileSync(agent('poem'), poem.replace('one', 'agent'));
  expect(await accept()).toEqual({ conflicts: [{ path: 'poem', kind: 'unsure' }] });
});

test('a file that was only saved again with the same content is no conflict', async () => {
  writeFileSync(agent('poem'), 'agent\n');
  await look();
  unlinkSync(user('poem'));
  writeFileSync(user('poem'), poem);
  expect(await accept()).toMatchObject({ kind: 'applied', merged: [] });
  expect(readFileSync(user('poem'), 'utf8')).toBe('agent\n');
});

test('a new file in a folder that the agent deletes keeps the folder', async () => {
  rmSync(agent('folder'), { recursive: true });
  await look();
  writeFileSync(user('folder/mine'), 'user\n');
  expect(await accept()).toMatchObject({ conflicts: [{ path: 'folder/mine', kind: 'unsure' }] });
});

test('a link that takes the place of a folder does not redirect a write', async () => {
  const outside = path.join(overlay.state, 'outside');
  mkdirSync(outside);
  writeFileSync(path.join(outside, 'inner'), 'not to be touched\n');
  writeFileSync(agent('folder/inner'), 'agent\n');
  writeFileSync(agent('folder/more'), 'agent\n');
  const changes = await look();
  rmSync(user('folder'), { recursive: true });
  symlinkSync(outside, user('folder'));
  const { desired } = await prepareAcceptance(
    overlay.folder,
    changes.map(change => ({ change })),
    bases,
  );
  const options = { journals: path.join(overlay.state, 'applies'), trash };
  expect(await applyChanges(overlay.folder.lower, desired, options)).toEqual({
    kind: 'blocked',
    obstacles: [
      { path: 'folder/inner', kind: 'noFolder' },
      { path: 'folder/more', kind: 'noFolder' },
    ],
  });
  expect(picture(outside)).toEqual(['"inner" 644 "not to be touched\\n"']);
});

test('files that nobody may write are replaced and stay so', async () => {
  chmodSync(user('poem'), 0o444);
  await overlay.unmount();
  await overlay.mount();
  chmodSync(agent('poem'), 0o644);
  writeFileSync(agent('poem'), 'agent\n');
  chmodSync(agent('poem'), 0o444);
  const changes = await look();
  // The permissions changed after the overlay was made, so the file counts as written to: the user decides.
  expect(await accept(new Set(changes.map(({ path }) => path)))).toMatchObject({ kind: 'applied' });
  expect(picture(overlay.folder.lower)).toContain('"poem" 444 "agent\\n"');
});

test('a change is taken by hunk, and the rest of it stays to be reviewed or dropped', async () => {
  writeFileSync(agent('poem'), poem.replace('one', 'ONE').replace('four', 'FOUR').replace('seven', 'SEVEN'));
  const [change] = await look();
  if (!change) throw new Error('no change');
  const { desired } = await prepareAcceptance(overlay.folder, [{ change, hunks: new Set([1]) }], bases);
  const options = { journals: path.join(overlay.state, 'applies'), trash };
  expect(await applyChanges(overlay.folder.lower, desired, options)).toMatchObject({ kind: 'applied' });
  bases.applied(['poem']);
  expect(readFileSync(user('poem'), 'utf8')).toBe(poem.replace('four', 'FOUR'));

  const [rest] = await look();
  if (!rest) throw new Error('no rest');
  const hunks = hunksOf(readFileSync(user('poem')), readFileSync(agent('poem')));
  expect(hunks?.map(({ removed, added }) => [...removed, ...added])).toEqual([
    ['one\n', 'ONE\n'],
    ['seven\n', 'SEVEN\n'],
  ]);
  await overlay.unmount();
  await discardHunks(overlay.folder, rest, new Set([0]));
  await overlay.mount();
  expect(readFileSync(agent('poem'), 'utf8')).toBe(poem.replace('four', 'FOUR').replace('seven', 'SEVEN'));
  expect(await accept()).toMatchObject({ kind: 'applied' });
  expect(readFileSync(user('poem'), 'utf8')).toBe(poem.replace('four', 'FOUR').replace('seven', 'SEVEN'));
});

test('what each turn changed is told apart', async () => {
  const checkpoints = new Checkpoints(overlay.folder, record);
  const { id: start } = await checkpoints.take('start', overlay.merged);
  writeFileSync(agent('poem'), 'first turn\n');
  unlinkSync(agent('other'));
  const { id: first } = await checkpoints.take('first', overlay.merged);
  writeFileSync(agent('poem'), 'second turn, longer\n');
  mkdirSync(agent('made'));
  const { id: second } = await checkpoints.take('second', overlay.merged);
  expect([checkpoints.changedBetween(start, first), checkpoints.changedBetween(first, second)]).toEqual([
    ['other', 'poem'],
    ['made', 'poem'],
  ]);
});

test('set-user-id is not carried over', async () => {
  writeFileSync(agent('tool'), '#!/bin/sh\n');
  chmodSync(agent('tool'), 0o4755);
  expect(await accept()).toMatchObject({ kind: 'applied' });
  expect(picture(overlay.folder.lower)).toContain('"tool" 755 "#!/bin/sh\\n"');
});
