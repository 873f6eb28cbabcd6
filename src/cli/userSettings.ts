import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { parse, type ParseError } from 'jsonc-parser';
import * as z from 'zod';
import { CordonError } from '../base/errors.ts';
import { acceptedRules } from '../policy/acceptedRules.ts';
import type { RuleSettings } from '../policy/policy.ts';

/** Settings of the command line, with VS Code's names: `~/.config/cordon/settings.json`. */
export function userSettingsFile(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment['XDG_CONFIG_HOME'];
  const folder = named !== undefined && path.isAbsolute(named) ? named : path.join(homedir(), '.config');
  return path.join(folder, 'cordon', 'settings.json');
}

/**
 * The user's rules, and of the workspace's own those that forbid: what a repository allows counts only once the user
 * accepted it, which is done in VS Code. Throws CordonError `settings.unreadable` for a file of the user's that is no JSON.
 */
export function userRules(folders: readonly string[]): RuleSettings[] {
  const file = userSettingsFile();
  const user = existsSync(file) ? rulesIn(file) : undefined;
  const places = folders.map(folder => path.join(folder, '.vscode', 'settings.json')).filter(existsSync);
  return [
    { source: 'user', value: user },
    ...places.map((place): RuleSettings => ({
      source: 'workspace',
      value: acceptedRules(rulesIn(place), {}).active,
    })),
  ];
}

/** VS Code's settings files are JSON with comments and trailing commas. */
function rulesIn(file: string): unknown {
  const errors: ParseError[] = [];
  const settings = z
    .looseObject({})
    .safeParse(
      parse(readFileSync(file, 'utf8'), errors, { allowTrailingComma: true, allowEmptyContent: true }) ?? {},
    );
  if (errors.length === 0 && settings.success) return settings.data['cordon.commands.rules'];
  throw new CordonError(
    'settings.unreadable',
    `${file} could not be read as JSON.`,
    'Mend it, or move it away.',
  );
}
