import { literal } from '../shell/field.ts';
import type { Field } from '../shell/field.ts';
import { textTools } from './textTools.ts';
import type { ToolTable } from './table.ts';

/** Every tool that is known, by the words that begin its commands. */
export const tools: readonly ToolTable[] = [...textTools];

const byName = new Map<string, ToolTable>();
for (const table of tools) for (const name of [table.name, ...(table.aliases ?? [])]) byName.set(name, table);

/** Folders whose programs are the system's own, so that the full path names the same tool. */
const systemFolders = /^\/(?:usr\/)?bin\//;

/** The table for a command, and where its arguments begin. */
export function findTool(
  words: readonly Field[],
): { readonly table: ToolTable; readonly from: number } | undefined {
  const [first, second] = words;
  const name = first === undefined ? undefined : literal(first)?.replace(systemFolders, '');
  if (name === undefined) return undefined;
  const sub = second === undefined ? undefined : literal(second);
  const two = sub === undefined ? undefined : byName.get(`${name} ${sub}`);
  if (two) return { table: two, from: 2 };
  const one = byName.get(name);
  return one && { table: one, from: 1 };
}
