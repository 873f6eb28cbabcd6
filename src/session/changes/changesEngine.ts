import type { ChangeGroup } from '../../overlay/changeset.ts';
import type { DescribedChange } from '../../overlay/describeChange.ts';
import type { Hunk } from '../../overlay/hunks.ts';
import type { TrashItem } from '../../store/trash.ts';

// Everything here is plain data: it crosses threads.

/** A path in a workspace folder: real path of the folder, and the path in it with `/`. */
export interface ChangedPath {
  readonly folder: string;
  readonly path: string;
}

/** One change that waits for the user's word. A protected one is accepted only when it is confirmed by itself. */
export interface ReviewedChange extends DescribedChange, ChangedPath {
  /** Tells this state of both sides from every other one. */
  readonly version: string;
}

export interface FolderReview {
  readonly folder: string;
  /** In the order of their paths; parents come before children. */
  readonly changes: readonly ReviewedChange[];
  /** What is counted and not listed. */
  readonly groups: readonly ChangeGroup[];
}

export interface FileSides {
  /** In the user's folder, in the agent's copy, and what the agent worked from where that was kept. Null: no file. */
  readonly before: Uint8Array | null;
  readonly after: Uint8Array | null;
  readonly base: Uint8Array | null;
  /** What differs, in order; null for what has no lines to compare. */
  readonly hunks: readonly Hunk[] | null;
  /** As in `ReviewedChange`. */
  readonly version: string;
}

/** A change to take or to drop: whole, or only these hunks (their places in `FileSides.hunks`). */
export interface Choice extends ChangedPath {
  readonly hunks?: readonly number[];
  /** What the user looked at. When it is something else by now, nothing is done. Absent: whatever is there. */
  readonly version?: string;
  /** For a protected path: the user confirmed this one by itself. */
  readonly isConfirmed?: boolean;
  /** The user saw the conflict and takes the agent's version all the same. */
  readonly takesTheirs?: boolean;
}

/** Why a choice cannot be done; `words` is the end of a line that names the path. */
export interface Obstruction extends ChangedPath {
  /**
   * `conflict`: the user changed it too. `changed`: it is not what the user looked at any more. `protected`: to be
   * confirmed by itself, for its name or a key in it. `gone`: there is no such change. `disk`: anything else that is in the way on the disk.
   */
  readonly kind: 'conflict' | 'changed' | 'protected' | 'gone' | 'disk';
  readonly words: string;
}

export type AcceptOutcome =
  | {
      readonly kind: 'accepted';
      readonly accepted: readonly ChangedPath[];
      /** Joined with a change of the user's own. */
      readonly merged: readonly ChangedPath[];
      /** Names the batches in the trash that can undo it. */
      readonly batches: readonly string[];
    }
  /** Nothing was changed, save for what is named in `accepted`: other workspace folders, done before this was met. */
  | {
      readonly kind: 'obstructed';
      readonly obstructions: readonly Obstruction[];
      readonly accepted: readonly ChangedPath[];
    };

export type DiscardOutcome =
  | { readonly kind: 'discarded'; readonly discarded: readonly ChangedPath[] }
  | { readonly kind: 'obstructed'; readonly obstructions: readonly Obstruction[] };

/** A moment to which the copy can be brought back. */
export interface CopyCheckpoint {
  /** As given to `checkpoint`. */
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * The changes in a conversation's copy of the workspace: see them, take them over into the user's files, drop them, go
 * back. Calls are done one after the other. All throw CordonErrors.
 */
export interface ChangesEngine {
  /** The changes as they stand. `include`: ignored paths to list like all others. */
  review(include?: readonly ChangedPath[]): Promise<readonly FolderReview[]>;
  /** Both sides of a changed file, up to 20 MB. */
  sides(file: ChangedPath): Promise<FileSides>;
  /**
   * Takes changes over into the user's files, all or none; what goes with a chosen one (the folder around it, the other
   * half of a rename) comes along. What is overwritten or deleted goes to the trash.
   */
  accept(choices: readonly Choice[]): Promise<AcceptOutcome>;
  /**
   * Joins the agent's change of a file with the text of the user's editor, which may hold more than the disk. Nothing is
   * written; call `taken` once it is in the editor. Null when both changed the same lines.
   */
  mergeInto(file: ChangedPath, editorText: string): Promise<string | null>;
  /** The agent changed this file from text that the user had typed and not saved: later merges start from that. */
  workedFrom?(file: ChangedPath, text: string): Promise<void>;
  /** The user has these in an editor now: they are no changes any more. */
  taken(files: readonly ChangedPath[]): Promise<void>;
  /** Drops changes. What is dropped can be had back by going back to the checkpoint that is made first. */
  discard(choices: readonly Choice[]): Promise<DiscardOutcome>;
  /** Notes the state under a name. Names are not unique: the newest counts. */
  checkpoint(name: string): Promise<void>;
  /** Oldest first. */
  checkpoints(): Promise<readonly CopyCheckpoint[]>;
  /** What was written between two checkpoints, or since one. Empty when there is no such checkpoint. */
  changedBetween(from: string, to?: string): Promise<readonly ChangedPath[]>;
  /** Makes the copy what it was. Returns the name of a checkpoint of what it was before that. */
  goBack(name: string): Promise<string>;
  /**
   * Notes what there is now; `changedSince`, once for each mark, tells what was written after it. `others`: ignored
   * outputs, of which only the topmost are looked at.
   */
  mark(): Promise<string>;
  changedSince(mark: string): Promise<{ readonly files: readonly ChangedPath[]; readonly others: number }>;
  /** Copies the state into the (new) directory of another conversation, as it was at this checkpoint. */
  fork(name: string, directory: string): Promise<void>;
  /** What was overwritten and deleted, newest first. */
  trash(): Promise<readonly TrashItem[]>;
  /** Puts items of the trash back; what lies there now goes to the trash itself. */
  restore(ids: readonly number[]): Promise<AcceptOutcome>;
  /**
   * Undoes what was accepted or restored, named by its batches: the user's files are what they were, what lies there now
   * goes to the trash, and a change that the copy still holds waits again.
   */
  undo(batches: readonly string[]): Promise<AcceptOutcome>;
}
