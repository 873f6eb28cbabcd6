import { realpath } from 'node:fs/promises';
import path from 'node:path';

/** Where a path lies among the workspace folders. */
export interface Place {
  /** The workspace folder, as the user named it. */
  readonly folder: string;
  /** Normalised, absolute. */
  readonly path: string;
  /** Relative to the folder with `/`: as written, and with every link resolved. The same text where there is no link. */
  readonly relative: readonly [asWritten: string, resolved: string];
}

/**
 * Finds the workspace folder that holds a path; undefined when none does, as written or once links are resolved. What
 * does not exist yet counts by its nearest existing parent. Empty folders hold nothing. Only words for the user depend
 * on this: the sandbox is what keeps a process inside.
 */
export async function placeOf(folders: readonly string[], given: string): Promise<Place | undefined> {
  if (given.includes('\0') || !path.isAbsolute(given)) return undefined;
  const written = path.resolve(given);
  const real = await realOfNearest(written);
  if (real === undefined) return undefined;
  for (const folder of folders) {
    const realFolder = await realpath(folder).catch(() => folder);
    const asWritten = below(folder, written) ?? below(realFolder, written);
    const resolved = below(realFolder, real);
    if (asWritten !== undefined && resolved !== undefined)
      return { folder, path: written, relative: [asWritten, resolved] };
  }
  return undefined;
}

function below(folder: string, file: string): string | undefined {
  const relative = path.relative(folder, file);
  if (relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative))
    return undefined;
  return relative.split(path.sep).join('/');
}

/** Links resolved as far as the path exists; what comes below is kept. Undefined where it cannot be followed. */
export async function realOfNearest(file: string): Promise<string | undefined> {
  const missing: string[] = [];
  for (let at = file; ; at = path.dirname(at)) {
    try {
      return path.join(await realpath(at), ...missing);
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      // A loop of links, a file where a folder should be, no permission: not a place to write to.
      if (!isMissing || path.dirname(at) === at) return undefined;
      missing.unshift(path.basename(at));
    }
  }
}
