import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildIndex } from './index.js';
import { parseNote } from './note.js';

const folder = process.argv[2] ?? 'notes';

const names = (await readdir(folder)).filter(name => name.endsWith('.md')).sort();
const notes = await Promise.all(
  names.map(async name => parseNote(await readFile(join(folder, name), 'utf8'), name)),
);

for (const { slug, title, words, minutes } of buildIndex(notes)) {
  console.log(
    `${slug.padEnd(28)} ${String(words).padStart(3)} words  ${String(minutes).padStart(2)} min   ${title}`,
  );
}
