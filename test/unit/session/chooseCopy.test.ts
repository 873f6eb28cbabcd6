import { expect, test } from 'vitest';
import { chooseCopy, type CopyFacts } from '../../../src/session/changes/chooseCopy.ts';

const good: CopyFacts = { wanted: 'copyOnWrite', platform: 'linux', canClone: true };

test.each<[string, Partial<CopyFacts>, string]>([
  ['an overlay where it can be had', {}, 'overlay'],
  ['a clone where it cannot', { noOverlay: 'No.' }, 'clone'],
  ['the user’s own files where neither can', { noOverlay: 'No.', canClone: false }, 'direct'],
  ['the user’s own files when they want that', { wanted: 'direct' }, 'direct'],
  ['the user’s own files on macOS', { platform: 'darwin' }, 'direct'],
])('%s', (_, facts, kind) => {
  const choice = chooseCopy({ ...good, ...facts });
  expect([choice.kind, choice.because === undefined]).toEqual([kind, kind === 'overlay']);
});
