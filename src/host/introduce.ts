import type * as vscode from 'vscode';
import type { Panels } from '../panel/panels.ts';

/** Once, after the installation: the view opens by itself, since nobody looks for it where it is. */
export async function introduce(memory: vscode.Memento, panels: Pick<Panels, 'reveal'>): Promise<void> {
  if (memory.get('introduced') === true) return;
  await memory.update('introduced', true);
  await panels.reveal();
}
