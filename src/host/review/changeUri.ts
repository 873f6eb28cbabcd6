import * as vscode from 'vscode';
import * as z from 'zod';

/** The scheme of documents that show what is in the agent's copy of the workspace. */
export const changeScheme = 'cordon-change';

const Named = z.object({
  conversationId: z.string(),
  folder: z.string(),
  path: z.string(),
  /**
   * What the agent has, what it worked from, what the user has (of a link, where it leads), or nothing: the empty side
   * of what was added or deleted. `line` names no document, but a line of the view: VS Code marks documents that cannot
   * be written with a lock.
   */
  side: z.enum(['agent', 'base', 'user', 'nothing', 'line']),
});
/** One side of a change in one conversation. */
export type ChangeSide = z.infer<typeof Named>;

/** The document's path is that of the user's file, so that its language and icon are the same. */
export function changeUri(side: ChangeSide): vscode.Uri {
  const { conversationId, folder, path } = side;
  return vscode.Uri.from({
    scheme: changeScheme,
    path: `${folder}/${path}`,
    query: JSON.stringify({ conversationId, folder, path, side: side.side }),
  });
}

/** Undefined for whatever is no such document. */
export function sideOf(uri: vscode.Uri): ChangeSide | undefined {
  if (uri.scheme !== changeScheme) return undefined;
  try {
    return Named.safeParse(JSON.parse(uri.query)).data;
  } catch {
    return undefined;
  }
}
