import { homedir } from 'node:os';
import path from 'node:path';

/** Settings of the command line, with VS Code's names: `~/.config/cordon/settings.json`. */
export function userSettingsFile(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment['XDG_CONFIG_HOME'];
  const folder = named !== undefined && path.isAbsolute(named) ? named : path.join(homedir(), '.config');
  return path.join(folder, 'cordon', 'settings.json');
}
