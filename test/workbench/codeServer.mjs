import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { npm } from './npm.mjs';
import { cache } from './paths.mjs';
import { step } from './steps.mjs';

/** 4.139.1 carries VS Code 1.139.1. */
const version = '4.139.1';

/** Goes up when what is left out changes, so that an older installation is not taken for this one. */
const layout = 2;

/**
 * VS Code as a server for browsers, from npm, kept in the cache folder. Nothing is compiled: what its native modules
 * would add (log files of its own, Kerberos, an agent host) is not used here.
 *
 * @returns {Promise<string>} its main script, to be run with our Node
 */
export async function installCodeServer() {
  const folder = path.join(cache, `code-server-${version}-${layout}`);
  const entry = path.join(folder, 'node_modules/code-server/out/node/entry.js');
  if (existsSync(entry)) return entry;

  await step(`Installing code-server ${version} (VS Code for the browser)`, async () => {
    // Built aside and renamed when complete, so that an interrupted installation is never taken for a whole one.
    const unfinished = `${folder}.unfinished-${process.pid}`;
    mkdirSync(unfinished, { recursive: true });
    try {
      writeFileSync(path.join(unfinished, 'package.json'), '{ "private": true }\n');
      await npm(['install', `code-server@${version}`, '--save-exact', ...quiet], unfinished);
      const workbench = path.join(unfinished, 'node_modules/code-server/lib/vscode');
      // Its own dependencies. `npm ci` refuses: the shrinkwrap it ships does not match its package.json.
      await npm(['install', '--omit=dev', ...quiet], workbench);
      leaveOut(workbench);
      rmSync(folder, { recursive: true, force: true });
      renameSync(unfinished, folder);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  });
  return entry;
}

const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

/** Removes two thirds of its weight: Copilot and what belongs to it, and binaries for other systems. */
function leaveOut(/** @type {string} */ workbench) {
  for (const part of [
    'node_modules/@github',
    'node_modules/@microsoft/mxc-sdk',
    'node_modules/@vscode/windows-process-tree',
    'node_modules/@vscode/sandbox-runtime',
    'node_modules/@devcontainers',
    'node_modules/@vscode/sqlite3/deps',
    'node_modules/node-pty/deps',
    'node_modules/node-pty/third_party',
    'extensions/copilot',
    'extensions/mermaid-markdown-features',
    'extensions/microsoft-authentication',
    // Without a TypeScript of its own it would greet every script file with an error.
    'extensions/typescript-language-features',
  ]) {
    rmSync(path.join(workbench, part), { recursive: true, force: true });
  }
  const here = `${process.platform}-${process.arch}`;
  for (const binaries of ['node_modules/@vscode/ripgrep-universal/bin', 'node_modules/node-pty/prebuilds']) {
    const folder = path.join(workbench, binaries);
    if (!existsSync(folder)) continue;
    const foreign = readdirSync(folder).filter(name => name !== here);
    for (const name of foreign) rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}
