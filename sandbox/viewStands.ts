import { statSync } from 'node:fs';
import type { CopyOnWriteView } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';

/**
 * Throws `sandbox.viewGone` unless the holder still has its copy-on-write view in the place of each folder: a command
 * would write to the user's own files otherwise. Where the view is a clone, that is shown by name, and nothing is asked.
 */
export function checkView(view: CopyOnWriteView | undefined): void {
  if (view?.holder === undefined) return;
  for (const folder of view.folders) if (!stands(folder, view.holder)) throw sandboxErrors.viewGone(folder);
}

/** A folder in an overlay is on a device of the overlay's own. */
function stands(folder: string, holder: number): boolean {
  try {
    return statSync(`/proc/${holder}/root${folder}`).dev !== statSync(folder).dev;
  } catch {
    return false;
  }
}
