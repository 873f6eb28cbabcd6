/**
 * Turns a title into the address of a note: lower case, ASCII letters and digits, words joined by one dash.
 *
 * @param {string} title for example "Crème brûlée, again"
 * @returns {string} for example "creme-brulee-again"
 */
export function slugify(title) {
  return title
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '-');
}

/**
 * Makes a slug unique among those already taken by appending the first free number, from 2.
 *
 * @param {string} slug
 * @param {ReadonlySet<string>} taken
 * @returns {string}
 */
export function uniqueSlug(slug, taken) {
  if (!taken.has(slug)) return slug;
  let number = 2;
  while (taken.has(`${slug}-${number}`)) number += 1;
  return `${slug}-${number}`;
}
