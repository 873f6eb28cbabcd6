/** Whether `path` is `folder` or lies in it. Both absolute and normalised; symlinks are the caller's affair. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : folder + '/');
}
