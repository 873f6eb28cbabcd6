import * as vscode from 'vscode';

/** Calls the listener after files of the workspace were saved; saves in quick succession are one. */
export function onSaved(listener: () => void): vscode.Disposable {
  let timer: NodeJS.Timeout | undefined;
  const saving = vscode.workspace.onDidSaveTextDocument(({ uri }) => {
    if (uri.scheme !== 'file' || vscode.workspace.getWorkspaceFolder(uri) === undefined) return;
    clearTimeout(timer);
    timer = setTimeout(listener, gather);
  });
  return vscode.Disposable.from(saving, { dispose: () => clearTimeout(timer) });
}

/** Milliseconds. */
const gather = 200;
