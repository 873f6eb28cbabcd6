import * as path from 'node:path';
import * as vscode from 'vscode';
import type { TranscriptItem } from '../../protocol/transcript.ts';
import type { ReviewedChange } from '../../session/changes/changesEngine.ts';
import { plainLabel } from '../plainLabel.ts';
import {
  changeWords,
  filesOf,
  hunkLines,
  hunkText,
  linesOf,
  rowsOf,
  type ChangeRow,
  type FileRow,
  type HunkRow,
} from './changeRows.ts';
import { changeUri } from './changeUri.ts';
import type { WaitingChanges } from './waitingChanges.ts';

export const changesViewId = 'cordon.changes';

interface Options {
  readonly waiting: WaitingChanges;
  /** The transcript of the conversation that is shown. */
  readonly items: () => readonly TranscriptItem[];
  readonly groupBy: () => 'folder' | 'turn';
}

/** The "Changes" view: what waits for the user's word, by folder or turn, file and hunk. */
export class ChangesTree implements vscode.TreeDataProvider<ChangeRow>, vscode.Disposable {
  readonly view: vscode.TreeView<ChangeRow>;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.#changed.event;
  #roots: readonly ChangeRow[] = [];
  /** Hunks by their file, as far as they were opened. */
  readonly #hunks = new Map<string, readonly HunkRow[]>();

  constructor(private readonly options: Options) {
    this.view = vscode.window.createTreeView(changesViewId, {
      treeDataProvider: this,
      canSelectMany: true,
      showCollapseAll: true,
    });
  }

  /** Draws what is known anew. */
  refresh(): void {
    const { waiting, items, groupBy } = this.options;
    this.#hunks.clear();
    this.#roots = rowsOf(waiting.folders, items(), groupBy());
    const { files, added, removed } = waiting.totals;
    const tooltip = `${files} ${files === 1 ? 'change waits' : 'changes wait'} for review`;
    this.view.badge = files === 0 ? undefined : { value: files, tooltip };
    this.view.description = added + removed === 0 ? '' : `+${added} −${removed}`;
    this.#changed.fire();
  }

  /** Every file, as the view has them from top to bottom. */
  get files(): readonly FileRow[] {
    return this.#roots.flatMap(filesOf);
  }

  /**
   * Moves the selection to a file or one of its hunks, and the keyboard where `focus` says so. Does nothing where the
   * view is not to be seen.
   */
  async select(change: ReviewedChange, hunk: number | undefined, focus: boolean): Promise<void> {
    const row = this.files.find(each => keyOf(each) === keyOf({ kind: 'file', change }));
    if (!row || !this.view.visible) return;
    const hunks = hunk === undefined ? [] : await this.#hunksOf(row);
    const target = hunk === undefined ? row : (hunks[Math.min(hunk, hunks.length - 1)] ?? row);
    await this.view.reveal(target, { select: true, focus });
  }

