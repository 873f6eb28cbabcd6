import * as path from 'node:path';
import * as vscode from 'vscode';
import { plainLabel } from '../plainLabel.ts';
import type { ChangedPath, FileSides } from '../../session/changes/changesEngine.ts';
import { changeUri } from './changeUri.ts';
import { userUri } from './userFiles.ts';

/**
 * Files that the user merges by hand in VS Code's merge editor. That a file was saved does not tell that its merge is
 * done (it may save by itself); only completing it does, or the user's word when the editor is closed.
 */
export class HandMerges implements vscode.Disposable {
  readonly #open = new Map<string, ChangedPath>();
  readonly #closing: vscode.Disposable;

  constructor(private readonly onDone: (file: ChangedPath) => Promise<void>) {
    // The tab of a merge editor has no public kind of its own; its title names the file.
    this.#closing = vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
      for (const { label, input } of closed)
        for (const [key, file] of this.#open)
          if (!(input instanceof vscode.TabInputText) && label.includes(path.basename(file.path)))
            void this.#closed(key, file);
    });
  }

  /** Opens both sides and what the agent worked from; the result is the user's own file. */
  async start(conversationId: string, { folder, path: own }: ChangedPath): Promise<void> {
    const output = userUri({ folder, path: own });
    const side = { conversationId, folder, path: own };
    await vscode.commands.executeCommand('_open.mergeEditor', {
      base: changeUri({ ...side, side: 'base' }),
      input1: { uri: changeUri({ ...side, side: 'agent' }), title: 'Cordon’s' },
      // Not the file itself: that is the result, and changes while it is merged.
      input2: { uri: changeUri({ ...side, side: 'user' }), title: 'Yours' },
      output,
    });
    this.#open.set(output.toString(), { folder, path: own });
    await this.#tell();
  }

  /** Completes the merge in the active editor; VS Code asks when conflicts are left. */
  async complete(): Promise<void> {
    const label = vscode.window.tabGroups.activeTabGroup.activeTab?.label ?? '';
    const found = [...this.#open].find(([, file]) => label.includes(path.basename(file.path)));
    if (!found) return;
    const [key, file] = found;
    // From here on the closing of its tab is no news.
    this.#open.delete(key);
    const done: unknown = await vscode.commands.executeCommand('mergeEditor.acceptMerge');
    const isDone =
      typeof done === 'object' && done !== null && 'successful' in done && done.successful === true;
    if (isDone) await this.onDone(file);
    else this.#open.set(key, file);
    await this.#tell();
  }

  dispose(): void {
    this.#closing.dispose();
  }

  async #closed(key: string, file: ChangedPath): Promise<void> {
    this.#open.delete(key);
    await this.#tell();
    const done = 'It Is Merged';
    const answer = await vscode.window.showInformationMessage(
      `Cordon: Is the merge of "${plainLabel(file.path)}" complete? Until you say so, the change stays in the list.`,
      done,
    );
    if (answer === done) await this.onDone(file);
  }

  async #tell(): Promise<void> {
    await vscode.commands.executeCommand('setContext', 'cordon.merging', this.#open.size > 0);
  }
}

export function canMergeByHand({ before, after, base, hunks }: FileSides): boolean {
  return before !== null && after !== null && base !== null && hunks !== null;
}
