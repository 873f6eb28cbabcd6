import * as vscode from 'vscode';
import type { ChangedPath, Obstruction, ReviewedChange } from '../../session/changes/changesEngine.ts';
import type { AgentFiles } from './agentFiles.ts';
import { cursorPlace, type CursorPlace } from './cursorPlace.ts';
import { hunkAt } from './hunkAt.ts';
import type { ChangeRow } from './changeRows.ts';
import type { ChangesTree } from './changesTree.ts';
import { sideOf } from './changeUri.ts';
import { samePath } from './samePath.ts';
import { closeAll, openChange, shownIn } from './diffEditors.ts';
import { canMergeByHand, HandMerges } from './mergeEditor.ts';
import { confirmDiscard, confirmProtected, resolveConflict } from './questions.ts';
import type { Wanted } from './takeOver.ts';
import {
  counted,
  named,
  tellBriefly,
  tellMovedOn,
  tellNothingHere,
  tellObstructions,
  tellTakenOver,
} from './telling.ts';
import { unsavedEditor } from './unsavedEditor.ts';
import { choiceOf, wantedOf } from './wanted.ts';
import type { WaitingChanges } from './waitingChanges.ts';

type Verb = 'accept' | 'discard';

interface Options {
  readonly waiting: WaitingChanges;
  readonly files: AgentFiles;
  readonly tree: ChangesTree;
}

/** Carries out the user's word on changes: accept or discard, for whatever was pointed at, and what follows from it. */
export class UserWord implements vscode.Disposable {
  readonly #merges: HandMerges;

  constructor(private readonly options: Options) {
    this.#merges = new HandMerges(file => this.#merged(file));
  }

  /** Protected ones are left out, and it says so. */
  async acceptAll(): Promise<void> {
    await this.#accept(this.#all(), false);
  }

  async discardAll(): Promise<void> {
    const all = this.options.waiting.changes;
    if (all.length === 0) return;
    const { totals, isDirect } = this.options.waiting;
    if (await confirmDiscard(totals.files, isDirect)) await this.#discard(all.map(change => ({ change })));
  }

  /** Lines of the view. Afterwards the selection is on what comes next. */
  async sayRows(verb: Verb, rows: readonly ChangeRow[]): Promise<void> {
    const since = Date.now();
    const wanted = wantedOf(rows);
    const [first] = wanted;
    if (!first) return;
    const place = this.options.tree.files.findIndex(({ change }) => samePath(change, first.change));
    if (verb === 'accept') await this.#accept(wanted, rows.length === 1 || !rows.some(isGroup));
    else if (wanted.length === 1 || (await confirmDiscard(wanted.length, this.options.waiting.isDirect)))
      await this.#discard(wanted);
    const { files } = this.options.tree;
    const same = files.find(({ change }) => samePath(change, first.change));
    const next = same ?? files[Math.min(place, files.length - 1)];
    if (!next) return;
    // Whoever had to wait, or was asked something, may be typing elsewhere by now.
    const isPrompt = Date.now() - since < patience;
    await this.options.tree.select(next.change, same ? first.hunks?.[0] : undefined, isPrompt);
    // Who reads one after the other sees the next one.
    if (!same && isPrompt && shownIn(vscode.window.tabGroups.activeTabGroup.activeTab))
      await openChange(this.options.waiting, next.change, { preserveFocus: true });
  }

