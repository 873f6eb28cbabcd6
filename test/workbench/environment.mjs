import path from 'node:path';

/**
 * The environment for a workbench: the person's own, without what an outer VS Code, npm or test runner put there.
 * A leftover `VSCODE_IPC_HOOK_CLI` or `NODE_OPTIONS` would change what the inner one does, and the project's own
 * tools would hide those of the machine.
 *
 * @param {NodeJS.ProcessEnv} outer
 * @returns {NodeJS.ProcessEnv}
 */
export function workbenchEnvironment(outer) {
  const kept = Object.entries(outer).filter(([name]) => !fromOutside.test(name));
  const folders = (outer['PATH'] ?? '').split(path.delimiter).filter(folder => !ofTools.test(folder));
  return {
    ...Object.fromEntries(kept),
    PATH: folders.join(path.delimiter),
    // Else VS Code asks a login shell for its environment, and takes that one's PATH.
    VSCODE_CLI: '1',
    // No gallery: nothing is looked up or installed from elsewhere.
    EXTENSIONS_GALLERY: JSON.stringify({ serviceUrl: 'http://127.0.0.1:9' }),
  };
}

const fromOutside =
  /^(VSCODE_|ELECTRON_|NODE_OPTIONS$|NODE_ENV$|NODE_TEST|VITEST|npm_|INIT_CWD$|PORT$|PASSWORD$)/;
const ofTools = /(node_modules\/\.bin|node-gyp-bin)\/?$/;
