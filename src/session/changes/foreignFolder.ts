import { statSync } from 'node:fs';

/**
 * The first of these folders that does not belong to this user and their main group. An ordinary user's copy-on-write
 * view cannot change what lies in it: the kernel has no name for such owners there. Root can give them one; see
 * folderOwner.ts.
 */
export function foreignFolder(
  folders: readonly string[],
  user: { readonly uid: number; readonly gid: number },
): string | undefined {
  if (user.uid === 0) return undefined;
  return folders.find(folder => {
    const { uid, gid } = statSync(folder);
    return uid !== user.uid || gid !== user.gid;
  });
}
