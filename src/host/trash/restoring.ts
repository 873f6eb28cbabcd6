import * as path from 'node:path';
import * as vscode from 'vscode';
import { CordonError } from '../../base/errors.ts';
import { sizeWords } from '../../base/sizeWords.ts';
import type { AcceptOutcome } from '../../session/changes/changesEngine.ts';
import type { OpenTrashCan } from '../../session/changes/openTrashCan.ts';
import type { WorkingCopy } from '../../session/changes/workingCopy.ts';
import type { TrashItem } from '../../store/trash.ts';
import { plainLabel } from '../plainLabel.ts';
import { trashUri } from './trashDocuments.ts';

interface Options {
  /** Real paths of the workspace folders. */
  readonly folders: () => readonly string[];
  readonly openTrash: () => Promise<OpenTrashCan>;
  readonly copyOf: (conversationId: string) => Promise<WorkingCopy>;
  /** The user's files are others now, so what waits may be. */
  readonly onRestored: () => void;
}

type Accepted = Extract<AcceptOutcome, { kind: 'accepted' }>;

/** The way back to what accepting overwrote, deleted or made. */
export class Restoring implements vscode.Disposable {
  /** Beside the word that says what was accepted; it goes after a while, the command stays. */
  readonly #offer = vscode.window.createStatusBarItem(
    'cordon.undoLastAccept',
    vscode.StatusBarAlignment.Left,
    -1,
  );
  #offerEnds: NodeJS.Timeout | undefined;
  #lastAccept: { readonly conversationId: string; readonly outcome: Accepted } | undefined;

  constructor(private readonly options: Options) {
    this.#offer.name = 'Cordon: undo the last accept';
    this.#offer.text = '$(discard) Undo Accept';
    this.#offer.tooltip = 'Cordon: your files become what they were, and the changes wait again';
    this.#offer.command = 'cordon.undoLastAccept';
  }

  dispose(): void {
    clearTimeout(this.#offerEnds);
    this.#offer.dispose();
  }

  /** To be told of each accepting, so that the last can be undone. */
  accepted(conversationId: string, outcome: AcceptOutcome): void {
    if (outcome.kind !== 'accepted' || outcome.batches.length === 0) return;
    this.#lastAccept = { conversationId, outcome };
    void vscode.commands.executeCommand('setContext', 'cordon.canUndoAccept', true);
    this.#offer.show();
    clearTimeout(this.#offerEnds);
    this.#offerEnds = setTimeout(() => this.#offer.hide(), offerTime);
  }

  /** The user's files become what they were before the last accepting, and its changes wait again. */
  async undoLastAccept(): Promise<void> {
    const last = this.#lastAccept;
    if (last === undefined) throw nothingAccepted();
    refuseUnsaved(last.outcome.accepted.map(({ folder, path: inner }) => path.join(folder, inner)));
    const copy = await this.options.copyOf(last.conversationId);
    const outcome = await copy.changes.undo(last.outcome.batches);
    if (outcome.kind === 'obstructed') throw obstructed(outcome);
    this.#lastAccept = undefined;
    this.#offer.hide();
    await vscode.commands.executeCommand('setContext', 'cordon.canUndoAccept', false);
    vscode.window.setStatusBarMessage(`$(check) Cordon: Undid ${counted(outcome.accepted.length)}`, 5_000);
  }

  /** Lets the user choose among what is in the trash, look at it, and have it back. */
  async choose(): Promise<void> {
    await using trash = await this.options.openTrash();
    const items = await trash.list(this.options.folders());
    if (items.length === 0) throw trashEmpty();
    const chosen = await chooseItems(items);
    if (chosen.length === 0) return;
    refuseUnsaved(chosen.map(fileOf));
    const outcome = await trash.restore(chosen.map(({ id }) => id));
    if (outcome.kind === 'obstructed') throw obstructed(outcome);
    this.options.onRestored();
    this.#offerUndo(outcome);
  }

  /** Not awaited: a message that nobody answers stays. */
  #offerUndo(outcome: Accepted): void {
    const undo = 'Undo';
    void vscode.window
      .showInformationMessage(`Restored ${counted(outcome.accepted.length)}.`, undo)
      .then(async answer => {
        if (answer !== undo) return;
        await using trash = await this.options.openTrash();
        const undone = await trash.undo(outcome.batches);
        this.options.onRestored();
        if (undone.kind === 'obstructed')
          void vscode.window.showErrorMessage(`Cordon: ${obstructed(undone).message}`);
      });
  }
}

