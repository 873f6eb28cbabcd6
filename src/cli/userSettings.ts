import { existsSync } from 'node:fs';
import path from 'node:path';
import { acceptedRules } from '../policy/acceptedRules.ts';
import type { RuleSettings } from '../policy/policy.ts';
import { settingsIn } from './settingsFile.ts';
import { userSettingsFile } from './userSettingsFile.ts';

/**
 * The user's rules, and of the workspace's own those that forbid: what a repository allows counts only once the user
 * accepted it, which is done in VS Code. Throws CordonError `settings.unreadable` for a file of the user's that is no JSON.
 */
export function userRules(folders: readonly string[]): RuleSettings[] {
  const file = userSettingsFile();
  const user = existsSync(file) ? settingsIn(file)['cordon.commands.rules'] : undefined;
  const places = folders.map(folder => path.join(folder, '.vscode', 'settings.json')).filter(existsSync);
  return [
    { source: 'user', value: user },
    ...places.map((place): RuleSettings => ({
      source: 'workspace',
      value: acceptedRules(settingsIn(place)['cordon.commands.rules'], {}).active,
    })),
  ];
}
