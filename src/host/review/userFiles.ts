import { realpathSync } from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { ChangedPath } from '../../session/changes/changesEngine.ts';

/**
 * The user's own file, under the address by which this window knows it: changes are told by real paths, and a workspace
 * folder may have been opened through a link.
 */
export function userUri({ folder, path: inner }: ChangedPath): vscode.Uri {
  const opened = workspaceFolders().find(({ real }) => real === folder);
  return vscode.Uri.joinPath(opened?.uri ?? vscode.Uri.file(folder), inner);
}

/** The path in a workspace folder that a document of this window is, if it is in one. */
export function pathOf(uri: vscode.Uri): ChangedPath | undefined {
  if (uri.scheme !== 'file') return undefined;
  for (const folder of workspaceFolders()) {
    const inner = path.posix.relative(folder.uri.path, uri.path);
    if (inner !== '' && inner !== '..' && !inner.startsWith('../'))
      return { folder: folder.real, path: inner };
  }
  return undefined;
}

/** The innermost first. */
function workspaceFolders(): { readonly uri: vscode.Uri; readonly real: string }[] {
  return (vscode.workspace.workspaceFolders ?? [])
    .filter(({ uri }) => uri.scheme === 'file')
    .map(({ uri }) => ({ uri, real: realPath(uri.fsPath) }))
    .toSorted((one, other) => other.uri.path.length - one.uri.path.length);
}

/** Asked for every line that is drawn; where a workspace folder leads stays the same as long as it is open. */
const realPaths = new Map<string, string>();

function realPath(folder: string): string {
  const known = realPaths.get(folder);
  if (known !== undefined) return known;
  try {
    const real = realpathSync(folder);
    realPaths.set(folder, real);
    return real;
  } catch {
    // It is gone, or not to be read: then it holds no changes either.
    return folder;
  }
}
