import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { recoverApplies } from '../../../src/overlay/apply.ts';
import { DirectScene } from './directScene.ts';
import { filled } from './filled.ts';
import { operation, perform, picture, type Operation } from './operations.ts';

// Thousands by hand: CORDON_RUNS=2000.
const runs = Number(process.env['CORDON_RUNS'] ?? 60);
const seed = Number(process.env['CORDON_SEED'] ?? 20_261_121);

test(
  'whatever is done to the folder: accepting leaves it, discarding makes it as before, and going back makes it what it was',
  async () => {
    const some = fc.array(operation, { minLength: 1, maxLength: 25, size: 'max' });
    await fc.assert(
      fc.asyncProperty(some, some, some, some, async (before, first, second, third) => {
        await using scene = await new DirectScene(filled(...before)).open();
        const { real, folder } = scene;
        const untouched = picture(real);
        const act = (operations: readonly Operation[]) =>
          scene.agent(() => operations.forEach(each => perform(real, each)));

        await act(first);
        const atCheckpoint = picture(real);
        await folder.checkpoint('one');
        await act(second);
        const later = picture(real);
        await folder.goBack(folder.checkpoints()[0]?.id ?? 0);
        expect(picture(real)).toEqual(atCheckpoint);
        await folder.goBack(folder.checkpoints().find(({ name }) => name.startsWith('Before'))?.id ?? 0);
        expect(picture(real)).toEqual(later);

        expect(await scene.discard(...(await scene.all()))).toEqual([]);
        expect(picture(real)).toEqual(untouched);
        expect(await scene.listed()).toEqual([]);

        await act(first);
        await scene.accept(...(await scene.all()));
        expect(picture(real)).toEqual(atCheckpoint);
        expect(await scene.listed()).toEqual([]);

        await act(third);
        expect(await scene.discard(...(await scene.all()))).toEqual([]);
        expect(picture(real)).toEqual(atCheckpoint);
      }),
      { numRuns: runs, seed, endOnFailure: process.env['CORDON_SHRINK'] === undefined },
    );
  },
  60_000 + runs * 2_000,
);

test('what the user does before, between and after is nobody else’s: neither listed nor undone', async () => {
  await using scene = await new DirectScene(real => {
    for (const name of ['mine', 'theirs', 'gone']) writeFileSync(path.join(real, name), `${name}\n`);
  }).open();
  await scene.agent(() => appendFileSync(scene.at('theirs'), 'agent\n'));
  await scene.user(() => {
    appendFileSync(scene.at('mine'), 'user\n');
    mkdirSync(scene.at('new'));
    writeFileSync(scene.at('new/file'), 'user\n');
    rmSync(scene.at('gone'));
  });
  expect(await scene.listed()).toEqual(['modified theirs']);
  await scene.agent(() => appendFileSync(scene.at('mine'), 'agent\n'));
  expect(await scene.listed()).toEqual(['modified mine', 'modified theirs']);
  await scene.discard({ path: 'mine' }, { path: 'theirs' });
  expect(picture(scene.real)).toEqual([
    '"mine" 644 "mine\\nuser\\n"',
    '"new" 755 folder',
    '"new/file" 644 "user\\n"',
    '"theirs" 644 "theirs\\n"',
  ]);
  // What the agent wrote is in the trash.
  const thrown = scene.trash.list().map(item => readFileSync(scene.trash.contentPath(item), 'utf8'));
  expect(thrown.toSorted()).toEqual(['mine\nuser\nagent\n', 'theirs\nagent\n']);
});

test('the agent’s change alone is taken out of a file that the user went on with', async () => {
  const lines = ['one', 'two', 'three', 'four', 'five', ''];
  await using scene = await new DirectScene(real =>
    writeFileSync(path.join(real, 'file'), lines.join('\n')),
  ).open();
  await scene.agent(() => writeFileSync(scene.at('file'), lines.join('\n').replace('one', 'ONE')));
  await scene.user(() =>
    writeFileSync(scene.at('file'), scene.read('file').replace('five', 'five and more')),
  );
  expect(await scene.discard({ path: 'file' })).toEqual([]);
  expect(scene.read('file')).toBe('one\ntwo\nthree\nfour\nfive and more\n');
});

test('what the user wrote over the agent’s lines stays, unless they say so', async () => {
  await using scene = await new DirectScene(real =>
    writeFileSync(path.join(real, 'file'), 'before\n'),
  ).open();
  await scene.folder.checkpoint('start');
  await scene.agent(() => writeFileSync(scene.at('file'), 'agent\n'));
  await scene.user(() => writeFileSync(scene.at('file'), 'user\n'));
  expect(await scene.discard({ path: 'file' })).toEqual(['file: you changed it after the agent did']);
  const back = await scene.folder
    .goBack(scene.folder.checkpoints()[0]?.id ?? 0)
    .catch((error: unknown) => error);
  expect([Reflect.get(back as object, 'code'), scene.read('file')]).toEqual([
    'direct.userWasThere',
    'user\n',
  ]);
  expect(await scene.discard({ path: 'file', takesTheirs: true })).toEqual([]);
  expect(scene.read('file')).toBe('before\n');
});

test('of a file some hunks are accepted and others dropped', async () => {
  const lines = Array.from({ length: 9 }, (_, at) => `line ${at}\n`);
  await using scene = await new DirectScene(real =>
    writeFileSync(path.join(real, 'file'), lines.join('')),
  ).open();
  const changed = lines.with(0, 'FIRST\n').with(4, 'MIDDLE\n').with(8, 'LAST\n');
  await scene.agent(() => writeFileSync(scene.at('file'), changed.join('')));
  await scene.accept({ path: 'file', hunks: [0] });
  expect(await scene.discard({ path: 'file', hunks: [0] })).toEqual([]);
  expect(scene.read('file')).toBe(lines.with(0, 'FIRST\n').with(8, 'LAST\n').join(''));
  const { hunks } = await scene.folder.sides('file');
  expect(hunks?.map(({ added }) => added)).toEqual([['LAST\n']]);
});

