import type { CopyOnWriteView } from '../../../sandbox/sandbox.ts';
import type { ChangesEngine } from './changesEngine.ts';

/**
 * What one conversation works in, as long as its window has it open. Its changes outlive it, and are there again when it
 * is opened anew.
 */
export interface WorkingCopy extends AsyncDisposable {
  /**
   * `overlay`, `clone`: a copy-on-write view; the user's files are touched by accepting alone. `direct`: the user's own
   * files, with a checkpoint before each change.
   */
  readonly kind: 'overlay' | 'clone' | 'direct';
  /** Why it is no overlay, or what cannot be changed in it, in whole sentences. */
  readonly because?: string;
  /** Real paths of the workspace folders that can hold changes. */
  readonly folders: readonly string[];
  /** For `openSandbox`. Absent for `direct`. */
  readonly view?: CopyOnWriteView;
  /** The changes in it. Works on another thread; safe to ask at any time. */
  readonly changes: ChangesEngine;
  /**
   * Whether the copy has this file by the agent's own writing, so that what the user does to theirs no longer shows.
   * Absolute path. Absent: never.
   */
  holds?(path: string): boolean;
  /**
   * Makes what the user did to the real files meanwhile visible to the agent. Call when no command runs, before a turn.
   */
  refresh(): Promise<void>;
  /**
   * Where the agent changes the user's own files: to be awaited before each change, and the result called when it is
   * over. Rejects when what the files hold cannot be kept; then nothing may be changed.
   */
  readonly beforeChange?: () => Promise<() => Promise<void>>;
}

/** Whether the agent works beside the user's own files, so that nothing of theirs changes before they accept it. */
export function isCopy(copy: WorkingCopy | undefined): boolean {
  return copy !== undefined && copy.kind !== 'direct';
}
