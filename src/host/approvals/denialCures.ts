import * as vscode from 'vscode';
import type { CureTerm } from '../../session/consent/cures.ts';
import { parseDomain, type DomainGrant } from '../../egress/grant.ts';
import type { WallDenial } from '../../protocol/wallDenial.ts';
import { chooseRow, icon } from './chooseRow.ts';
import { plainLabel } from '../plainLabel.ts';

interface Options {
  /** A denial of the conversation that is shown. */
  readonly find: (toolCallId: string, index: number) => WallDenial | undefined;
  /** Whether its agent runs: only then there is a session to allow something for. */
  readonly hasSession: () => boolean;
  readonly lift: (toolCallId: string, index: number, how: CureTerm) => Promise<boolean>;
  readonly allowAlways: (grant: DomainGrant) => Promise<void>;
  /** What the user may want to say next. */
  readonly suggest: (prompt: string) => void;
}

/**
 * The button beside a denial of a tool call. The panel only names the denial; what it is and whether it is lifted is
 * decided here, in a quick pick and a dialog that no web page can press.
 */
export async function cureDenial(toolCallId: string, index: number, options: Options): Promise<void> {
  const denial = options.find(toolCallId, index);
  switch (denial?.kind) {
    case 'host':
      return allowHost(denial, toolCallId, index, options);
    case 'secretFile':
      return showSecret(denial, toolCallId, index, options);
    case 'limit':
      // Exactly this one, and nothing where the record names something else than a limit of ours.
      if (denial.setting.startsWith('cordon.limits.'))
        await vscode.commands.executeCommand('workbench.action.openSettings', `@id:${denial.setting}`);
      return;
    case 'protectedPath':
    case 'outside':
    case 'notCopied':
    case 'tracing':
    case undefined:
      return;
  }
}

async function allowHost(
  { grant, words }: Extract<WallDenial, { kind: 'host' }>,
  toolCallId: string,
  index: number,
  options: Options,
): Promise<void> {
  if (grant === undefined) return;
  const parsed = parseDomain(grant);
  const how = await chooseRow(
    `Let commands reach ${grant}?`,
    [
      { label: plainLabel(words), ...icon('info'), choice: 'show' },
      { label: 'Answer', kind: vscode.QuickPickItemKind.Separator, choice: 'show' },
      { label: 'Back', choice: 'back' },
      ...(options.hasSession()
        ? [{ label: 'Allow for this session', choice: 'session' as const }]
        : [{ label: 'Allowing it for a session needs one: send a message first', choice: 'show' as const }]),
      { label: 'Always allow', description: 'for commands of every workspace', choice: 'always' },
    ],
    new AbortController().signal,
  );
  if (how !== 'session' && how !== 'always') return;
  if (how === 'always') await options.allowAlways(parsed);
  const isLifted = await options.lift(toolCallId, index, how);
  if (isLifted || how === 'always') options.suggest(`${grant} is allowed now: run the command again.`);
}

async function showSecret(
  { path }: Extract<WallDenial, { kind: 'secretFile' }>,
  toolCallId: string,
  index: number,
  options: Options,
): Promise<void> {
  if (!options.hasSession()) {
    void vscode.window.showInformationMessage('Cordon: send a message first; a file is shown for a session.');
    return;
  }
  const choice = await chooseRow(
    'Show a hidden file to commands?',
    [
      { label: plainLabel(path), ...icon('key'), choice: 'show' },
      {
        label: 'It is hidden from commands, because it looks like a secret',
        ...icon('info'),
        choice: 'show',
      },
      { label: 'Answer', kind: vscode.QuickPickItemKind.Separator, choice: 'show' },
      { label: 'Back', choice: 'back' },
      { label: 'Show it to this command once', description: 'when it runs again', choice: 'once' },
      { label: 'Show this file to commands for this session', choice: 'session' },
    ],
    new AbortController().signal,
  );
  if (choice !== 'once' && choice !== 'session') return;
  const isOnce = choice === 'once';
  // A second gesture of another kind: a key that was read cannot be taken back.
  const confirmed = await vscode.window.showWarningMessage(
    isOnce
      ? `Show ${path} to this command, for one more run?`
      : `Show ${path} to every command of this session?`,
    {
      modal: true,
      detail: `${isOnce ? 'It, and all that it runs,' : 'Commands, and all that they run,'} can then read the file, print it to the model, and send it to hosts that you allow.`,
    },
    'Show It',
  );
  if (confirmed === 'Show It' && (await options.lift(toolCallId, index, choice)))
    options.suggest(
      isOnce
        ? `The command can read ${path} once: run it again, unchanged.`
        : `Commands can read ${path} now: run the command again.`,
    );
}
