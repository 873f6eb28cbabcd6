import * as vscode from 'vscode';
import * as z from 'zod';
import { ModelSettings } from '../protocol/model.ts';
import { Mode } from '../protocol/panel.ts';
import type { RuleScope } from '../protocol/approval.ts';
import type { RuleSettings } from '../policy/policy.ts';

// Every setting of Cordon's is read here, once, through a schema. A value that does not fit counts as not set, so a
// damaged settings file never loosens anything.

const Surface = z.enum(['both', 'quickPick', 'panel']);
export type Surface = z.infer<typeof Surface>;

const Ask = z.enum(['everything', 'allowlist', 'contained']);
export type Ask = z.infer<typeof Ask>;

export function approvalSurface(): Surface {
  return read('approvals.surface', Surface, 'both');
}

/** Application scope: a workspace cannot set it. */
export function whatIsAsked(): Ask {
  return readUser('approvals.ask', Ask, 'allowlist');
}

export function mode(): Mode {
  return readUser('mode', Mode, 'sandboxed');
}

export function agentLimits(): { maxRequests: number; contextTokens: number } {
  return {
    maxRequests: readUser('agent.maxRequests', z.number().int().min(1).max(1_000), 60),
    contextTokens: readUser('agent.contextTokens', z.number().int().min(8_000).max(2_000_000), 150_000),
  };
}

/** Absolute paths; user settings only. */
export function writableFolders(): string[] {
  return readUser('files.writableFolders', z.array(z.string()), []);
}

/** Absolute paths; user settings only. */
export function extraReadOnlyPaths(): string[] {
  return readUser('sandbox.readOnlyPaths', z.array(z.string()), []);
}

/** The chosen model, or undefined as long as none was chosen. Only from user settings: a repository cannot redirect it. */
export function modelSettings(): ModelSettings | undefined {
  const baseUrl = readUser('model.baseUrl', z.string(), '');
  const parsed = ModelSettings.safeParse({
    provider: readUser('model.provider', z.string(), ''),
    model: readUser('model.name', z.string(), ''),
    ...(baseUrl === '' ? {} : { baseUrl }),
  });
  return parsed.success ? parsed.data : undefined;
}

export async function storeModelSettings(model: ModelSettings): Promise<void> {
  const configuration = vscode.workspace.getConfiguration('cordon');
  const target = vscode.ConfigurationTarget.Global;
  await configuration.update('model.name', model.model, target);
  await configuration.update('model.baseUrl', model.baseUrl ?? undefined, target);
  await configuration.update('model.provider', model.provider, target);
}

/** `cordon.commands.rules` as each scope holds it, unchecked. Several folders each bring their own. */
export function ruleSettings(): RuleSettings[] {
  const found: RuleSettings[] = [];
  const top = vscode.workspace.getConfiguration('cordon').inspect('commands.rules');
  if (top?.globalValue !== undefined) found.push({ source: 'user', value: top.globalValue });
  if (top?.workspaceValue !== undefined) found.push({ source: 'workspace', value: top.workspaceValue });
  for (const folder of vscode.workspace.workspaceFolders ?? []) {
    const value = vscode.workspace
      .getConfiguration('cordon', folder.uri)
      .inspect('commands.rules')?.workspaceFolderValue;
    // In a single-folder window the folder's value is the workspace's value; reading it twice changes nothing.
    if (value !== undefined && value !== top?.workspaceValue) found.push({ source: 'workspace', value });
  }
  return found;
}

/** Adds one `allow` rule in the scope that the user picked. Keeps every other rule as it stands. */
export async function addAllowRule(pattern: string, scope: RuleScope): Promise<void> {
  const configuration = vscode.workspace.getConfiguration('cordon');
  const inspected = configuration.inspect('commands.rules');
  const current: unknown = scope === 'user' ? inspected?.globalValue : inspected?.workspaceValue;
  const rules = z.record(z.string(), z.unknown()).catch({}).parse(current);
  await configuration.update(
    'commands.rules',
    { ...rules, [pattern]: 'allow' },
    scope === 'user' ? vscode.ConfigurationTarget.Global : vscode.ConfigurationTarget.Workspace,
  );
}

/** Remembers that Cordon may change this folder, in the user's own settings. */
export async function addWritableFolder(folder: string): Promise<void> {
  const folders = new Set(writableFolders()).add(folder);
  await vscode.workspace
    .getConfiguration('cordon')
    .update('files.writableFolders', [...folders], vscode.ConfigurationTarget.Global);
}

function read<T>(key: string, schema: z.ZodType<T>, fallback: T): T {
  const parsed = schema.safeParse(vscode.workspace.getConfiguration('cordon').get(key));
  return parsed.success ? parsed.data : fallback;
}

/** The user's own value. VS Code refuses application-scoped keys in workspaces; asking for it by name keeps it so. */
function readUser<T>(key: string, schema: z.ZodType<T>, fallback: T): T {
  const parsed = schema.safeParse(vscode.workspace.getConfiguration('cordon').inspect(key)?.globalValue);
  return parsed.success ? parsed.data : fallback;
}
