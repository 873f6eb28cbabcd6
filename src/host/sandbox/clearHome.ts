import * as vscode from 'vscode';
import { sizeWords } from '../../base/sizeWords.ts';

interface Options {
  /** Of this workspace, as the walls have it. */
  readonly stateDirectory: string;
  /** Ends what runs in it: it must not work with half of what it had. */
  readonly endAll: () => Promise<void>;
}

/** Deletes what commands keep in their private HOME, once the user says so. */
export async function clearHome({ stateDirectory, endAll }: Options): Promise<void> {
  const { clearPrivateHome, privateHomes, privateHomeSize } = await import('../../../sandbox/privateHome.ts');
  const bytes = await privateHomeSize(stateDirectory);
  if (privateHomes(stateDirectory).length === 0) {
    void vscode.window.showInformationMessage('Cordon: no command has a private home folder here yet.');
    return;
  }
  const clear = 'Clear';
  const answer = await vscode.window.showWarningMessage(
    `Clear the private home folder of this workspace's commands (${sizeWords(bytes)})?`,
    {
      modal: true,
      detail:
        'Caches, histories and settings of tools are deleted for good, and commands that run are ended. Your files and your own home folder stay as they are.',
    },
    clear,
  );
  if (answer !== clear) return;
  await endAll();
  await clearPrivateHome(stateDirectory);
  void vscode.window.showInformationMessage('Cordon: The private home folder is empty.');
}
