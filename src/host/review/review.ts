import * as vscode from 'vscode';
import type { Emitter } from '../../base/emitter.ts';
import type { Log } from '../../base/log.ts';
import type { ChangeTotals } from '../../protocol/panel.ts';
import type { Conversation, SessionEvent } from '../../protocol/transcript.ts';
import type { WorkingCopy } from '../../session/changes/workingCopy.ts';
import { AgentFiles } from './agentFiles.ts';
import { ChangeDecorations } from './changeDecorations.ts';
import { ChangesTree } from './changesTree.ts';
import { changeScheme } from './changeUri.ts';
import { turnsOf } from './changeRows.ts';
import { isOfAll, openAll, shownIn } from './diffEditors.ts';
import { LineComments } from './lineComments.ts';
import { registerReviewCommands } from './reviewCommands.ts';
import { UserWord } from './userWord.ts';
import { WaitingChanges } from './waitingChanges.ts';
import { userUri } from './userFiles.ts';

interface Options {
  /** The conversation that is shown. */
  readonly conversation: () => Conversation;
  /** A conversation's copy of the workspace; undefined where it has none. Rejects where it cannot be opened. */
  readonly copyOf: (conversationId: string) => Promise<WorkingCopy | undefined>;
  readonly events: Emitter<{ conversationId: string; event: SessionEvent }>;
  /** Another conversation is shown. */
  readonly shownChanged: Emitter<void>;
  /** Gives the shown conversation's agent a prompt. */
  readonly send: (prompt: string) => Promise<void>;
  readonly memory: vscode.Memento;
  readonly log: Log;
}

/**
 * Review of what the shown conversation changed: the "Changes" view, the diff editors, accepting and discarding, and
 * comments for the agent.
 */
export class Review implements vscode.Disposable {
  readonly #waiting: WaitingChanges;
  readonly #files: AgentFiles;
  readonly #tree: ChangesTree;
  readonly #decorations: ChangeDecorations;
  readonly #word: UserWord;
  readonly #registrations: vscode.Disposable[];
  readonly #listening: Disposable[];
  /** The user's files that wait, by address. */
  #watched: ReadonlySet<string> = new Set();

