import type { SandboxOptions } from '../../../sandbox/sandbox.ts';
import type { WorkingCopy } from '../../session/changes/workingCopy.ts';
import type { Places } from '../places.ts';
import * as settings from '../settings.ts';
import { workspaceFolders } from '../workspaceFolders.ts';

/** What all walls of this window have in common, around a copy of the workspace or around the user's own files. */
export function wallOptions(copy: WorkingCopy | undefined, places: Places): SandboxOptions {
  return {
    folders: workspaceFolders(),
    stateDirectory: places.workspace(),
    ...(copy?.view === undefined ? {} : { copyOnWrite: copy.view }),
    extraReadOnlyPaths: settings.extraReadOnlyPaths(),
    limits: settings.commandLimits(),
    backend: settings.sandboxBackend(),
  };
}
