import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodePath, encodePath } from '../../../src/base/fileName.ts';

test('every name that a file may have survives the way in and out', () => {
  const bytes = fc
    .uint8Array({ minLength: 1, maxLength: 20 })
    .map(each => Buffer.from(each).filter(byte => byte !== 0 && byte !== 47));
  const mixed = fc
    .tuple(bytes, fc.string({ unit: 'grapheme' }), bytes)
    .map(([a, text, b]) => Buffer.concat([a, Buffer.from(text.replaceAll(/[\0/]/g, '')), b]));
  fc.assert(
    fc.property(mixed, name => {
      expect(Buffer.from(encodePath(decodePath(name)))).toEqual(Buffer.from(name));
    }),
    { seed: 3, numRuns: 2_000 },
  );
});

test('a name that is UTF-8 stays an ordinary string', () => {
  expect([decodePath(Buffer.from('ünï 🐟')), encodePath('ünï 🐟')]).toEqual(['ünï 🐟', 'ünï 🐟']);
});
