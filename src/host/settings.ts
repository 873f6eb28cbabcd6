import * as vscode from 'vscode';
import * as z from 'zod';
import { ModelSettings } from '../protocol/model.ts';
import type { Limits } from '../../sandbox/limits.ts';
import { limitsFrom } from '../../sandbox/limitSettings.ts';
import { Mode } from '../protocol/panel.ts';

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

/** What a session may use. `wallTime` in milliseconds, for one command in the foreground. */
export function agentLimits(): { maxRequests: number; contextTokens: number; wallTime: number } {
  return {
    maxRequests: readUser('agent.maxRequests', z.number().int().min(1).max(1_000), 60),
    contextTokens: readUser('agent.contextTokens', z.number().int().min(8_000).max(2_000_000), 150_000),
    wallTime: readUser('limits.wallTime', z.number().int().min(1), 600) * 1_000,
  };
}

/** What commands may use; what is not set is left to the sandbox's own defaults. */
export function commandLimits(): Partial<Limits> {
  return limitsFrom(name => readUser(`limits.${name}`, z.unknown(), undefined));
}

/** What the agent works in, if it can be had. */
export function workspaceMode(): 'copyOnWrite' | 'direct' {
  return readUser('workspace.mode', z.enum(['copyOnWrite', 'direct']), 'copyOnWrite');
}

export function sandboxBackend(): 'bubblewrap' | 'podman' {
  return readUser('sandbox.backend', z.enum(['bubblewrap', 'podman']), 'bubblewrap');
}

/** Absolute paths; user settings only. */
export function writableFolders(): string[] {
  return readUser('files.writableFolders', z.array(z.string()), []);
}

/** Absolute paths; user settings only. */
export function extraReadOnlyPaths(): string[] {
  return readUser('sandbox.readOnlyPaths', z.array(z.string()), []);
}

/** Hosts that commands may reach, as the user wrote them; user settings only. */
export function allowedDomains(): string[] {
  return readUser('network.allowedDomains', z.array(z.string()), []);
}

/** Hosts that no command reaches, as the user wrote them. Undefined when what is there is no list of texts. */
export function deniedDomains(): string[] | undefined {
  const value: unknown = vscode.workspace
    .getConfiguration('cordon')
    .inspect('network.deniedDomains')?.globalValue;
  return z.array(z.string()).safeParse(value ?? []).data;
}

export async function writeAllowedDomains(domains: readonly string[]): Promise<void> {
  await vscode.workspace
    .getConfiguration('cordon')
    .update(
      'network.allowedDomains',
      domains.length === 0 ? undefined : domains,
      vscode.ConfigurationTarget.Global,
    );
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

/** One place that holds `cordon.commands.rules`, unchecked. */
export interface RulePlace {
  /** `user`, `workspace`, or the address of a folder of a multi-root workspace. */
  readonly place: string;
  readonly label: string;
  readonly value: unknown;
}

export function userRules(): RulePlace {
  const value: unknown = vscode.workspace.getConfiguration('cordon').inspect('commands.rules')?.globalValue;
  return { place: 'user', label: 'user settings', value };
}

/** The workspace's rules, and in a multi-root workspace those of each folder. They come with the code: see WorkspaceRules. */
export function workspaceRules(): RulePlace[] {
  const value: unknown = vscode.workspace
    .getConfiguration('cordon')
    .inspect('commands.rules')?.workspaceValue;
  const places: RulePlace[] = [{ place: 'workspace', label: 'workspace settings', value }];
  if (vscode.workspace.workspaceFile === undefined) return places;
  for (const { uri, name } of vscode.workspace.workspaceFolders ?? []) {
    const own: unknown = vscode.workspace
      .getConfiguration('cordon', uri)
      .inspect('commands.rules')?.workspaceFolderValue;
    places.push({ place: uri.toString(), label: `settings of ${name}`, value: own });
  }
  return places;
}

/** Replaces the rules of one place, all at once; none at all takes the setting out. */
export async function writeRules(place: string, rules: Readonly<Record<string, unknown>>): Promise<void> {
  const target = {
    user: vscode.ConfigurationTarget.Global,
    workspace: vscode.ConfigurationTarget.Workspace,
  }[place];
  const resource = target === undefined ? vscode.Uri.parse(place) : undefined;
  await vscode.workspace
    .getConfiguration('cordon', resource)
    .update(
      'commands.rules',
      Object.keys(rules).length === 0 ? undefined : rules,
      target ?? vscode.ConfigurationTarget.WorkspaceFolder,
    );
}

/** The rules of a place as an object; anything else counts as none. */
export function rulesOf({ value }: RulePlace): Record<string, unknown> {
  return z.record(z.string(), z.unknown()).catch({}).parse(value);
}

/** Remembers that Cordon may change this folder, in the user's own settings. */
export async function addWritableFolder(folder: string): Promise<void> {
  const folders = new Set(writableFolders()).add(folder);
  await vscode.workspace
    .getConfiguration('cordon')
    .update('files.writableFolders', [...folders], vscode.ConfigurationTarget.Global);
}

/** Takes it back. A folder that is not among them changes nothing. */
export async function removeWritableFolder(folder: string): Promise<void> {
  const kept = writableFolders().filter(each => each !== folder);
  if (kept.length === writableFolders().length) return;
  await vscode.workspace
    .getConfiguration('cordon')
    .update('files.writableFolders', kept, vscode.ConfigurationTarget.Global);
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
