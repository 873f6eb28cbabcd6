import { existsSync } from 'node:fs';
import path from 'node:path';
import { attempt } from './execute.mjs';
import { root } from './paths.mjs';
import { Stop } from './steps.mjs';

/**
 * The Node that builds, tests and carries the workbench: the one pinned through npm, so that whatever is on PATH is
 * enough to begin. Where npm has none for this machine (macOS, musl), the caller's, if it is new enough.
 *
 * @returns {Promise<string>} absolute path
 * @throws {Stop} with what to install
 */
export async function findNode() {
  const pinned = path.join(root, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
  if (existsSync(pinned) && (await attempt(pinned, ['--version'])).ok) return pinned;

  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 15)) return process.execPath;
  throw new Stop(
    `Node 22.15 or newer is needed; this is ${process.version}, and npm has no pinned one for ` +
      `${process.platform} on ${process.arch}.\nInstall Node 24 from https://nodejs.org, then try again.`,
  );
}
