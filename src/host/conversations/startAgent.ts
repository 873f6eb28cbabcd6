import * as vscode from 'vscode';
import { messageOf } from '../../base/errors.ts';
import { randomId } from '../../base/ids.ts';
import type { Log } from '../../base/log.ts';
import type { Conversation, SessionEvent } from '../../protocol/transcript.ts';
import { describeCopy } from '../../session/changes/chooseCopy.ts';
import type { WorkingCopy } from '../../session/changes/workingCopy.ts';
import type { FolderGrants } from '../../session/consent/folderGrants.ts';
import type { UnsavedText } from '../../session/files/unsavedText.ts';
import type { AllowedDomains } from '../grants/allowedDomains.ts';
import type { Credentials } from '../models/credentials.ts';
import { backendOf } from '../models/modelBackend.ts';
import type { Places } from '../places.ts';
import type { PolicyInForce } from '../rules/policyInForce.ts';
import type { WorkspaceRules } from '../rules/workspaceRules.ts';
import { confirmUnrestricted } from '../sandbox/modeChoice.ts';
import type { SandboxState } from '../sandbox/sandboxState.ts';
import { wallOptions } from '../sandbox/wallOptions.ts';
import * as settings from '../settings.ts';
import type { StopSwitch } from '../stopSwitch.ts';
import { workspaceFolders } from '../workspaceFolders.ts';
import type { Started } from './sessions.ts';
import type { WorkingCopies } from './workingCopies.ts';

export interface AgentParts {
  readonly places: Places;
  /** Of ours (0700), with a short path, for sockets. */
  readonly runDirectory: string;
  readonly copies: WorkingCopies;
  readonly sandbox: SandboxState;
  readonly inForce: PolicyInForce;
  readonly rules: WorkspaceRules;
  readonly domains: AllowedDomains;
  readonly folderGrants: FolderGrants;
  readonly credentials: Credentials;
  readonly unsaved: UnsavedText;
  readonly stopSwitch: StopSwitch;
  readonly log: Log;
}

/**
 * Walls first, proven; then the agent of one conversation in them. Rejects, leaving nothing behind, where either cannot
 * be had or everything is stopped.
 */
export async function startAgent(
  id: string,
  resume: Conversation | undefined,
  onEvent: (event: SessionEvent) => void,
  parts: AgentParts,
): Promise<Started> {
  const { places, sandbox, inForce, stopSwitch, log } = parts;
  const model = settings.modelSettings();
  if (!vscode.workspace.isTrusted || model === undefined)
    throw new Error('Cordon is not set up in this workspace.');
  stopSwitch.refuseWhenStopped();
  const { openSandbox } = await import('../../../sandbox/sandbox.ts');
  const { unrestrictedSandbox } = await import('../../../sandbox/unrestricted.ts');
  const { startSession } = await import('../../session/startSession.ts');
  const isUnrestricted = settings.mode() === 'unrestricted' && (await confirmUnrestricted());
  const copy = isUnrestricted ? undefined : await copyFor(id, onEvent, parts);
  const network = await parts.domains.open();
  const walls = await openSandbox({
    ...wallOptions(copy, places),
    ...(isUnrestricted ? {} : { network: network.access.service }),
  }).catch((error: unknown) => {
    network.over();
    throw error;
  });
  try {
    await Promise.all([sandbox.prove(walls), inForce.ready()]);
    if (isUnrestricted) sandbox.showOff();
    const sessionWalls = isUnrestricted ? unrestrictedSandbox(walls) : walls;
    const session = startSession({
      id,
      ...(resume === undefined ? {} : { resume }),
      folders: workspaceFolders(),
      model,
      backend: await backendOf(model, parts.credentials),
      sandbox: sessionWalls,
      ...(copy === undefined ? {} : { workingCopy: copy }),
      ...(isUnrestricted ? {} : { network: network.access }),
      policy: granted => inForce.policy(isUnrestricted ? 'none' : 'sandbox', granted),
      writableFolders: settings.writableFolders,
      isLocked: () => settings.mode() === 'locked',
      remember: (answer, what) =>
        what === 'write'
          ? settings.addWritableFolder(answer.pattern)
          : parts.rules.allow(answer.pattern, answer.scope),
      folderGrants: parts.folderGrants,
      trash: places.trash,
      unsaved: parts.unsaved,
      programs: {
        node: process.execPath,
        agent: places.program('agent.cjs'),
        fileWriter: places.program('file-writer.cjs'),
        ripgrep: (await import('@vscode/ripgrep')).rgPath,
      },
      runDirectory: parts.runDirectory,
      limits: settings.agentLimits(),
      onEvent,
      log,
    });
    const end = once(async () => {
      await sessionWalls[Symbol.asyncDispose]();
      network.over();
    });
    // Stopped while it was being built.
    stopSwitch.refuseWhenStopped();
    return { session, walls: { [Symbol.asyncDispose]: end } };
  } catch (error) {
    await walls[Symbol.asyncDispose]();
    network.over();
    throw error;
  }
}

/** Where it is no copy-on-write view, the conversation says so, and why. Undefined where there is not even a checkpoint. */
async function copyFor(
  id: string,
  tell: (event: SessionEvent) => void,
  { copies, sandbox }: AgentParts,
): Promise<WorkingCopy | undefined> {
  const say = (level: 'info' | 'warning', kind: string, text: string) => {
    const notice = { kind: 'notice', level, code: `workspace.${kind}`, text } as const;
    tell({ type: 'item', item: { id: randomId(), at: Date.now(), ...notice } });
  };
  try {
    const copy = await copies.open(id);
    const described = describeCopy(copy);
    sandbox.showWorkspace(described);
    if (described.mark !== '') say(copy.kind === 'clone' ? 'info' : 'warning', copy.kind, described.detail);
    return copy;
  } catch (error) {
    const text = `There is no copy of the workspace to work in, so the agent asks before it writes to your own files, and nothing is kept of what they held. ${messageOf(error)}`;
    say('warning', 'unkept', text);
    return undefined;
  }
}

/** However often it is called, it is done once. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
}
