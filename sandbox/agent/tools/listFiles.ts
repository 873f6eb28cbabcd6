import { readdir, stat } from 'node:fs/promises';
import * as z from 'zod';
import { foldPaths } from '../foldPaths.ts';
import { runRipgrep } from '../ripgrep.ts';
import { fileProblem } from '../workspace.ts';
import { everywhere } from './search.ts';
import { defineTool, outsideFolder, quoted, said } from './tool.ts';

/** Files that are looked at, and lines that are shown, at most. */
const maxFiles = 20_000;
const maxEntries = 500;

export const listFilesTool = defineTool({
  name: 'list_files',
  description:
    'Lists the files below a folder, ignored ones (.gitignore) left out. Where there are too many, folders are shown ' +
    'with the number of files in them; list those next.',
  kind: 'search',
  isReadOnly: true,
  input: {
    path: z.string().optional().describe('Folder; the first workspace folder when absent.'),
    include: z
      .string()
      .max(1_000)
      .refine(text => !text.includes('\0'), 'must not hold a null byte')
      .optional()
      .describe('Only files that match this glob, such as *.ts or **/test/**.'),
  },
  title: ({ path = '.', include }) => `List ${path}${include === undefined ? '' : ` (${include})`}`,
  path: ({ path }) => (path === undefined ? undefined : { path }),
  async run({ path = '.', include }, context) {
    const resolved = await context.workspace.resolve(path);
    const where = path === '.' ? 'the workspace folder' : path;
    if (resolved.kind !== 'inside') return said(false, outsideFolder(resolved));
    if (!resolved.exists) return said(false, `${path} does not exist.`);
    if (!(await stat(resolved.real)).isDirectory())
      return said(false, `${where} is a file. Read it with read_file.`);
    const args = [
      '--files',
      '--sort=path',
      ...everywhere,
      ...(include === undefined ? [] : ['--glob', include]),
    ];
    const result = await runRipgrep(context.ripgrep, args, resolved.path, maxFiles, context.signal);
    if (result.problem !== undefined)
      return quoted(false, 'Listing failed.', 'ripgrep', result.problem, 2_000);
    let unlisted: string[] = [];
    try {
      if (include === undefined) unlisted = await unlistedEntries(resolved.real, result.lines);
    } catch (error) {
      return said(false, `${where} could not be listed: ${fileProblem(error)}.`);
    }
    if (result.lines.length === 0 && unlisted.length === 0) return said(true, `No files in ${where}.`);
    const more = result.isCut ? ' or more' : '';
    const sentence = `${result.lines.length.toLocaleString('en-US')}${more} files in ${where}.`;
    // Names are foreign text as well, so these stand inside the quotation too.
    const notes =
      unlisted.length === 0
        ? []
        : [`(In the folder, but ignored or empty: ${unlisted.slice(0, 30).join(', ')})`];
    const lines = [...foldPaths(result.lines, maxEntries), ...notes];
    return quoted(true, sentence, `files in ${where}`, lines.join('\n'));
  },
});

/** What is in the folder itself but has no file in the list, folders with a slash. */
async function unlistedEntries(folder: string, files: readonly string[]): Promise<string[]> {
  const listed = new Set(files.map(file => file.split('/', 1)[0]));
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter(entry => entry.name !== '.git' && !listed.has(entry.name))
    .map(entry => (entry.isDirectory() ? `${entry.name}/` : entry.name));
}
