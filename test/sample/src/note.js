/**
 * @typedef {object} Note
 * @property {string} title the first heading, or the name of the file when there is none
 * @property {string} text everything but that heading
 */

/**
 * Reads a note from its Markdown.
 *
 * @param {string} markdown
 * @param {string} fileName used for the title when the note has no heading
 * @returns {Note}
 */
export function parseNote(markdown, fileName) {
  const heading = /^#\s+(.+?)\s*$/m.exec(markdown);
  if (heading === null) return { title: fileName.replace(/\.md$/, ''), text: markdown.trim() };
  const before = markdown.slice(0, heading.index);
  const after = markdown.slice(heading.index + heading[0].length);
  return { title: heading[1], text: (before + after).trim() };
}
