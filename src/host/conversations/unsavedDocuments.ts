import * as vscode from 'vscode';
import { Emitter } from '../../base/emitter.ts';
import type { UnsavedText } from '../../session/files/unsavedText.ts';

/** The files that are open in the editor with changes that are not saved. Keeps only their paths; texts are the editor's. */
export class UnsavedDocuments implements UnsavedText, vscode.Disposable {
  readonly #changed = new Emitter<void>();
  readonly #paths = new Set<string>();
  readonly #listening: vscode.Disposable[];

  constructor() {
    for (const document of vscode.workspace.textDocuments) this.#look(document);
    this.#listening = [
      // Comes with every key, and when a document is saved or reverted: nothing is done unless its state turned.
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.#look(document)),
      vscode.workspace.onDidSaveTextDocument(document => this.#look(document)),
      vscode.workspace.onDidCloseTextDocument(document => this.#look(document, false)),
    ];
  }

  textOf(path: string): string | undefined {
    if (!this.#paths.has(path)) return undefined;
    const document = vscode.workspace.textDocuments.find(
      each => each.uri.scheme === 'file' && each.uri.fsPath === path,
    );
    return document?.isDirty ? document.getText() : undefined;
  }

  paths(): readonly string[] {
    return [...this.#paths];
  }

  onChange(listener: () => void): Disposable {
    return this.#changed.on(listener);
  }

  dispose(): void {
    for (const each of this.#listening) each.dispose();
  }

  #look(document: vscode.TextDocument, isOpen = true): void {
    if (document.uri.scheme !== 'file') return;
    const { fsPath } = document.uri;
    const isUnsaved = isOpen && document.isDirty;
    if (isUnsaved === this.#paths.has(fsPath)) return;
    if (isUnsaved) this.#paths.add(fsPath);
    else this.#paths.delete(fsPath);
    this.#changed.emit();
  }
}
