import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { placeOf } from '../../../../src/session/files/place.ts';

let root: string;
const at = (...names: string[]) => path.join(root, ...names);

beforeAll(() => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), 'cordon-place-')));
  for (const folder of ['one/src', 'two', 'outside', 'one/.vscode'])
    mkdirSync(at(folder), { recursive: true });
  writeFileSync(at('one/src/a.js'), '');
  symlinkSync(at('one'), at('link to one'));
  symlinkSync(at('outside'), at('one/out'));
  symlinkSync('.vscode', at('one/docs'));
  symlinkSync('loop', at('one/loop'));
});
afterAll(() => rmSync(root, { recursive: true }));

test('a path is placed in its folder, as written and with links resolved', async () => {
  expect(await placeOf([at('two'), at('one')], at('one/src/../src/a.js'))).toEqual({
    folder: at('one'),
    path: at('one/src/a.js'),
    relative: ['src/a.js', 'src/a.js'],
  });
  expect((await placeOf([at('one')], at('one/docs/tasks.json')))?.relative).toEqual([
    'docs/tasks.json',
    '.vscode/tasks.json',
  ]);
});

test('what does not exist yet counts by its nearest parent', async () => {
  expect((await placeOf([at('one')], at('one/new/deep/file')))?.relative).toEqual([
    'new/deep/file',
    'new/deep/file',
  ]);
});

test('a folder that is itself a link holds its files under both names', async () => {
  const folder = at('link to one');
  expect((await placeOf([folder], at('link to one/src/a.js')))?.folder).toBe(folder);
  expect((await placeOf([folder], at('one/src/a.js')))?.folder).toBe(folder);
});

test('outside is outside, however it is written', async () => {
  for (const given of [
    at('outside/x'),
    at('one/../outside/x'),
    at('one/out/x'),
    at('onextra'),
    at('one/loop/x'),
    at('one/src/a.js/x'),
    at('one/\0x'),
    'src/a.js',
    '/',
    '/etc/passwd',
    '',
  ])
    expect([given, await placeOf([at('one')], given)]).toEqual([given, undefined]);
  expect(await placeOf([], at('one/src/a.js'))).toBeUndefined();
});
