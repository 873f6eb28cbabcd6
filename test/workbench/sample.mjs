import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { attempt } from './execute.mjs';
import { cache, root } from './paths.mjs';

/**
 * A copy of the sample project to work in, with a git history of one commit where git is installed, so that the
 * agent's changes show. An existing copy stays as it is unless `fresh`.
 *
 * @param {string} folder
 * @param {{ fresh?: boolean }} [options]
 */
export async function copySample(folder, { fresh = false } = {}) {
  if (fresh) rmSync(folder, { recursive: true, force: true });
  if (existsSync(folder)) return;
  mkdirSync(path.dirname(folder), { recursive: true });
  cpSync(path.join(root, 'test/sample'), folder, { recursive: true });
  const who = [
    '-c',
    'user.name=Cordon',
    '-c',
    'user.email=sample@example.invalid',
    '-c',
    'commit.gpgsign=false',
  ];
  for (const args of [
    ['init', '--quiet', '--initial-branch=main'],
    ['add', '--all'],
    [...who, 'commit', '--quiet', '--no-verify', '--message', 'Field notes 1.2.0'],
  ]) {
    if (!(await attempt('git', ['-C', folder, ...args])).ok) return;
  }
}

// For the debugger's preparations.
if (process.argv[1] === import.meta.filename) await copySample(path.join(cache, 'sample'));
