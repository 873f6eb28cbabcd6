import { existsSync } from 'node:fs';
import { attributeDenials, type AttributedDenial } from './denials.ts';
import type { LaunchRequest, SandboxOptions } from './sandbox.ts';

interface Folders {
  readonly folders: readonly { readonly path: string; readonly realPath: string }[];
}

/** A failed command, as it was launched. */
export type FailedCommand = Pick<LaunchRequest, 'cwd' | 'writableFolders' | 'grantedFolders'>;

/**
 * What the walls of a session refused a command, told from what it printed. `refusal` is how they say no to what they
 * do not show: by mounts it is not there, by a profile it may not be opened.
 */
export function explainDenials(
  facts: Folders,
  options: Pick<SandboxOptions, 'copyOnWrite'>,
  output: string,
  { cwd, writableFolders, grantedFolders = [] }: FailedCommand,
  refusal: 'notThere' | 'notPermitted' = 'notThere',
): AttributedDenial[] {
  const granted = grantedFolders.filter(({ access }) => access !== 'none');
  return attributeDenials(output, {
    cwd,
    folders: [
      ...facts.folders.flatMap(({ path, realPath }) => [path, realPath]),
      ...granted.map(({ path }) => path),
    ],
    writableFolders: [
      ...writableFolders,
      ...(options.copyOnWrite?.folders ?? []),
      ...granted.filter(({ access }) => access === 'write').map(({ path }) => path),
    ],
    exists: existsSync,
    refusal,
  });
}
