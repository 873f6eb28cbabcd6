import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { workbenchEnvironment } from './environment.mjs';
import { execute } from './execute.mjs';
import { cache } from './paths.mjs';
import { endTree } from './processTree.mjs';
import { quietSettings } from './settings.mjs';
import { Stop, step } from './steps.mjs';

/**
 * A desktop VS Code that can open a window here, if there is one.
 *
 * @returns {string | undefined} absolute path of its `code`
 */
export function findDesktop() {
  const { PATH = '', DISPLAY, WAYLAND_DISPLAY, VSCODE_IPC_HOOK_CLI, WSL_DISTRO_NAME } = process.env;
  if (process.platform === 'linux' && DISPLAY === undefined && WAYLAND_DISPLAY === undefined)
    return undefined;
  // In a remote terminal `code` only talks to the window outside; as root it refuses to start.
  if (VSCODE_IPC_HOOK_CLI !== undefined || WSL_DISTRO_NAME !== undefined || process.getuid?.() === 0)
    return undefined;
  const found = PATH.split(path.delimiter).map(folder => path.join(folder, 'code'));
  return found.find(file => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Opens the folder in a window of its own, with profile and extensions apart from the person's.
 *
 * @param {{ program: string, extension: { file: string }, folder: string }} options
 */
export async function startDesktop({ program, extension, folder }) {
  const data = path.join(cache, 'desktop');
  const settings = path.join(data, 'User/settings.json');
  if (!existsSync(settings)) {
    mkdirSync(path.dirname(settings), { recursive: true });
    writeFileSync(settings, `${JSON.stringify(quietSettings, null, 2)}\n`);
  }
  const env = workbenchEnvironment(process.env);
  const own = ['--user-data-dir', data, '--extensions-dir', path.join(cache, 'desktop-extensions')];
  await step('Installing Cordon into VS Code', () =>
    execute(program, [...own, '--install-extension', extension.file, '--force'], { env }),
  );
  const child = spawn(program, [...own, '--new-window', '--wait', folder], {
    env,
    detached: true,
    stdio: 'ignore',
  });
  const { pid } = child;
  return {
    greeting: '\nCordon is ready, in a VS Code window of its own.',
    /** @type {Promise<Stop | undefined>} */
    ended: new Promise(resolve => {
      child.once('error', error => resolve(new Stop(`${program} could not be started: ${error.message}`)));
      child.once('exit', code => resolve(code === 0 ? undefined : new Stop(`VS Code ended with ${code}.`)));
    }),
    stop: async () => (pid === undefined ? undefined : endTree(pid)),
  };
}
