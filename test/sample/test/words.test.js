import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countWords, minutesToRead } from '../src/words.js';

test('white space and lone punctuation are not words', () => {
  assert.equal(countWords('Water high, \n after -- the rain .'), 5);
  assert.equal(countWords('   '), 0);
});

test('reading takes at least a minute', () => {
  assert.equal(minutesToRead(0), 1);
  assert.equal(minutesToRead(660), 3);
});