  constructor(private readonly options: Options) {
    const { conversation, copyOf, memory, log } = options;
    const isRunning = () => conversation().status !== 'idle';
    const waiting = (this.#waiting = new WaitingChanges({
      conversationId: () => conversation().id,
      copyOf,
      log,
    }));
    this.#files = new AgentFiles({ copyOf, versionOf: side => waiting.find(side)?.version });
    this.#tree = new ChangesTree({
      waiting,
      items: () => conversation().items,
      groupBy: () => (memory.get(groupingKey) === 'turn' ? 'turn' : 'folder'),
    });
    this.#decorations = new ChangeDecorations(waiting);
    const comments = new LineComments({ send: options.send, isRunning });
    this.#word = new UserWord({ waiting, files: this.#files, tree: this.#tree });
    this.#registrations = [
      vscode.workspace.registerFileSystemProvider(changeScheme, this.#files, {
        isReadonly: true,
        isCaseSensitive: true,
      }),
      vscode.window.registerFileDecorationProvider(this.#decorations),
      this.#tree,
      this.#decorations,
      this.#word,
      comments,
      ...registerReviewCommands({
        waiting,
        tree: this.#tree,
        word: this.#word,
        comments,
        open: () => this.open(),
        groupBy: async by => {
          await memory.update(groupingKey, by);
          this.#showGrouping();
          this.#tree.refresh();
        },
      }),
      vscode.window.onDidChangeActiveTextEditor(() => this.#showPlace()),
      vscode.window.tabGroups.onDidChangeTabs(() => this.#showPlace()),
      vscode.window.tabGroups.onDidChangeTabGroups(() => this.#showPlace()),
      ...this.#watchUserFiles(),
    ];
    this.#listening = [
      waiting,
      waiting.changed.on(() => this.#show()),
      options.shownChanged.on(() => {
        if (conversation().id !== waiting.conversationId) {
          comments.clear();
          waiting.refreshSoon();
        }
      }),
      options.events.on(({ conversationId, event }) => {
        if (conversationId === conversation().id && mayHaveChanged(event)) waiting.refreshSoon();
      }),
    ];
    this.#showGrouping();
    this.#showPlace();
    waiting.refreshSoon();
  }

  /** Something of what the panel shows is different. */
  get changed(): Emitter<void> {
    return this.#waiting.changed;
  }

  /** What waits; undefined when nothing does. */
  get totals(): ChangeTotals | undefined {
    const { totals } = this.#waiting;
    return totals.files === 0 ? undefined : totals;
  }

  /** Opens all changes in one editor; with the id of an item of the transcript, those that it made. */
  async open(itemId?: string): Promise<void> {
    await this.#waiting.refresh();
    const rows = this.#tree.files.map(({ change }) => change);
    const paths = itemId === undefined ? undefined : this.#pathsOf(itemId);
    const chosen = paths ? rows.filter(({ folder, path }) => paths.has(`${folder}/${path}`)) : rows;
    if (chosen.length > 0) return openAll(this.#waiting, chosen);
    void vscode.window.showInformationMessage(
      rows.length === 0
        ? 'Cordon: No changes wait for review.'
        : 'Cordon: These changes were accepted or discarded already.',
    );
  }

  /** What an item of the transcript changed; a turn's end stands for the whole turn. */
  #pathsOf(itemId: string): ReadonlySet<string> {
    const { items } = this.options.conversation();
    const at = items.findIndex(({ id }) => id === itemId);
    const item = items[at];
    if (item?.kind === 'turnEnd') return turnsOf(items.slice(0, at + 1)).at(-1)?.paths ?? new Set();
    if (item?.kind === 'toolCall')
      return new Set([...item.diffs.map(({ path }) => path), ...(item.changed?.files ?? [])]);
    return new Set();
  }

  /** Something else than the agent changed what waits. */
  refreshSoon(): void {
    this.#waiting.refreshSoon();
  }

  acceptAll(): Promise<void> {
    return this.#word.acceptAll();
  }

  discardAll(): Promise<void> {
    return this.#word.discardAll();
  }

  dispose(): void {
    for (const registration of this.#registrations) registration.dispose();
    for (const each of this.#listening) each[Symbol.dispose]();
  }

  /** The user may change a file that also waits, in an editor or by any other program. */
  #watchUserFiles(): vscode.Disposable[] {
    const watcher = vscode.workspace.createFileSystemWatcher('**/*');
    const touched = (uri: vscode.Uri) => {
      if (this.#watched.has(uri.toString())) this.#waiting.refreshSoon();
    };
    return [
      watcher,
      watcher.onDidChange(touched),
      watcher.onDidCreate(touched),
      watcher.onDidDelete(touched),
    ];
  }

  #show(): void {
    this.#tree.refresh();
    const watched = this.#tree.files.slice(0, mostWatched);
    this.#watched = new Set(watched.map(({ change }) => userUri(change).toString()));
    this.#decorations.refresh();
    const { files } = this.#waiting.totals;
    void vscode.commands.executeCommand('setContext', 'cordon.changes', files);
    void vscode.commands.executeCommand(
      'setContext',
      'cordon.outputsListed',
      this.#waiting.included.length > 0,
    );
    // The view comes with the first change and then stays, so that the panel does not jump with every answer.
    if (files > 0) void vscode.commands.executeCommand('setContext', 'cordon.changesSeen', true);
    this.#files.refresh().catch((error: unknown) => this.options.log.warn(String(error)));
  }

  #showGrouping(): void {
    const groupBy = this.options.memory.get(groupingKey) === 'turn' ? 'turn' : 'folder';
    void vscode.commands.executeCommand('setContext', 'cordon.changesBy', groupBy);
  }

  /** Whether the keyboard is in an editor of changes; menus and keys go by it. */
  #showPlace(): void {
    const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
    const place = shownIn(tab) ? 'one' : tab && isOfAll(tab) ? 'all' : '';
    void vscode.commands.executeCommand('setContext', 'cordon.inReview', place);
  }
}

/** Beyond it a change of the user's is seen at the next look. */
const mostWatched = 2_000;

const groupingKey = 'changesGroupedBy';

/** A tool that ended, or a turn: not every word that streams by. */
function mayHaveChanged(event: SessionEvent): boolean {
  if (event.type === 'status') return event.status === 'idle';
  if (event.type !== 'item') return false;
  const { item } = event;
  return item.kind === 'turnEnd' || (item.kind === 'toolCall' && item.state.kind === 'finished');
}
