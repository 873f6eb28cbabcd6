import * as vscode from 'vscode';
import { messageOf } from '../../base/errors.ts';
import type { ReviewedChange } from '../../session/changes/changesEngine.ts';
import type { ChangeRow } from './changeRows.ts';
import { changesViewId, type ChangesTree } from './changesTree.ts';
import { openChange } from './diffEditors.ts';
import { isThread, type LineComments } from './lineComments.ts';
import { userUri } from './userFiles.ts';
import type { UserWord } from './userWord.ts';
import type { WaitingChanges } from './waitingChanges.ts';

interface Parts {
  readonly waiting: WaitingChanges;
  readonly tree: ChangesTree;
  readonly word: UserWord;
  readonly comments: LineComments;
  readonly open: () => Promise<void>;
  readonly groupBy: (by: 'folder' | 'turn') => Promise<void>;
}

/** The commands of the view, of the diff editors and of comments, by their identifiers. */
export function registerReviewCommands(parts: Parts): vscode.Disposable[] {
  const { waiting, tree, word, comments } = parts;
  /** A menu gives the line it was opened on and the selection; a key gives nothing. */
  const rowsOf = (row?: ChangeRow, rows?: readonly ChangeRow[]) =>
    rows ?? (row ? [row] : tree.view.selection);
  const commands: Record<string, (...given: never[]) => unknown> = {
    'cordon.review.open': () => parts.open(),
    'cordon.review.showView': () => vscode.commands.executeCommand(`${changesViewId}.focus`),
    'cordon.review.openChange': (change: ReviewedChange, line?: number) =>
      openChange(waiting, change, {
        preserveFocus: true,
        ...(line === undefined ? {} : { line }),
      }),
    'cordon.review.openFile': async (row?: ChangeRow) => {
      const [first] = rowsOf(row);
      if (first && 'change' in first) await vscode.window.showTextDocument(userUri(first.change));
    },
    'cordon.review.accept': (row?: ChangeRow, rows?: readonly ChangeRow[]) =>
      word.sayRows('accept', rowsOf(row, rows)),
    'cordon.review.discard': (row?: ChangeRow, rows?: readonly ChangeRow[]) =>
      word.sayRows('discard', rowsOf(row, rows)),
    'cordon.review.acceptAll': () => word.acceptAll(),
    'cordon.review.discardAll': () => word.discardAll(),
    'cordon.review.acceptFile': () => word.sayFile('accept'),
    'cordon.review.discardFile': () => word.sayFile('discard'),
    'cordon.review.acceptHunk': () => word.sayHunk('accept'),
    'cordon.review.discardHunk': () => word.sayHunk('discard'),
    'cordon.review.completeMerge': () => word.completeMerge(),
    'cordon.review.groupByTurn': () => parts.groupBy('turn'),
    'cordon.review.groupByFolder': () => parts.groupBy('folder'),
    'cordon.review.listOutputs': async (row?: ChangeRow) => {
      const [first] = rowsOf(row);
      if (first?.kind === 'outputs')
        await waiting.include(first.group.paths.map(path => ({ folder: first.folder, path })));
    },
    'cordon.review.hideOutputs': () => waiting.excludeAll(),
    'cordon.review.addComment': (reply: vscode.CommentReply) => comments.add(reply),
    'cordon.review.addAndSendComment': (reply: vscode.CommentReply) => comments.addAndSend(reply),
    'cordon.review.sendComments': () => comments.send(),
    'cordon.review.removeComment': (thread: unknown) =>
      isThread(thread) ? comments.remove(thread) : undefined,
  };
  return Object.entries(commands).map(([id, run]) =>
    vscode.commands.registerCommand(id, async (...given: never[]) => {
      try {
        await run(...given);
      } catch (error) {
        void vscode.window.showErrorMessage(`Cordon: ${messageOf(error)}`);
      }
    }),
  );
}
