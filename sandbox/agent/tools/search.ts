import { stat } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { runRipgrep } from '../ripgrep.ts';
import { defineTool, outsideFolder, quoted, said } from './tool.ts';

const maxLines = 400;

/** Hidden files are searched (configuration lives there), git's own store is not. */
export const everywhere = [
  '--hidden',
  '--no-require-git',
  '--glob',
  '!**/.git/**',
  '--glob',
  '!**/.git',
] as const;

export const searchTool = defineTool({
  name: 'search',
  description:
    'Searches file contents with ripgrep. Ignored files (.gitignore) and binary files are left out. ' +
    'Results come as path:line:text.',
  kind: 'search',
  isReadOnly: true,
  input: {
    pattern: plain('Regular expression (Rust syntax), or plain text when literal is set.').min(1),
    path: z.string().optional().describe('Folder or file to search; the first workspace folder when absent.'),
    literal: z.boolean().optional().describe('Take the pattern as plain text.'),
    ignore_case: z.boolean().optional(),
    include: plain('Only files that match this glob, such as *.ts or src/**.').optional(),
    context_lines: z.number().int().min(0).max(20).optional().describe('Lines to show around each match.'),
  },
  title: ({ pattern, path: where }) => `Search for ${pattern}${where === undefined ? '' : ` in ${where}`}`,
  path: ({ path: where }) => (where === undefined ? undefined : { path: where }),
  async run({ pattern, path: given = '.', literal, ignore_case, include, context_lines }, context) {
    const resolved = await context.workspace.resolve(given);
    const where = given === '.' ? 'the workspace folder' : given;
    if (resolved.kind !== 'inside') return said(false, outsideFolder(resolved));
    if (!resolved.exists)
      return said(false, `${given} does not exist. Use list_files to find the right path.`);
    const isFolder = (await stat(resolved.real)).isDirectory();
    const cwd = isFolder ? resolved.path : path.dirname(resolved.path);
    const result = await runRipgrep(
      context.ripgrep,
      [
        '--line-number',
        '--with-filename',
        '--no-heading',
        '--color=never',
        '--sort=path',
        '--max-columns=500',
        '--max-columns-preview',
        '--max-filesize=20M',
        ...everywhere,
        ...(literal === true ? ['--fixed-strings'] : []),
        ...(ignore_case === true ? ['--ignore-case'] : []),
        ...(include === undefined ? [] : ['--glob', include]),
        ...(context_lines === undefined ? [] : ['--context', String(context_lines)]),
        '--regexp',
        pattern,
        '--',
        isFolder ? '.' : path.basename(resolved.path),
      ],
      cwd,
      maxLines,
      context.signal,
    );
    if (result.problem !== undefined)
      return quoted(
        false,
        'The search failed. For plain text set literal.',
        'ripgrep',
        result.problem,
        2_000,
      );
    if (result.lines.length === 0)
      return said(true, `Nothing matches ${JSON.stringify(pattern)} in ${where}.`);
    const unsaved = [...context.unsaved].filter(each => each.startsWith(`${resolved.path}/`));
    const base = context.workspace.shorten(cwd);
    const lines = result.lines.map(line => (line.startsWith('./') ? line.slice(2) : line));
    const sentence = [
      `${lines.length} lines${base === '.' ? '' : `, paths relative to ${base}`}.`,
      ...(unsaved.length === 0
        ? []
        : [
            `Unsaved changes in the editor were not searched: ${unsaved
              .slice(0, 10)
              .map(each => context.workspace.shorten(each))
              .join(', ')}.`,
          ]),
      ...(result.isCut ? ['There were more: make the pattern or the path narrower.'] : []),
    ].join(' ');
    return quoted(true, sentence, `search in ${where}`, lines.join('\n'));
  },
});

/** Goes to a program as an argument, which cannot hold a null byte. */
function plain(description: string) {
  return z
    .string()
    .max(4_000)
    .refine(text => !text.includes('\0'), 'must not hold a null byte')
    .describe(description);
}
