import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { isFolder } from './look.ts';

/** What folders take on disk, counted by du(1): they may hold millions of files. Undefined when it took too long. */
export async function bytesOnDisk(folders: readonly string[]): Promise<number | undefined> {
  try {
    const args = ['-sk', '--', ...folders.filter(isFolder)];
    const { stdout } = await promisify(execFile)('du', args, { env: environment, timeout: 30_000 }).catch(
      // Files may vanish while it counts, and of what it may not enter it says so; the sum stands all the same.
      (error: unknown) => partial(error),
    );
    return [...stdout.matchAll(/^(\d+)\t/gm)].reduce(
      (sum, [, kilobytes]) => sum + Number(kilobytes) * 1_024,
      0,
    );
  } catch {
    return undefined;
  }
}

const environment = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };

function partial(error: unknown): { stdout: string } {
  if (error instanceof Error && 'killed' in error && error.killed === false && 'stdout' in error)
    return { stdout: String(error.stdout) };
  throw error;
}
