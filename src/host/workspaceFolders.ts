import * as vscode from 'vscode';

/** The folders of this window that lie on a real file system, as absolute paths. */
export function workspaceFolders(): string[] {
  return (vscode.workspace.workspaceFolders ?? [])
    .filter(each => each.uri.scheme === 'file')
    .map(each => each.uri.fsPath);
}
