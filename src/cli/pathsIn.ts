/**
 * Of absolute paths, those in the folder, relative to it. Undefined when paths were given and none is in it: then the
 * folder is not meant.
 */
export function pathsIn(folder: string, paths: readonly string[]): string[] | undefined {
  const inside = paths.flatMap(path =>
    path === folder ? [''] : path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : [],
  );
  return paths.length > 0 && inside.length === 0 ? undefined : inside;
}
