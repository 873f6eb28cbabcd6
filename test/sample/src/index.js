import { slugify, uniqueSlug } from './slug.js';
import { countWords, minutesToRead } from './words.js';

/**
 * @typedef {object} Entry
 * @property {string} slug
 * @property {string} title
 * @property {number} words
 * @property {number} minutes
 */

/**
 * The index of notes, in the order given. Two notes with one title get different slugs.
 *
 * @param {Iterable<import('./note.js').Note>} notes
 * @returns {Entry[]}
 */
export function buildIndex(notes) {
  const taken = new Set();
  const entries = [];
  for (const { title, text } of notes) {
    const slug = uniqueSlug(slugify(title), taken);
    taken.add(slug);
    const words = countWords(text);
    entries.push({ slug, title, words, minutes: minutesToRead(words) });
  }
  return entries;
}