  /** The file of the active editor. Afterwards the next one is open. */
  async sayFile(verb: Verb): Promise<void> {
    const file = activeFile();
    const change = file && this.options.waiting.find(file);
    if (!change) return tellNothingHere();
    const place = this.options.tree.files.findIndex(row => samePath(row.change, change));
    const isWhole = file.side === 'agent' ? await this.#isAsShown(change) : true;
    if (!isWhole) return;
    await (verb === 'accept' ? this.#accept([{ change }], true) : this.#discard([{ change }]));
    if (!this.options.waiting.find(change)) await this.#openNext(place);
  }

  /** The hunk at the cursor. Afterwards the cursor is on the next one. */
  async sayHunk(verb: Verb): Promise<void> {
    const place = cursorPlace(vscode.window.activeTextEditor);
    const change = place && this.options.waiting.find(place.file);
    if (!change) return tellNothingHere();
    const copy = await this.options.waiting.copy();
    const sides = await copy?.changes.sides(change);
    if (!sides?.hunks || sides.hunks.length === 0 || change.is === null || change.was === null)
      return this.sayFile(verb);
    const shown = this.#agentDocument(change);
    if (shown && !this.options.files.isShown(shown, sides.after)) return this.#movedOn(change);
    const index = hunkAt(sides.hunks, place);
    const at = this.options.tree.files.findIndex(row => samePath(row.change, change));
    const wanted = { change, hunks: [index], version: sides.version };
    await (verb === 'accept' ? this.#accept([wanted], true) : this.#discard([wanted]));
    if (this.options.waiting.find(change)) await this.#moveToHunk(change, index, place);
    else await this.#openNext(at);
  }

  completeMerge(): Promise<void> {
    return this.#merges.complete();
  }

  dispose(): void {
    this.#merges.dispose();
  }

  async #accept(wanted: readonly Wanted[], mayAsk: boolean): Promise<void> {
    const { waiting } = this.options;
    const copy = await waiting.copy();
    if (!copy || wanted.length === 0) return;
    const { takeOver } = await import('./takeOver.ts');
    const done = await takeOver(
      {
        changes: copy.changes,
        waiting: () => waiting.changes,
        unsavedEditor,
        ...(mayAsk
          ? { confirm: (path, because) => confirmProtected(path, because, () => this.#showChange(path)) }
          : {}),
      },
      wanted,
    );
    await waiting.refresh();
    tellTakenOver(done);
    if (done.leftOut.length > 0 && !mayAsk) void this.#offerProtected(done.leftOut);
    for (const obstruction of done.obstructions.filter(({ kind }) => kind === 'conflict'))
      await this.#resolve(obstruction, wanted);
    await this.#closeWhenDone();
  }

  async #discard(wanted: readonly Wanted[]): Promise<void> {
    const { waiting } = this.options;
    const copy = await waiting.copy();
    const outcome = await copy?.changes.discard(wanted.map(choiceOf));
    await waiting.refresh();
    if (outcome?.kind === 'obstructed') tellObstructions(outcome.obstructions);
    else if (outcome) tellBriefly(`Discarded ${counted(wanted)}`);
    await this.#closeWhenDone();
  }

  /** All that waits: what has a line, and folders that went, which nothing else takes along. */
  #all(): Wanted[] {
    const shown = this.options.tree.files.map(({ change }) => change);
    const hidden = this.options.waiting.changes.filter(
      change => change.kind === 'deleted' && change.protectedBecause === undefined && !shown.includes(change),
    );
    return [...shown, ...hidden].map(change => ({ change }));
  }

  async #offerProtected(leftOut: readonly ChangedPath[]): Promise<void> {
    const goThrough = 'Go Through Them';
    const files = leftOut.length === 1 ? 'file was' : 'files were';
    const answer = await vscode.window.showWarningMessage(
      `Cordon: ${leftOut.length} protected ${files} left out: ${named(leftOut)}. Each is accepted by itself.`,
      goThrough,
    );
    if (answer !== goThrough) return;
    const changes = leftOut.flatMap(path => this.options.waiting.find(path) ?? []);
    for (const change of changes) {
      await this.#showChange(change);
      await this.#accept([{ change }], true);
      // Who wants to look at it first is not asked about the next one meanwhile.
      if (this.options.waiting.find(change)) return;
    }
  }

