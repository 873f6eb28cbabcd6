import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { cloneableDisk, type Disk } from './cloneableDisk.ts';
import { CloneScene } from './cloneScene.ts';
import { filled } from './filled.ts';
import { operation, perform, picture } from './operations.ts';

// Thousands by hand: CORDON_RUNS=2000.
const runs = Number(process.env['CORDON_RUNS'] ?? 60);
const seed = Number(process.env['CORDON_SEED'] ?? 20_261_121);

const disk: Disk | undefined = cloneableDisk();
afterAll(() => disk?.[Symbol.dispose]());

test.skipIf(disk === undefined)(
  'whatever is done in the clone: accepting makes the real folder equal, discarding makes the clone as before, and going back makes it what it was',
  async () => {
    const some = fc.array(operation, { minLength: 1, maxLength: 25, size: 'max' });
    await fc.assert(
      fc.asyncProperty(some, some, some, some, async (before, first, second, third) => {
        await using scene = await new CloneScene(disk?.path ?? '', filled(...before)).open();
        const { clone, real, folder } = scene;
        expect(picture(clone)).toEqual(picture(real));
        const untouched = picture(real);

        for (const each of first) perform(clone, each);
        const atCheckpoint = picture(clone);
        await folder.checkpoint('one');
        for (const each of second) perform(clone, each);
        const later = picture(clone);
        await folder.goBack(folder.checkpoints()[0]?.id ?? 0);
        expect(picture(clone)).toEqual(atCheckpoint);
        await folder.goBack(folder.checkpoints().find(({ name }) => name.startsWith('Before'))?.id ?? 0);
        expect(picture(clone)).toEqual(later);
        expect(picture(real)).toEqual(untouched);

        await scene.acceptAll();
        expect(picture(real)).toEqual(later);
        expect(await scene.listed()).toEqual([]);

        await folder.settle();
        for (const each of third) perform(clone, each);
        const { changes } = await folder.review([]);
        await folder.discard(changes.map(({ path }) => ({ folder: real, path })));
        expect(picture(clone)).toEqual(later);
        expect(await scene.listed()).toEqual([]);
      }),
      { numRuns: runs, seed, endOnFailure: process.env['CORDON_SHRINK'] === undefined },
    );
  },
  60_000 + runs * 2_000,
);

test.skipIf(disk === undefined)(
  'what the user does outside shows in the clone at the next turn, save where the agent was at work',
  async () => {
    await using scene = await new CloneScene(disk?.path ?? '', real => {
      mkdirSync(path.join(real, 'old'));
      for (const name of ['mine', 'theirs', 'both', 'old/gone'])
        writeFileSync(path.join(real, name), `${name}\n`);
    }).open();
    const { real, clone, folder } = scene;
    const at = (root: string, name: string) => path.join(root, name);
    appendFileSync(at(clone, 'theirs'), 'agent\n');
    appendFileSync(at(clone, 'both'), 'agent\n');
    await folder.note();
    appendFileSync(at(real, 'mine'), 'user\n');
    writeFileSync(at(real, 'both'), 'user\nboth\n');
    mkdirSync(at(real, 'new/inner'), { recursive: true });
    writeFileSync(at(real, 'new/inner/file'), 'new\n');
    rmSync(at(real, 'old'), { recursive: true });
    await folder.settle();

    expect(picture(clone)).toEqual([
      '"both" 644 "both\\nagent\\n"',
      '"mine" 644 "mine\\nuser\\n"',
      '"new" 755 folder',
      '"new/inner" 755 folder',
      '"new/inner/file" 644 "new\\n"',
      '"theirs" 644 "theirs\\nagent\\n"',
    ]);
    expect(await scene.listed()).toEqual(['modified both', 'modified theirs']);

    // Both changed different lines of one file: joined, and the clone has the joint text at the next turn.
    await scene.acceptAll();
    expect(readFileSync(at(real, 'both'), 'utf8')).toBe('user\nboth\nagent\n');
    await folder.settle();
    expect(picture(clone)).toEqual(picture(real));
    expect(await scene.listed()).toEqual([]);
  },
);

test.skipIf(disk === undefined)(
  'a file that both changed in the same lines is a conflict and stays as the user has it',
  async () => {
    await using scene = await new CloneScene(disk?.path ?? '', real =>
      writeFileSync(path.join(real, 'file'), 'one\n'),
    ).open();
    writeFileSync(path.join(scene.clone, 'file'), 'agent\n');
    await scene.folder.note();
    writeFileSync(path.join(scene.real, 'file'), 'user\n');
    await scene.folder.settle();
    const { obstructions } = await scene.folder.prepare([{ folder: scene.real, path: 'file' }]);
    expect(obstructions).toEqual([
      { folder: scene.real, path: 'file', kind: 'conflict', words: 'you changed it too, in the same lines' },
    ]);
  },
);

test.skipIf(disk === undefined)('dropping one new file leaves what lies beside it', async () => {
  await using scene = await new CloneScene(disk?.path ?? '', filled()).open();
  mkdirSync(path.join(scene.clone, 'fresh'));
  for (const name of ['one', 'two']) writeFileSync(path.join(scene.clone, 'fresh', name), `${name}\n`);
  await scene.folder.discard([{ folder: scene.real, path: 'fresh/one' }]);
  expect(await scene.listed()).toEqual(['added fresh', 'added fresh/two']);
});

test.skipIf(disk === undefined)(
  'a conversation that is opened anew finds its clone and what was changed in it',
  async () => {
    await using scene = await new CloneScene(
      disk?.path ?? '',
      filled({ do: 'write', path: 'a/file', text: 'one\n' }),
    ).open();
    writeFileSync(path.join(scene.clone, 'a/file'), 'two\n');
    await scene.open();
    expect(await scene.listed()).toEqual(['modified a/file']);
  },
);

test.skipIf(disk === undefined)('a fork has a clone of its own, as it was at the checkpoint', async () => {
  await using scene = await new CloneScene(
    disk?.path ?? '',
    filled({ do: 'write', path: 'a/file', text: 'one\n' }),
  ).open();
  writeFileSync(path.join(scene.clone, 'a/file'), 'two\n');
  await scene.folder.checkpoint('here');
  writeFileSync(path.join(scene.clone, 'a/file'), 'three\n');
  const other = path.join(scene.root, 'other');
  await scene.folder.fork(scene.folder.checkpoints()[0]?.id ?? 0, other);
  const fork = path.join(other, 'clone', path.basename(scene.directory), 'clone');
  expect([
    readFileSync(path.join(fork, 'a/file'), 'utf8'),
    readFileSync(path.join(scene.clone, 'a/file'), 'utf8'),
  ]).toEqual(['two\n', 'three\n']);
});