test('ignored outputs, secrets and the repository are neither kept nor listed; large files are told', async () => {
  await using scene = await new DirectScene(real => {
    for (const folder of ['.git/info', 'out', 'node_modules/p'])
      mkdirSync(path.join(real, folder), { recursive: true });
    writeFileSync(path.join(real, '.gitignore'), 'out/\n');
    for (const name of ['.git/HEAD', '.git/info/exclude', 'out/a', '.env', 'file', 'large'])
      writeFileSync(path.join(real, name), 'x\n');
    truncateSync(path.join(real, 'large'), 80 * 1024 * 1024);
  }).open();
  await scene.agent(() => {
    for (const name of ['.git/HEAD', 'out/a', 'out/b', '.env', 'node_modules/p/index.js', 'file', 'large'])
      appendFileSync(scene.at(name), 'more\n');
    // Hiding a change of a file that was there does not work.
    writeFileSync(scene.at('.gitignore'), 'out/\nfile\nhidden\n');
    writeFileSync(scene.at('hidden'), 'new\n');
  });
  const kept = path.join(scene.root, 'session/kept');
  expect(['.git/HEAD', 'out', '.env', 'large'].filter(name => existsSync(path.join(kept, name)))).toEqual([]);
  const { changes, groups } = await scene.folder.review([]);
  expect(changes.map(({ path }) => path)).toEqual(['.gitignore', 'file']);
  expect(groups.map(({ kind, name }) => `${kind} ${name}`)).toContain('ignored hidden');
  expect(groups.map(({ kind, name }) => `${kind} ${name}`)).toContain('unrecorded large');
});

test('a save is never lost to a discard, however the two meet', async () => {
  await using scene = await new DirectScene(real => {
    for (const name of ['file', 'other']) writeFileSync(path.join(real, name), 'before\n');
  }).open();
  const ends = { done: 0, refused: 0 };
  for (let round = 0; round < 12; round++) {
    await scene.agent(() => {
      for (const name of ['file', 'other']) writeFileSync(scene.at(name), `agent ${round}\n`);
    });
    const text = `user ${round}\n`;
    // Somewhere on its way, another place each time.
    let effects = 0;
    scene.before = () => {
      if (++effects === 2 + 2 * round) writeFileSync(scene.at('file'), text);
    };
    const said = await scene.discard({ path: 'file' }, { path: 'other' }).catch((error: unknown) => error);
    scene.before = undefined;
    const isWhole = Array.isArray(said) && said.length === 0;
    ends[isWhole ? 'done' : 'refused']++;
    const thrown = scene.trash
      .list()
      .flatMap(item => (item.kind === 'file' ? [readFileSync(scene.trash.contentPath(item), 'utf8')] : []));
    const isSafe = effects < 2 + 2 * round || [scene.read('file'), ...thrown].includes(text);
    expect({ round, isSafe }).toEqual({ round, isSafe: true });
    // Of two files that are dropped together, never one alone.
    expect(scene.read('other') === 'before\n').toBe(isWhole);
    for (const name of ['file', 'other']) writeFileSync(scene.at(name), 'before\n');
    await scene.accept(...(await scene.all()));
  }
  expect([ends.done > 0, ends.refused > 0]).toEqual([true, true]);
});

test('a window that ended in the middle of a change knows what was changed', async () => {
  await using scene = await new DirectScene(real =>
    writeFileSync(path.join(real, 'file'), 'before\n'),
  ).open();
  await scene.folder.beginChange();
  writeFileSync(scene.at('file'), 'half\n');
  await scene.open();
  expect(await scene.listed()).toEqual(['modified file']);
  expect(await scene.discard({ path: 'file' })).toEqual([]);
  expect(scene.read('file')).toBe('before\n');
});

test('a discard that is killed before any of its effects is finished or undone at the next start', async () => {
  let [whole, none] = [0, 0];
  for (let effects = 0; ; effects += 2) {
    await using scene = await new DirectScene(real => {
      mkdirSync(path.join(real, 'old'));
      for (const name of ['file', 'old/one', 'old/two']) writeFileSync(path.join(real, name), `${name}\n`);
    }).open();
    const before = picture(scene.real);
    await scene.agent(() => {
      writeFileSync(scene.at('file'), 'agent\n');
      rmSync(scene.at('old'), { recursive: true });
      mkdirSync(scene.at('new'));
      writeFileSync(scene.at('new/file'), 'new\n');
      chmodSync(scene.at('file'), 0o600);
    });
    const after = picture(scene.real);
    const choices = await scene.all();
    let seen = 0;
    scene.before = () => {
      if (++seen > effects) throw new Error('killed');
    };
    const result = await scene.discard(...choices).catch((error: unknown) => error);
    scene.before = undefined;
    await recoverApplies(scene.options);
    await scene.open();
    const found = picture(scene.real);
    expect([before, after]).toContainEqual(found);
    // Whatever came of it, it can still be dropped, or is.
    expect(await scene.discard(...(await scene.all()))).toEqual([]);
    expect(picture(scene.real)).toEqual(before);
    if (found.join() === before.join()) whole++;
    else none++;
    if (!(result instanceof Error)) break;
  }
  expect([whole > 3, none > 3]).toEqual([true, true]);
}, 120_000);
