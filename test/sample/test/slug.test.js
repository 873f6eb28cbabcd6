import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slugify, uniqueSlug } from '../src/slug.js';

test('words are lower case and joined by a dash', () => {
  assert.equal(slugify('First frost of the year'), 'first-frost-of-the-year');
});

test('accents are dropped, letters stay', () => {
  assert.equal(slugify('Crème brûlée'), 'creme-brulee');
});

test('dashes do not repeat, and none is left at either end', () => {
  assert.equal(slugify('  Herons -- at the weir!  '), 'herons-at-the-weir');
});

test('a slug already taken gets the first free number', () => {
  assert.equal(uniqueSlug('rain', new Set()), 'rain');
  assert.equal(uniqueSlug('rain', new Set(['rain', 'rain-2'])), 'rain-3');
});