  async getChildren(row?: ChangeRow): Promise<ChangeRow[]> {
    if (row === undefined) return [...this.#roots];
    if (row.kind === 'folder' || row.kind === 'turn') return [...row.files];
    return row.kind === 'file' ? [...(await this.#hunksOf(row))] : [];
  }

  getParent(row: ChangeRow): ChangeRow | undefined {
    if (row.kind === 'hunk')
      return this.files.find(file => keyOf(file) === keyOf({ kind: 'file', change: row.change }));
    if (row.kind !== 'file') return undefined;
    return this.#roots.find(root => root !== row && filesOf(root).some(each => keyOf(each) === keyOf(row)));
  }

  getTreeItem(row: ChangeRow): vscode.TreeItem {
    const item = this.#itemOf(row);
    item.id = keyOf(row);
    return item;
  }

  dispose(): void {
    this.view.dispose();
    this.#changed.dispose();
  }

  async #hunksOf({ change }: FileRow): Promise<readonly HunkRow[]> {
    if (!hasHunks(change)) return [];
    const key = keyOf({ kind: 'file', change });
    const known = this.#hunks.get(key);
    if (known) return known;
    const sides = await (await this.options.waiting.copy())?.changes.sides(change);
    // The version that is shown is the one that is taken.
    const shown = sides ? { ...change, version: sides.version } : change;
    const rows = (sides?.hunks ?? []).map((hunk, index): HunkRow => ({
      kind: 'hunk',
      change: shown,
      index,
      hunk,
    }));
    this.#hunks.set(key, rows);
    return rows;
  }

  #itemOf(row: ChangeRow): vscode.TreeItem {
    const { Collapsed, Expanded, None } = vscode.TreeItemCollapsibleState;
    switch (row.kind) {
      case 'folder': {
        const item = new vscode.TreeItem(plainLabel(path.basename(row.folder)), Expanded);
        return Object.assign(item, {
          iconPath: vscode.ThemeIcon.Folder,
          description: `${row.files.length}`,
          tooltip: row.folder,
          contextValue: 'cordon.group',
          accessibilityInformation: { label: `Folder ${path.basename(row.folder)}, ${counted(row.files)}` },
        });
      }
      case 'turn': {
        const item = new vscode.TreeItem(row.label, Expanded);
        return Object.assign(item, {
          iconPath: new vscode.ThemeIcon('comment'),
          description: `${row.files.length}`,
          contextValue: 'cordon.group',
          accessibilityInformation: { label: `Turn: ${row.label}, ${counted(row.files)}` },
        });
      }
      case 'file':
        return this.#fileItem(row.change, hasHunks(row.change) ? Collapsed : None);
      case 'hunk': {
        const { change, hunk, index } = row;
        const lines = hunkLines(hunk);
        const item = new vscode.TreeItem(`${lines}: ${hunkText(hunk)}`, None);
        const counts = `+${hunk.added.length} −${hunk.removed.length}`;
        return Object.assign(item, {
          description: counts,
          iconPath: new vscode.ThemeIcon(
            hunk.removed.length === 0
              ? 'diff-added'
              : hunk.added.length === 0
                ? 'diff-removed'
                : 'diff-modified',
          ),
          contextValue: 'cordon.hunk',
          command: openCommand(change, hunk.afterLine),
          tooltip: `Lines ${lines} of ${change.path}`,
          accessibilityInformation: {
            label: `Part ${index + 1}, lines ${lines}: ${hunkText(hunk)}. ${hunk.added.length} added, ${hunk.removed.length} removed`,
          },
        });
      }
      case 'outputs': {
        const { group } = row;
        const item = new vscode.TreeItem(plainLabel(group.name), None);
        const why = groupWords[group.kind];
        return Object.assign(item, {
          description: `${group.files.toLocaleString()} ${group.files === 1 ? 'file' : 'files'}, ${why}`,
          iconPath: new vscode.ThemeIcon('archive'),
          tooltip: groupHelp[group.kind],
          contextValue: group.kind === 'ignored' ? 'cordon.outputs' : 'cordon.kept',
          accessibilityInformation: { label: `${group.name}: ${group.files} files, ${why}` },
        });
      }
    }
  }

  #fileItem(change: ReviewedChange, state: vscode.TreeItemCollapsibleState): vscode.TreeItem {
    const { folder, path: own, renamed, protectedBecause } = change;
    const { added, removed } = linesOf(change);
    const item = new vscode.TreeItem(plainLabel(path.basename(own)), state);
    const where = path.dirname(own) === '.' ? [] : [plainLabel(path.dirname(own))];
    const counts = added + removed === 0 ? [] : [`+${added} −${removed}`];
    const from = renamed === undefined ? [] : [`from ${plainLabel(renamed)}`];
    const words = changeWords(change);
    const because = protectedBecause === undefined ? [] : [`Protected: it ${protectedBecause}.`];
    const isFolder = (change.is ?? change.was) === 'directory';
    return Object.assign(item, {
      resourceUri: changeUri({
        conversationId: this.options.waiting.conversationId,
        folder,
        path: own,
        side: 'line',
      }),
      iconPath:
        protectedBecause === undefined
          ? isFolder
            ? vscode.ThemeIcon.Folder
            : vscode.ThemeIcon.File
          : new vscode.ThemeIcon('shield', new vscode.ThemeColor('list.warningForeground')),
      description: [...counts, ...where, ...from].join(' · '),
      contextValue: isFolder ? 'cordon.folderChange' : 'cordon.file',
      tooltip: [plainLabel(own), words, ...because].join('\n'),
      ...(isFolder ? {} : { command: openCommand(change) }),
      accessibilityInformation: {
        label: [path.basename(own), words, ...where.map(each => `in ${each}`), ...because].join(', '),
      },
    });
  }
}

export function hasHunks({ kind, was, is, binary, added, removed }: ReviewedChange): boolean {
  const isText = was === 'file' && is === 'file' && !binary;
  return kind === 'modified' && isText && (added ?? 0) + (removed ?? 0) > 0;
}

function openCommand(change: ReviewedChange, line?: number): vscode.Command {
  return { command: 'cordon.review.openChange', title: 'Open', arguments: [change, line] };
}

function keyOf(row: ChangeRow): string {
  switch (row.kind) {
    case 'folder':
      return JSON.stringify(['folder', row.folder]);
    case 'turn':
      return JSON.stringify(['turn', row.id]);
    case 'file':
      return JSON.stringify(['file', row.change.folder, row.change.path]);
    case 'hunk':
      return JSON.stringify(['hunk', row.change.folder, row.change.path, row.index]);
    case 'outputs':
      return JSON.stringify(['outputs', row.folder, row.group.kind, row.group.name]);
  }
}

function counted(files: readonly FileRow[]): string {
  return `${files.length} ${files.length === 1 ? 'change' : 'changes'}`;
}

const groupWords = {
  ignored: 'ignored',
  repository: 'git’s own data',
  special: 'not a file',
  unreadable: 'not readable',
  unrecorded: 'too large to keep',
} as const;

const groupHelp = {
  ignored: 'Ignored outputs stay in Cordon’s copy. List them to review and accept them.',
  repository: 'Commits are imported by git; nothing in here is copied.',
  special: 'Pipes, sockets and devices are never taken over.',
  unreadable: 'Their permissions keep them from being read.',
  unrecorded: 'What they held before was too large to keep, so it cannot be brought back.',
} as const;
