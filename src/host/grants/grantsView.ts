import * as path from 'node:path';
import * as vscode from 'vscode';
import { messageOf } from '../../base/errors.ts';
import type { Grant, GrantSource } from './grantSource.ts';
import { grantText } from './grantText.ts';
import { plainLabel } from '../plainLabel.ts';
import { shortened } from '../approvals/folderQuickPick.ts';

/** A row of the view: a kind of grants, one grant, or why a kind cannot be listed. */
type Row =
  | { readonly kind: 'source'; readonly source: GrantSource; readonly grants: readonly Grant[] }
  | { readonly kind: 'grant'; readonly source: GrantSource; readonly grant: Grant }
  | { readonly kind: 'problem'; readonly text: string };

const viewId = 'cordon.grants';

/** The view of everything that is allowed, or never: with its age and use, and a way to take it back at once. */
export class GrantsView implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #view: vscode.TreeView<Row>;
  readonly #listening: Disposable[];
  #queued: NodeJS.Timeout | undefined;
  /** While it is seen, ages grow. */
  #clock: NodeJS.Timeout | undefined;

  constructor(private readonly sources: readonly GrantSource[]) {
    this.#view = vscode.window.createTreeView<Row>(viewId, {
      treeDataProvider: {
        onDidChangeTreeData: this.#changed.event,
        getChildren: row => (row === undefined ? this.#roots() : childrenOf(row)),
        getTreeItem,
      },
      showCollapseAll: false,
    });
    this.#view.onDidChangeVisibility(({ visible }) => this.#shown(visible));
    this.#listening = sources.flatMap(({ changed }) =>
      changed === undefined ? [] : [changed.on(() => this.refresh())],
    );
  }

  /** Lists anew, once after everything that changes now. */
  refresh(): void {
    this.#queued ??= setTimeout(() => {
      this.#queued = undefined;
      if (this.#view.visible) this.#changed.fire();
    }, 100);
  }

  /** Takes back the grant of this row; without one, of the selected row, when it is a key that was pressed in the view. */
  async revoke(given: unknown): Promise<void> {
    const row = isGrant(given) ? given : this.#view.selection.find(isGrant);
    await this.#revoke(row ?? (await this.#pick()));
  }

  /** Lets the user pick one. */
  async pickAndRevoke(): Promise<void> {
    await this.#revoke(await this.#pick());
  }

  dispose(): void {
    clearTimeout(this.#queued);
    clearInterval(this.#clock);
    for (const each of this.#listening) each[Symbol.dispose]();
    this.#view.dispose();
    this.#changed.dispose();
  }

  async #revoke(row: Extract<Row, { kind: 'grant' }> | undefined): Promise<void> {
    if (row === undefined) return;
    await row.source.revoke(row.grant.id);
    this.refresh();
  }

  #shown(visible: boolean): void {
    clearInterval(this.#clock);
    if (!visible) return;
    this.#changed.fire();
    this.#clock = setInterval(() => this.#changed.fire(), 60_000);
  }

  #roots(): Row[] {
    return this.sources.flatMap((source): Row[] => {
      try {
        const grants = source.list();
        return grants.length === 0 ? [] : [{ kind: 'source', source, grants }];
      } catch (error) {
        return [{ kind: 'problem', text: messageOf(error) }];
      }
    });
  }

  async #pick(): Promise<Extract<Row, { kind: 'grant' }> | undefined> {
    const rows = this.#roots().flatMap(root =>
      root.kind === 'source'
        ? [
            { label: root.source.title, kind: vscode.QuickPickItemKind.Separator, row: undefined },
            ...childrenOf(root).flatMap(row => (row.kind === 'grant' ? [pickItem(row)] : [])),
          ]
        : [],
    );
    if (rows.length === 0) {
      void vscode.window.showInformationMessage('Cordon: nothing is allowed beyond the defaults.');
      return undefined;
    }
    const picked = await vscode.window.showQuickPick(rows, {
      title: 'Cordon: take back which grant?',
      placeHolder: 'What runs on it ends at once',
      matchOnDescription: true,
    });
    return picked?.row;
  }
}

function pickItem(row: Extract<Row, { kind: 'grant' }>) {
  return {
    label: labelOf(row.grant),
    description: grantText(row.grant, Date.now()),
    iconPath: iconOf(row),
    row,
  };
}

function childrenOf(row: Row): Row[] {
  return row.kind === 'source'
    ? row.grants.map((grant): Row => ({ kind: 'grant', source: row.source, grant }))
    : [];
}

function getTreeItem(row: Row): vscode.TreeItem {
  if (row.kind === 'problem') {
    const item = new vscode.TreeItem(plainLabel(row.text));
    item.iconPath = new vscode.ThemeIcon('error');
    item.tooltip = row.text;
    return item;
  }
  if (row.kind === 'source') {
    const item = new vscode.TreeItem(row.source.title, vscode.TreeItemCollapsibleState.Expanded);
    item.id = row.source.kind;
    item.description = String(row.grants.length);
    return item;
  }
  const { grant, source } = row;
  const text = grantText(grant, Date.now());
  // Of a path its end tells most, and a row is narrow.
  const isPath = source.kind === 'folder' || source.kind === 'writable' || source.kind === 'file';
  const parent = plainLabel(shortened(path.dirname(grant.label)));
  const item = new vscode.TreeItem(isPath ? plainLabel(path.basename(grant.label)) : labelOf(grant));
  item.id = `${source.kind} ${grant.id}`;
  item.description = isPath ? `${text} · in ${parent}` : text;
  item.tooltip = `${plainLabel(grant.label)}\n${text}`;
  item.iconPath = iconOf(row);
  item.contextValue = grant.answer === 'never' ? 'never' : 'grant';
  item.accessibilityInformation = { label: `${labelOf(grant)}, ${text}` };
  return item;
}

function labelOf({ label }: Grant): string {
  return plainLabel(shortened(label));
}

function iconOf({ source, grant }: Extract<Row, { kind: 'grant' }>): vscode.ThemeIcon {
  if (grant.answer === 'never') return new vscode.ThemeIcon('circle-slash');
  const icons = { folder: 'folder', writable: 'edit', command: 'terminal', file: 'key', domain: 'globe' };
  return new vscode.ThemeIcon(icons[source.kind]);
}

function isGrant(row: unknown): row is Extract<Row, { kind: 'grant' }> {
  return typeof row === 'object' && row !== null && Reflect.get(row, 'kind') === 'grant';
}
