import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildIndex } from '../src/index.js';
import { parseNote } from '../src/note.js';

test('a note without a heading is named after its file', () => {
  assert.deepEqual(parseNote('Just text.\n', 'rain.md'), { title: 'rain', text: 'Just text.' });
});

test('the index keeps the order and gives each note an address of its own', () => {
  const notes = [parseNote('# Rain\n\nAll day.', 'a.md'), parseNote('# Rain\n\nAgain.', 'b.md')];
  assert.deepEqual(buildIndex(notes), [
    { slug: 'rain', title: 'Rain', words: 2, minutes: 1 },
    { slug: 'rain-2', title: 'Rain', words: 1, minutes: 1 },
  ]);
});
