import * as vscode from 'vscode';
import { changeLetter, changeWords } from './changeRows.ts';
import { sideOf } from './changeUri.ts';
import type { WaitingChanges } from './waitingChanges.ts';

/** The letter and colour that git's view gives. */
export class ChangeDecorations implements vscode.FileDecorationProvider, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeFileDecorations = this.#changed.event;

  constructor(private readonly waiting: WaitingChanges) {}

  refresh(): void {
    this.#changed.fire(undefined);
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    const side = sideOf(uri);
    const change = side?.side === 'line' ? this.waiting.find(side) : undefined;
    if (!change) return undefined;
    const letter = changeLetter(change);
    return new vscode.FileDecoration(letter, changeWords(change), new vscode.ThemeColor(colours[letter]));
  }

  dispose(): void {
    this.#changed.dispose();
  }
}

const colours = {
  A: 'gitDecoration.addedResourceForeground',
  M: 'gitDecoration.modifiedResourceForeground',
  D: 'gitDecoration.deletedResourceForeground',
  R: 'gitDecoration.renamedResourceForeground',
  T: 'gitDecoration.modifiedResourceForeground',
} as const;
