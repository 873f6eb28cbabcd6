import type { GrantedFolder } from '../../../sandbox/grantedFolders.ts';
import type { Ground } from '../consent/commandApproval.ts';

/** What a command is let do. */
export interface Allowance {
  /** Folders of the workspace. */
  readonly writable: readonly string[];
  /** What it sees outside of the workspace. */
  readonly granted: readonly GrantedFolder[];
  /** Files that are hidden otherwise. */
  readonly shownFiles: readonly string[];
}

/** What a running command was let do, and on which ground. */
export interface CommandPermission extends Allowance {
  readonly command: string;
  readonly cwd: string;
  readonly ground: Ground;
  readonly background: boolean;
}

/** What of a permission does not hold any more, as the beginning of "… was taken back". Pure. */
export function lostOf(before: Allowance, now: Allowance): string | undefined {
  const folder = missing(before.granted, now.granted);
  if (folder !== undefined) return `Access to ${folder}`;
  const closed = before.writable.find(each => !now.writable.includes(each));
  if (closed !== undefined) return `Writing to ${closed}`;
  const hidden = before.shownFiles.find(each => !now.shownFiles.includes(each));
  return hidden === undefined ? undefined : `Sight of ${hidden}`;
}

/** A folder that was shown and is no more. */
function missing(before: readonly GrantedFolder[], now: readonly GrantedFolder[]): string | undefined {
  const isShown = ({ path, access }: GrantedFolder) =>
    now.some(each => each.path === path && (each.access === access || each.access === 'write'));
  return before.find(each => each.access !== 'none' && !isShown(each))?.path;
}
