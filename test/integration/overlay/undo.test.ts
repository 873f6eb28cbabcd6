import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { refreshView } from '../../../sandbox/holder.ts';
import type { AcceptOutcome } from '../../../src/session/changes/changesEngine.ts';
import { CopyEngine } from '../../../src/session/changes/copyEngine.ts';
import { TrashCan } from '../../../src/session/changes/trashCan.ts';
import { liveOverlay, type LiveOverlay } from './liveOverlay.ts';
import { picture } from './operations.ts';

let overlay: LiveOverlay;
let engine: CopyEngine;
let places: { journals: string; trash: string };

beforeEach(async () => {
  overlay = await liveOverlay(lower => {
    mkdirSync(path.join(lower, 'src'));
    writeFileSync(path.join(lower, 'src/kept.txt'), 'one\ntwo\n');
    writeFileSync(path.join(lower, 'gone.txt'), 'to be deleted\n');
    writeFileSync(path.join(lower, 'run.sh'), '#!/bin/sh\n', { mode: 0o644 });
  });
  places = { journals: path.join(overlay.state, 'applies'), trash: path.join(overlay.state, 'trash') };
  const { holder } = overlay;
  const refresh = (folders: readonly string[]) => refreshView(holder, folders);
  engine = new CopyEngine({ folders: [overlay.folder], holder, refresh, ...places });
});
afterEach(() => overlay[Symbol.asyncDispose]());

const real = (...names: string[]) => path.join(overlay.folder.lower, ...names);
const copy = (...names: string[]) => path.join(overlay.merged, ...names);

function accepted(outcome: AcceptOutcome) {
  if (outcome.kind !== 'accepted') throw new Error(JSON.stringify(outcome.obstructions));
  return outcome;
}

async function waiting(): Promise<string[]> {
  const [review] = await engine.review();
  return (review?.changes ?? []).map(({ path }) => path);
}

/** An edit, a new file in a new folder, a deletion, and a change of permissions. */
async function acceptAll() {
  writeFileSync(copy('src/kept.txt'), 'one\nTWO\n');
  mkdirSync(copy('docs'));
  writeFileSync(copy('docs/new.md'), 'new\n');
  rmSync(copy('gone.txt'));
  chmodSync(copy('run.sh'), 0o755);
  const paths = await waiting();
  expect(paths).toEqual(['docs', 'docs/new.md', 'gone.txt', 'run.sh', 'src/kept.txt']);
  return accepted(
    await engine.accept(paths.map(path => ({ folder: overlay.folder.lower, path, isConfirmed: true }))),
  );
}

test('undoing an accept leaves the folder as it was, and its changes wait again', async () => {
  const before = picture(overlay.folder.lower);
  const { batches } = await acceptAll();
  const after = picture(overlay.folder.lower);
  expect(await waiting()).toEqual([]);
  accepted(await engine.undo(batches));
  expect(picture(overlay.folder.lower)).toEqual(before);
  const again = await waiting();
  expect(again).toEqual(['docs', 'docs/new.md', 'gone.txt', 'run.sh', 'src/kept.txt']);
  accepted(
    await engine.accept(again.map(path => ({ folder: overlay.folder.lower, path, isConfirmed: true }))),
  );
  expect(picture(overlay.folder.lower)).toEqual(after);
});

test('what the user wrote since goes to the trash when an accept is undone, and undoing is undone', async () => {
  const { batches } = await acceptAll();
  writeFileSync(real('src/kept.txt'), 'mine\n');
  const after = picture(overlay.folder.lower);
  const undone = accepted(await engine.undo(batches));
  expect(readFileSync(real('src/kept.txt'), 'utf8')).toBe('one\ntwo\n');
  accepted(await engine.undo(undone.batches));
  expect(picture(overlay.folder.lower)).toEqual(after);
});

test('a folder that the user put something into since stays with it; all else is undone', async () => {
  const before = picture(overlay.folder.lower);
  const { batches } = await acceptAll();
  writeFileSync(real('docs/mine.md'), 'mine\n');
  accepted(await engine.undo(batches));
  expect(readFileSync(real('docs/mine.md'), 'utf8')).toBe('mine\n');
  rmSync(real('docs'), { recursive: true });
  expect(picture(overlay.folder.lower)).toEqual(before);
});

test('from the trash single files come back, and that can be undone where there was none', async () => {
  await acceptAll();
  const after = picture(overlay.folder.lower);
  const can = new TrashCan(places);
  const items = await can.list([overlay.folder.lower]);
  expect(items.map(({ path, why }) => `${path} ${why}`).sort()).toEqual([
    'gone.txt deleted',
    'src/kept.txt overwritten',
  ]);
  const gone = items.find(({ path }) => path === 'gone.txt');
  expect(Buffer.from(await can.content(gone?.id ?? 0)).toString()).toBe('to be deleted\n');
  const { batches } = accepted(await can.restore([gone?.id ?? 0]));
  expect(readFileSync(real('gone.txt'), 'utf8')).toBe('to be deleted\n');
  accepted(await can.undo(batches));
  expect(picture(overlay.folder.lower)).toEqual(after);
  await expect(can.undo(['0'.repeat(32)])).rejects.toMatchObject({ code: 'trash.gone' });
});

test('a key that the agent writes into a file is taken over only when that is confirmed', async () => {
  const line = ['-----BEGIN', 'PRIVATE KEY-----'].join(' ');
  writeFileSync(copy('src/kept.txt'), `one\n${line}\n`);
  const file = { folder: overlay.folder.lower, path: 'src/kept.txt' };
  expect(await engine.accept([file])).toEqual({
    kind: 'obstructed',
    obstructions: [{ ...file, kind: 'protected', words: 'it holds a private key' }],
    accepted: [],
  });
  accepted(await engine.accept([{ ...file, isConfirmed: true }]));
  // It is the user's own now.
  writeFileSync(copy('src/kept.txt'), `two\n${line}\n`);
  accepted(await engine.accept([file]));
});
