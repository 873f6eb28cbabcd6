import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OverlayedFolder } from '../../../src/session/changes/overlayedFolder.ts';
import { liveOverlay } from './liveOverlay.ts';

test.each<[string, string, string[]]>([
  [
    'one new file leaves what lies beside it',
    'fresh/one',
    [
      'added fresh',
      'added fresh/moved',
      'added fresh/two',
      'deleted here',
      'deleted old',
      'deleted old/a',
      'deleted old/b',
    ],
  ],
  [
    'a new folder brings back what was moved into it',
    'fresh',
    ['deleted old', 'deleted old/a', 'deleted old/b'],
  ],
  [
    'one deletion leaves the others',
    'old/a',
    [
      'added fresh',
      'added fresh/moved',
      'added fresh/one',
      'added fresh/two',
      'deleted here',
      'deleted old/b',
    ],
  ],
])('dropping %s', async (_, dropped, left) => {
  await using overlay = await liveOverlay(real => {
    mkdirSync(`${real}/old`);
    for (const name of ['old/a', 'old/b', 'here']) writeFileSync(`${real}/${name}`, `${name} ${name}\n`);
  });
  const { merged } = overlay;
  mkdirSync(`${merged}/fresh`);
  for (const name of ['one', 'two']) writeFileSync(`${merged}/fresh/${name}`, `${name}\n`);
  renameSync(`${merged}/here`, `${merged}/fresh/moved`);
  rmSync(`${merged}/old`, { recursive: true });

  const folder = new OverlayedFolder(overlay.folder, merged);
  await folder.discard([{ folder: folder.path, path: dropped }]);
  await overlay.refresh();
  const { changes } = await folder.review([]);
  expect(changes.map(({ kind, path }) => `${kind} ${path}`)).toEqual(left);
});
