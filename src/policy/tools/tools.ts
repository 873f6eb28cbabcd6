import { literal } from '../shell/field.ts';
import type { Field } from '../shell/field.ts';
import { awk } from './awk.ts';
import { byteTools } from './byteTools.ts';
import { fileTools } from './fileTools.ts';
import { find } from './find.ts';
import { gitTools } from './git/git.ts';
import { grep } from './grep.ts';
import { jq } from './jq.ts';
import { numberTools } from './numberTools.ts';
import { ripgrep } from './ripgrep.ts';
import { sed } from './sed.ts';
import { shellBuiltins } from './shellBuiltins.ts';
import { systemTools } from './systemTools.ts';
import type { ToolTable } from './table.ts';
import { textTools } from './textTools.ts';
import { toolchainReports, versions } from './versions.ts';

/** Every tool that is known. One that is named twice is the first. */
export const tools: readonly ToolTable[] = [
  ...textTools,
  ...byteTools,
  ...numberTools,
  ...fileTools,
  grep,
  ripgrep,
  sed,
  awk,
  jq,
  find,
  ...shellBuiltins,
  ...systemTools,
  ...gitTools,
  ...toolchainReports,
  ...versions,
];

const byName = new Map<string, ToolTable>();
for (const table of tools)
  for (const name of [table.name, ...(table.aliases ?? [])]) if (!byName.has(name)) byName.set(name, table);

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
