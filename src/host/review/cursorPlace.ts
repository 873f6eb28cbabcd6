import * as vscode from 'vscode';
import type { ChangedPath } from '../../session/changes/changesEngine.ts';
import { sideOf } from './changeUri.ts';
import { pathOf } from './userFiles.ts';

/** Where the keyboard is in a change. */
export interface CursorPlace {
  readonly file: ChangedPath;
  /** Whose text it is in, and the line, counted from 1. */
  readonly side: 'agent' | 'user';
  readonly line: number;
}

/** Undefined when the active editor is no side of a change. */
export function cursorPlace(editor: vscode.TextEditor | undefined): CursorPlace | undefined {
  if (!editor) return undefined;
  const line = editor.selection.active.line + 1;
  const change = sideOf(editor.document.uri);
  if (change) return { file: change, side: change.side === 'agent' ? 'agent' : 'user', line };
  const file = pathOf(editor.document.uri);
  return file && { file, side: 'user', line };
}
