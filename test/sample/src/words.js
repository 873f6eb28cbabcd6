const WORDS_PER_MINUTE = 220;

/**
 * Counts the words of a text. Anything between white space that holds a letter or a digit is a word.
 *
 * @param {string} text
 * @returns {number}
 */
export function countWords(text) {
  return text.split(/\s+/u).filter(word => /[\p{Letter}\p{Number}]/u.test(word)).length;
}

/**
 * How long reading takes, in whole minutes, never less than one.
 *
 * @param {number} words
 * @returns {number}
 */
export function minutesToRead(words) {
  return Math.max(1, Math.round(words / WORDS_PER_MINUTE));
}
