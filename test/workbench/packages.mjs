import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { npm } from './npm.mjs';
import { root } from './paths.mjs';
import { step } from './steps.mjs';

/**
 * Installs the packages of the lock file, unless exactly those are installed. No package's install script runs:
 * everything native that we use comes prebuilt.
 */
export async function installPackages() {
  if (installedAsLocked()) return;
  await step('Installing packages from the lock file', () =>
    npm(
      [
        'ci',
        '--ignore-scripts',
        '--include=dev',
        '--include=optional',
        '--no-audit',
        '--no-fund',
        '--loglevel=error',
      ],
      root,
    ),
  );
}

/**
 * npm writes what it installed into a hidden lock file, last of all. It is compared with ours, so neither a half
 * installation nor an older one passes, and a developer's own `npm install` is not undone.
 */
function installedAsLocked() {
  const hidden = path.join(root, 'node_modules/.package-lock.json');
  if (!existsSync(hidden)) return false;
  const installed = packagesOf(hidden);
  return Object.entries(packagesOf(path.join(root, 'package-lock.json'))).every(([place, wanted]) => {
    if (place === '') return true;
    const found = installed[place];
    // Optional packages are installed only where they fit; the pinned Node is checked by itself.
    if (found === undefined) return wanted.optional === true || wanted.devOptional === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

/**
 * @param {string} lockFile
 * @returns {Record<string, { version?: string, integrity?: string, optional?: boolean, devOptional?: boolean }>}
 */
function packagesOf(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
}
