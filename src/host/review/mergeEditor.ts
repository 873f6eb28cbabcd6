import * as path from 'node:path';
import * as vscode from 'vscode';
import type { ChangedPath, FileSides } from '../../session/changes/changesEngine.ts';
import { changeUri } from './changeUri.ts';
import { userUri } from './userFiles.ts';

/** Files that the user merges by hand. A merge is done when its result is saved. */
export class HandMerges implements vscode.Disposable {
  readonly #open = new Map<string, ChangedPath>();
  readonly #listening: vscode.Disposable[];

  constructor(onDone: (file: ChangedPath) => void) {
    this.#listening = [
      vscode.workspace.onDidSaveTextDocument(({ uri }) => {
        const file = this.#open.get(uri.toString());
        if (file && this.#open.delete(uri.toString())) onDone(file);
      }),
      // A merge editor that is closed before anything was saved was given up. Its tab has no public kind of its own.
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
        for (const { label, input } of closed)
          for (const [key, file] of this.#open)
            if (!(input instanceof vscode.TabInputText) && label.includes(path.basename(file.path)))
              this.#open.delete(key);
      }),
    ];
  }

  /** Opens VS Code's merge editor on both sides and what the agent worked from; the result is the user's own file. */
  async start(conversationId: string, file: ChangedPath): Promise<void> {
    const output = userUri(file);
    this.#open.set(output.toString(), { folder: file.folder, path: file.path });
    const side = { conversationId, folder: file.folder, path: file.path };
    await vscode.commands.executeCommand('_open.mergeEditor', {
      base: changeUri({ ...side, side: 'base' }),
      input1: {
        uri: changeUri({ ...side, side: 'agent' }),
        title: 'Cordon’s',
        description: 'What the agent made of it',
      },
      input2: { uri: output, title: 'Yours', description: 'As it is in your workspace' },
      output,
    });
  }

  dispose(): void {
    for (const each of this.#listening) each.dispose();
  }
}

export function canMergeByHand({ before, after, base, hunks }: FileSides): boolean {
  return before !== null && after !== null && base !== null && hunks !== null;
}
