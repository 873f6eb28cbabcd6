/** In what the agent works. */
export type CopyKind = 'overlay' | 'clone' | 'direct';

/** What is known of this machine, and what the user wants. */
export interface CopyFacts {
  /** The setting `cordon.workspace.mode`. */
  readonly wanted: 'copyOnWrite' | 'direct';
  readonly platform: NodeJS.Platform;
  /** Why the kernel does not mount an overlay for this user, in a whole sentence; absent when it does. */
  readonly noOverlay?: string;
  /** Whether the file system shares blocks between the workspace and its copies. */
  readonly canClone: boolean;
}

export interface CopyChoice {
  readonly kind: CopyKind;
  /** Whole sentences for the user: why it is this, or what cannot be done in it; absent where all is as it should be. */
  readonly because?: string;
}

/** Chooses the best that is to be had here: an overlay, a clone of the folder, or the user's own files. Pure. */
export function chooseCopy({ wanted, platform, noOverlay, canClone }: CopyFacts): CopyChoice {
  if (wanted === 'direct') return { kind: 'direct', because: 'You chose so (cordon.workspace.mode).' };
  // Its walls are rules about paths: a folder cannot be shown in the place of another one.
  if (platform === 'darwin') return { kind: 'direct', because: 'On macOS there is no copy-on-write view.' };
  if (noOverlay === undefined) return { kind: 'overlay' };
  if (canClone) return { kind: 'clone', because: noOverlay };
  return {
    kind: 'direct',
    because: `${noOverlay} Nor can this file system clone the folder, as btrfs and XFS can.`,
  };
}

/**
 * What the choice means for the user: whole sentences, and a mark of a few words to put behind a label; empty where all
 * is as it should be.
 */
export function describeCopy({ kind, because }: CopyChoice): {
  readonly mark: string;
  readonly detail: string;
} {
  const reason = because === undefined ? '' : ` ${because}`;
  switch (kind) {
    case 'overlay':
      return {
        mark: because === undefined ? '' : ' · not all can change',
        detail: `The agent works in a copy-on-write view of your files; only accepting changes them.${reason}`,
      };
    case 'clone':
      return {
        mark: ' · clone',
        detail: `The agent works in a clone of your folder; only accepting changes your files.${reason}`,
      };
    case 'direct':
      return {
        mark: ' · your own files',
        detail: `The agent works in your own files. It asks before it writes, and what they held is kept before each change, so that you can undo it.${reason}`,
      };
  }
}
