import * as vscode from 'vscode';
import type { OpenTrashCan } from '../../session/changes/openTrashCan.ts';
import type { TrashItem } from '../../store/trash.ts';

const scheme = 'cordon-trash';

/** A document that shows what an item of the trash holds; or an empty one in the place of a file that is not there. */
export function trashUri({ id, folder, path }: TrashItem, side: 'content' | 'nothing'): vscode.Uri {
  // The file's own path, so that its language is the same.
  return vscode.Uri.from({ scheme, path: `${folder}/${path}`, query: side === 'content' ? String(id) : '' });
}

/** Lets VS Code show documents of the trash. */
export function registerTrashDocuments(openTrash: () => Promise<OpenTrashCan>): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(scheme, {
    async provideTextDocumentContent({ query }) {
      if (!/^\d+$/.test(query)) return '';
      await using trash = await openTrash();
      return Buffer.from(await trash.content(Number(query))).toString('utf8');
    },
  });
}