/** Milliseconds for which undoing is offered in the status bar. */
const offerTime = 30_000;

interface Row extends vscode.QuickPickItem {
  readonly item: TrashItem;
}

function chooseItems(items: readonly TrashItem[]): Promise<readonly TrashItem[]> {
  return new Promise(resolve => {
    const quickPick = vscode.window.createQuickPick<Row>();
    quickPick.title = 'Restore from the trash';
    quickPick.placeholder = 'What to put back; what lies there now goes to the trash itself';
    quickPick.canSelectMany = true;
    quickPick.matchOnDescription = true;
    quickPick.matchOnDetail = true;
    // It stays while a difference is looked at.
    quickPick.ignoreFocusOut = true;
    quickPick.items = items.map(rowOf);
    let chosen: readonly TrashItem[] = [];
    quickPick.onDidTriggerItemButton(({ item }) => void showDifference(item.item));
    quickPick.onDidAccept(() => {
      chosen = quickPick.selectedItems.map(({ item }) => item);
      quickPick.hide();
    });
    quickPick.onDidHide(() => {
      quickPick.dispose();
      resolve(chosen);
    });
    quickPick.show();
  });
}

function rowOf(item: TrashItem): Row {
  const when = new Date(item.at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  const size = item.kind === 'file' ? sizeWords(item.size) : item.kind === 'symlink' ? 'link' : 'folder';
  const showable = item.kind !== 'directory';
  return {
    label: plainLabel(item.path),
    description: `${item.why} ${when}, ${size}`,
    detail: plainLabel(item.folder),
    buttons: showable ? [{ iconPath: new vscode.ThemeIcon('diff'), tooltip: 'Show the difference' }] : [],
    item,
  };
}

async function showDifference(item: TrashItem): Promise<void> {
  const now = vscode.Uri.file(fileOf(item));
  const isThere = await vscode.workspace.fs.stat(now).then(
    () => true,
    () => false,
  );
  const title = `${plainLabel(path.basename(item.path))} (now ↔ in the trash)`;
  const options = { preview: true, preserveFocus: true };
  await vscode.commands.executeCommand(
    'vscode.diff',
    isThere ? now : trashUri(item, 'nothing'),
    trashUri(item, 'content'),
    title,
    options,
  );
}

function fileOf({ folder, path: inner }: TrashItem): string {
  return path.join(folder, inner);
}

function counted(files: number): string {
  return files === 1 ? '1 file' : `${files} files`;
}

/** An editor with unsaved edits would overwrite what is put back, or be at odds with it. */
function refuseUnsaved(files: readonly string[]): void {
  const unsaved = vscode.workspace.textDocuments.find(
    document => document.isDirty && files.includes(document.uri.fsPath),
  );
  if (unsaved === undefined) return;
  throw new CordonError(
    'trash.unsaved',
    `${path.basename(unsaved.uri.fsPath)} has unsaved edits. Nothing was changed.`,
    'Save or revert it first.',
  );
}

function obstructed({ obstructions }: Extract<AcceptOutcome, { kind: 'obstructed' }>): CordonError {
  const what = obstructions.map(({ path: inner, words }) => `${inner}: ${words}`).join('; ');
  return new CordonError('trash.obstructed', `Nothing was changed: ${what}.`);
}

function trashEmpty(): CordonError {
  return new CordonError(
    'trash.empty',
    'The trash of this workspace is empty.',
    'What accepting overwrites or deletes is kept there for 30 days.',
  );
}

function nothingAccepted(): CordonError {
  return new CordonError(
    'accept.none',
    'Nothing was accepted in this window that could be undone.',
    'See "Cordon: Restore from Trash…".',
  );
}
