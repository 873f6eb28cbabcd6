import { expect, test } from 'vitest';
import { chooseCopy, type CopyFacts, describeCopy } from '../../../src/session/changes/chooseCopy.ts';

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

test('an overlay is marked only where something cannot be done in it', () => {
  const detail = 'The agent works in a copy-on-write view of your files; only accepting changes them.';
  expect([describeCopy({ kind: 'overlay' }), describeCopy({ kind: 'overlay', because: 'Why.' })]).toEqual([
    { mark: '', detail },
    { mark: ' · not all can change', detail: `${detail} Why.` },
  ]);
});
