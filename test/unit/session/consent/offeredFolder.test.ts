import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { offeredFolder } from '../../../../src/session/consent/offeredFolder.ts';

let home: string;
beforeAll(() => {
  home = realpathSync(mkdtempSync(path.join(tmpdir(), 'cordon-offer-')));
  for (const folder of ['code/app/.git', 'code/app/src/deep', 'code/notes/a/b', '.git'])
    mkdirSync(path.join(home, folder), { recursive: true });
  for (const file of ['code/app/src/deep/x.js', 'code/notes/a/b/n.md', 'plain.txt'])
    writeFileSync(path.join(home, file), '');
});
afterAll(() => rmSync(home, { recursive: true }));

/** As if the home folder were too wide, and nothing else. */
async function offered(file: string): Promise<unknown> {
  const offer = await offeredFolder(path.join(home, file), folder => {
    if (folder === home || home.startsWith(`${folder}/`)) throw new Error(`${folder} is too wide.`);
    return folder;
  });
  if (typeof offer === 'string') return offer.replace(home, 'HOME');
  return [offer.folder, ...offer.around].map(each => path.relative(home, each));
}

test.each<[string, unknown]>([
  ['code/app/src/deep/x.js', ['code/app', 'code/app/src/deep', 'code/app/src', 'code']],
  ['code/app', ['code/app', 'code']],
  ['code/notes/a/b/n.md', ['code/notes/a/b', 'code/notes/a', 'code/notes', 'code']],
  // What does not exist is asked for by what does.
  ['code/notes/new/file.md', ['code/notes', 'code']],
  // The repository in the home folder is the home folder, and that is too wide: the file alone is offered.
  ['plain.txt', ['plain.txt']],
  ['missing.txt', 'HOME is too wide.'],
])('for %s the offer is %j', async (file, expected) => {
  expect(await offered(file)).toEqual(expected);
});
