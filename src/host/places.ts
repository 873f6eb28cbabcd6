import { createHash } from 'node:crypto';
import * as path from 'node:path';
import type * as vscode from 'vscode';
import { workspaceFolders } from './workspaceFolders.ts';

/** Where Cordon keeps what it has on disk, and where its own programs lie. Absolute paths. */
export interface Places {
  /** For all workspaces of this user; the next four are in it. */
  readonly storage: string;
  readonly history: string;
  readonly grants: string;
  /** Of applies that are under way. */
  readonly journals: string;
  readonly trash: string;
  /** What belongs to this set of folders: the private HOME, the conversations' copies of the workspace. */
  readonly workspace: () => string;
  /** One of the programs that are built beside the extension. */
  readonly program: (name: string) => string;
}

export function placesOf(context: vscode.ExtensionContext): Places {
  const storage = context.globalStorageUri.fsPath;
  return {
    storage,
    history: path.join(storage, 'history.db'),
    grants: path.join(storage, 'grants.db'),
    journals: path.join(storage, 'applies'),
    trash: path.join(storage, 'trash'),
    workspace: () => {
      const names = workspaceFolders().toSorted().join('\0');
      return path.join(storage, 'workspaces', createHash('sha256').update(names).digest('hex').slice(0, 16));
    },
    program: name => context.asAbsolutePath(`dist/${name}`),
  };
}
