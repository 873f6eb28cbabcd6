import { accessSync, constants, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * A new folder for a test that syncs thousands of files: in memory where there is such a place, so that the test does
 * not measure a disk. The caller removes it.
 */
export function scratch(name: string): string {
  return mkdtempSync(path.join(memory() ?? tmpdir(), `cordon-${name}-`));
}

function memory(): string | undefined {
  try {
    accessSync('/dev/shm', constants.W_OK | constants.X_OK);
    return '/dev/shm';
  } catch {
    return undefined;
  }
}
