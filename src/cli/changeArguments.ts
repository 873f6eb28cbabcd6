import { realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../base/errors.ts';

/** What `cordon review`, `apply` or `discard` was asked. */
export interface ChangeArguments {
  readonly kind: 'right';
  /** Real absolute paths. */
  readonly folders: readonly string[];
  readonly session: string | undefined;
  readonly yes: boolean;
  readonly json: boolean;
  /** Absolute, through the real path of the caller's folder. Empty: everything. */
  readonly paths: readonly string[];
  /** The same as they were typed. */
  readonly words: readonly string[];
}

/** Reads the words after the command. */
export function readChangeArguments(
  argv: readonly string[],
): ChangeArguments | { readonly kind: 'wrong'; readonly message: string } {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options,
      allowPositionals: true,
      strict: true,
    });
    const folders = (values.workspace ?? ['.']).map(folder => path.resolve(folder));
    const missing = folders.find(folder => !statSync(folder, { throwIfNoEntry: false })?.isDirectory());
    if (missing !== undefined) return wrong(`${missing} is not a folder.`);
    const real = folders.map(folder => realpathSync(folder));
    return {
      kind: 'right',
      folders: real,
      session: values.session,
      yes: values.yes ?? false,
      json: values.json ?? false,
      paths: positionals.map(name => locate(name, folders, real)),
      words: positionals,
    };
  } catch (error) {
    return wrong(messageOf(error));
  }
}

/** A path as typed: from the caller's folder when that is in a workspace, else from the first workspace. */
function locate(name: string, folders: readonly string[], real: readonly string[]): string {
  const here = process.cwd();
  const inside = [...folders, ...real].some(folder => `${here}/`.startsWith(`${folder}/`));
  const full = path.resolve(inside ? here : (real[0] ?? here), name);
  // The path itself may be gone, or a link: only the workspace's own part is resolved.
  const at = folders.findIndex(folder => full === folder || full.startsWith(`${folder}/`));
  return at < 0 ? full : (real[at] ?? '') + full.slice((folders[at] ?? '').length);
}

const options = {
  workspace: { type: 'string', multiple: true },
  session: { type: 'string' },
  yes: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

function wrong(message: string): { kind: 'wrong'; message: string } {
  return { kind: 'wrong', message };
}