  async #showChange(path: ChangedPath): Promise<void> {
    const change = this.options.waiting.find(path);
    if (change) await openChange(this.options.waiting, change);
  }

  async #resolve(obstruction: Obstruction, wanted: readonly Wanted[]): Promise<void> {
    const { waiting } = this.options;
    const copy = await waiting.copy();
    const change = waiting.find(obstruction);
    if (!copy || !change) return;
    const sides = await copy.changes.sides(change).catch(() => undefined);
    const isUnsaved = unsavedEditor(change) !== undefined;
    const choice = await resolveConflict(obstruction, {
      canMerge: sides !== undefined && canMergeByHand(sides) && !isUnsaved,
      canTake: !isUnsaved,
    });
    // The whole file is as it is now; parts are those that were shown.
    const parts = wanted.find(each => each.hunks && samePath(each.change, change));
    const own = choiceOf(parts ?? { change });
    switch (choice) {
      case 'compare':
        return openChange(waiting, change);
      case 'merge':
        return this.#merges.start(waiting.conversationId, change);
      case 'mine':
        return this.#discard([{ change }]);
      case 'theirs': {
        const isConfirmed = change.protectedBecause !== undefined;
        const outcome = await copy.changes.accept([{ ...own, takesTheirs: true, isConfirmed }]);
        await waiting.refresh();
        if (outcome.kind === 'obstructed') tellObstructions(outcome.obstructions);
        else tellBriefly(`Took Cordon’s version of ${named([change])}`);
        return;
      }
      case undefined:
        return;
    }
  }

  async #merged(file: ChangedPath): Promise<void> {
    const copy = await this.options.waiting.copy();
    if (!copy) return;
    await copy.changes.checkpoint(`Before "${file.path}" was merged by hand at ${new Date().toISOString()}`);
    await copy.changes.taken([file]);
    await this.options.waiting.refresh();
    tellBriefly(`Merged ${named([file])}`);
  }

  async #movedOn(change: ChangedPath): Promise<void> {
    await this.options.waiting.refresh();
    tellMovedOn([change]);
  }

  async #isAsShown(change: ReviewedChange): Promise<boolean> {
    const uri = this.#agentDocument(change);
    if (!uri) return true;
    const sides = await (await this.options.waiting.copy())?.changes.sides(change);
    if (!sides || this.options.files.isShown(uri, sides.after)) return true;
    await this.#movedOn(change);
    return false;
  }

  #agentDocument(change: ChangedPath): vscode.Uri | undefined {
    return vscode.workspace.textDocuments.find(({ uri }) => {
      const side = sideOf(uri);
      return side?.side === 'agent' && samePath(side, change);
    })?.uri;
  }

  async #moveToHunk(change: ReviewedChange, index: number, { side }: CursorPlace): Promise<void> {
    const sides = await (await this.options.waiting.copy())?.changes.sides(change);
    const hunk = sides?.hunks?.[Math.min(index, sides.hunks.length - 1)];
    const editor = vscode.window.activeTextEditor;
    if (!hunk || !editor) return;
    const line = (side === 'agent' ? hunk.afterLine : hunk.beforeLine) - 1;
    const at = new vscode.Position(line, 0);
    editor.selection = new vscode.Selection(at, at);
    editor.revealRange(new vscode.Range(at, at), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  /** In the editor of all changes the next file is below; in that of one, it takes its place. */
  async #openNext(place: number): Promise<void> {
    const { files } = this.options.tree;
    const next = files[Math.min(Math.max(place, 0), files.length - 1)];
    const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
    if (!shownIn(tab)) {
      if (next) await vscode.commands.executeCommand('multiDiffEditor.goToNextChange');
    } else if (next) await openChange(this.options.waiting, next.change, { line: 1 });
    else if (tab) await vscode.window.tabGroups.close(tab);
  }

  async #closeWhenDone(): Promise<void> {
    if (this.options.tree.files.length === 0) await closeAll();
  }
}

/** Milliseconds. */
const patience = 1_000;

function isGroup({ kind }: ChangeRow): boolean {
  return kind === 'folder' || kind === 'turn';
}

/** The file of the active editor, or of the active tab where that shows no text. */
function activeFile(): (ChangedPath & { readonly side: 'agent' | 'user' }) | undefined {
  const place = cursorPlace(vscode.window.activeTextEditor);
  if (place) return { ...place.file, side: place.side };
  const side = shownIn(vscode.window.tabGroups.activeTabGroup.activeTab);
  return side && { folder: side.folder, path: side.path, side: 'agent' };
}
