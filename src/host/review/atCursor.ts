import * as vscode from 'vscode';
import type { Hunk } from '../../overlay/hunks.ts';
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
  if (change) return { file: change, side: 'agent', line };
  const file = pathOf(editor.document.uri);
  return file && { file, side: 'user', line };
}

/** The place of the hunk at this line: the one that covers or touches it, else the next one, else the last. */
export function hunkAt(hunks: readonly Hunk[], { side, line }: Pick<CursorPlace, 'side' | 'line'>): number {
  const next = hunks.findIndex(({ afterLine, beforeLine, added, removed }) => {
    const [from, count] = side === 'agent' ? [afterLine, added.length] : [beforeLine, removed.length];
    return line <= from + Math.max(count, 1) - 1;
  });
  return next < 0 ? hunks.length - 1 : next;
}
