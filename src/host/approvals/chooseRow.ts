import * as vscode from 'vscode';

/** A row of a quick pick that stands for a choice; `show` only shows something. */
export interface Row<Choice> extends vscode.QuickPickItem {
  readonly choice: Choice | 'show';
}

/** Milliseconds after showing during which nothing can be accepted: the user was typing elsewhere. */
const armingDelay = 600;

/**
 * A quick pick for consent. Nothing is accepted in the first moment, stray typing picks nothing, and the first row
 * should be one that only shows, so that Enter does nothing until the user has moved down on purpose. Undefined when it
 * was closed without an answer, or when the signal closed it.
 */
export function chooseRow<Choice extends string>(
  title: string,
  rows: readonly Row<Choice>[],
  signal: AbortSignal,
): Promise<Choice | undefined> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve(undefined);
    const quickPick = vscode.window.createQuickPick<Row<Choice>>();
    quickPick.title = title;
    quickPick.placeholder = 'Move down to answer; Escape leaves it open';
    quickPick.ignoreFocusOut = true;
    quickPick.matchOnDetail = false;
    // Stray typing must not filter its way to an answer: every row always shows.
    quickPick.items = rows.map(row => ({ ...row, alwaysShow: true }));
    const shownAt = Date.now();
    let answer: Choice | undefined;
    const close = () => quickPick.hide();
    signal.addEventListener('abort', close, { once: true });
    quickPick.onDidChangeValue(() => (quickPick.value = ''));
    quickPick.onDidAccept(() => {
      const [row] = [...quickPick.selectedItems, ...quickPick.activeItems];
      if (row === undefined || row.choice === 'show' || Date.now() - shownAt < armingDelay) {
        // Else a second click on the same row would not count either: it is chosen already, as the editor sees it.
        quickPick.selectedItems = [];
        return;
      }
      answer = row.choice;
      quickPick.hide();
    });
    quickPick.onDidHide(() => {
      signal.removeEventListener('abort', close);
      quickPick.dispose();
      resolve(answer);
    });
    quickPick.show();
  });
}

/** An icon beside the label, not in it: a screen reader would read its name out. */
export function icon(name: string): { iconPath: vscode.ThemeIcon } {
  return { iconPath: new vscode.ThemeIcon(name) };
}
