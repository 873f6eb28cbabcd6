import * as vscode from 'vscode';
import type { ChangedPath } from '../../session/changes/changesEngine.ts';
import type { UnsavedEditor } from './takeOver.ts';
import { userUri } from './userFiles.ts';

/** The editor of this file when it holds edits that are not saved. */
export function unsavedEditor(file: ChangedPath): UnsavedEditor | undefined {
  const key = userUri(file).toString();
  const document = vscode.workspace.textDocuments.find(each => each.isDirty && each.uri.toString() === key);
  if (!document) return undefined;
  const { version } = document;
  const text = document.getText();
  return {
    text,
    isUtf8: ['utf8', 'utf8bom'].includes(document.encoding),
    put: async wanted => await put(document, version, wanted),
  };
}

async function put(document: vscode.TextDocument, version: number, after: string): Promise<boolean> {
  const { lineEdits } = await import('./lineEdits.ts');
  if (document.version !== version) return false;
  const edit = new vscode.WorkspaceEdit();
  const whole = document.validateRange(new vscode.Range(0, 0, document.lineCount, 0));
  const edits = lineEdits(document.getText(), after);
  if (!edits) edit.replace(document.uri, whole, after);
  for (const { from, to, text } of edits ?? [])
    edit.replace(document.uri, document.validateRange(new vscode.Range(from, 0, to, 0)), text);
  return await vscode.workspace.applyEdit(edit);
}
