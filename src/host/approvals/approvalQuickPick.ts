import * as vscode from 'vscode';
import type {
  ApprovalAnswer,
  ApprovalRequest,
  ApprovalSubject,
  RuleProposal,
  RuleScope,
} from '../../protocol/approval.ts';
import { chooseRow, icon, type Row } from './chooseRow.ts';
import { folderAnswer, folderChoices, folderTitle, pickFolder } from './folderQuickPick.ts';
import { plainLabel } from '../plainLabel.ts';

type Choice =
  | 'allowToday'
  | 'never'
  | 'anotherFolder'
  | 'deny'
  | 'denyWithWords'
  | 'allowOnce'
  | 'allowForSession'
  | 'alwaysAllow'
  | 'confirm'
  | 'back';

/** What a permission would have done to past commands, in a sentence. */
type TryOnPast = (pattern: string) => Promise<string>;

/** From this risk on, allowing takes a second, distinct gesture. */
const highRisk = 70;
/** Characters of the command in one row of the quick pick. */
const rowWidth = 88;

/**
 * Asks by quick pick. Resolves to the answer, or undefined when it was closed without one (the request stays open) or
 * when the signal says that another face was answered first.
 */
export async function askByQuickPick(
  request: ApprovalRequest,
  tryOnPast: TryOnPast,
  signal: AbortSignal,
): Promise<ApprovalAnswer | undefined> {
  const choice = await chooseRow(titleOf(request), rowsOf(request), signal);
  if (request.subject.kind === 'folder' && choice === 'anotherFolder') return askForFolder(request, signal);
  switch (choice) {
    case 'never':
      return { kind: 'never' };
    case 'allowToday':
    case 'deny':
      return { kind: 'deny' };
    case 'denyWithWords':
      return askForWords(signal);
    case 'allowOnce':
    case 'allowForSession':
      return (await confirmed(request, signal)) ? { kind: choice } : undefined;
    case 'alwaysAllow':
      return askForRule(request, tryOnPast, signal);
    default:
      return undefined;
  }
}

/** Lets the user pick another folder, then how long it is open. Undefined when closed. */
export async function askForFolder(
  request: ApprovalRequest,
  signal: AbortSignal,
): Promise<ApprovalAnswer | undefined> {
  const { subject } = request;
  if (subject.kind !== 'folder') return undefined;
  const folder = await pickFolder(subject, signal);
  if (folder === undefined) return undefined;
  const chosen = { ...request, subject: { ...subject, folder } };
  const rows = rowsOf(chosen).filter(({ choice }) => choice !== 'anotherFolder');
  const choice = await chooseRow(titleOf(chosen), rows, signal);
  if (choice === 'deny') return { kind: 'deny' };
  if (choice === 'denyWithWords') return askForWords(signal);
  const answer = folderChoices.find(each => each.choice === choice);
  if (answer === undefined) return undefined;
  const isSure = answer.choice === 'never' || (await confirmed(chosen, signal));
  return isSure ? folderAnswer(answer.choice, subject, folder) : undefined;
}

/** Lets the user pick what "always" covers and where it is written. Undefined when closed. */
export async function askForRule(
  request: ApprovalRequest,
  tryOnPast: TryOnPast,
  signal: AbortSignal,
): Promise<Extract<ApprovalAnswer, { kind: 'alwaysAllow' }> | undefined> {
  if (request.subject.kind === 'folder')
    return (await confirmed(request, signal))
      ? { kind: 'alwaysAllow', pattern: request.subject.folder, scope: 'user' }
      : undefined;
  if (request.subject.kind === 'write')
    return { kind: 'alwaysAllow', pattern: request.subject.folder, scope: 'user' };
  if (request.subject.kind === 'domain') return confirmAlwaysHost(request.subject.grant, signal);
  if (request.subject.kind === 'secret') return undefined;
  const rows = request.subject.proposals.map(async proposal => ({
    label: plainLabel(proposal.pattern),
    description: proposal.description,
    detail: await tryOnPast(proposal.pattern),
    value: proposal,
  }));
  const proposal = await pick<RuleProposal>('Always allow: which commands?', await Promise.all(rows), signal);
  if (proposal === undefined) return undefined;
  const scope = await pick<RuleScope>(
    `Always allow "${proposal.pattern}": where?`,
    [
      {
        label: 'In this workspace',
        detail: 'Written to the workspace settings, beside the code.',
        value: 'workspace',
      },
      { label: 'Everywhere', detail: 'Written to your user settings, for every workspace.', value: 'user' },
    ],
    signal,
  );
  return scope === undefined ? undefined : { kind: 'alwaysAllow', pattern: proposal.pattern, scope };
}

async function confirmAlwaysHost(
  grant: string,
  signal: AbortSignal,
): Promise<Extract<ApprovalAnswer, { kind: 'alwaysAllow' }> | undefined> {
  const choice = await chooseRow(
    `Always allow ${grant}?`,
    [
      {
        label: 'For commands of every workspace, until you take it back',
        ...icon('info'),
        choice: 'show',
      },
      { label: 'Back', choice: 'back' },
      { label: `Always allow ${grant}`, choice: 'confirm' },
    ],
    signal,
  );
  return choice === 'confirm' ? { kind: 'alwaysAllow', pattern: grant, scope: 'user' } : undefined;
}

function titleOf({ subject }: ApprovalRequest): string {
  if (subject.kind === 'domain') return `A command wants to reach ${subject.grant}`;
  if (subject.kind === 'command')
    return `Cordon wants to run a command${subject.background ? ' in the background' : ''}`;
  if (subject.kind === 'folder') return folderTitle(subject);
  if (subject.kind === 'secret') return 'Cordon wants to read a hidden file';
  return subject.protectedBecause === undefined
    ? `Cordon wants to change files in ${subject.folder}`
    : `Cordon wants to ${subject.operation} a protected file`;
}

function rowsOf({ subject, decision }: ApprovalRequest): Row<Choice>[] {
  const shown = shownOf(subject);
  const why =
    subject.kind === 'write' && subject.protectedBecause !== undefined ? [subject.protectedBecause] : [];
  const reasons = [...why, ...decision.reasons.map(reason => reason.message)].slice(0, 3);
  if (subject.kind === 'folder') return folderRows(subject, reasons);
  const isProtected = subject.kind === 'write' && subject.protectedBecause !== undefined;
  const hasRule = subject.kind !== 'command' || subject.proposals.length > 0;
  const always = hasRule && !isProtected && subject.kind !== 'secret';
  // The first row only shows: Enter does nothing until the user has moved down on purpose.
  const rows: (Row<Choice> | false)[] = [
    ...(subject.kind === 'domain'
      ? [{ label: plainLabel(hostOf(subject)), ...icon('globe'), choice: 'show' as const }]
      : []),
    ...shown.map((label, line): Row<Choice> => ({
      label,
      ...(line === 0 ? icon(subject.kind === 'secret' ? 'key' : 'terminal') : {}),
      choice: 'show',
    })),
    ...(subject.kind === 'command'
      ? [{ label: plainLabel(subject.cwd), ...icon('folder'), choice: 'show' as const }]
      : []),
    ...reasons.map((label): Row<Choice> => ({ label: plainLabel(label), ...icon('info'), choice: 'show' })),
    { label: 'Answer', kind: vscode.QuickPickItemKind.Separator, choice: 'show' },
    { label: 'Deny', choice: 'deny' },
    { label: 'Deny and say why…', choice: 'denyWithWords' },
    {
      label: 'Allow once',
      ...(subject.kind === 'domain' ? { description: 'for this command' } : {}),
      ...(subject.kind === 'secret' ? { description: 'for this reading' } : {}),
      choice: 'allowOnce',
    },
    !isProtected && {
      label: 'Allow for this session',
      ...(subject.kind === 'secret' ? { description: 'its commands can read it too' } : {}),
      choice: 'allowForSession',
    },
    always && { label: 'Always allow…', choice: 'alwaysAllow' },
  ];
  return rows.filter(row => row !== false);
}

/** What is to happen, in rows that show all of it. */
function shownOf(subject: ApprovalSubject): string[] {
  switch (subject.kind) {
    case 'command':
      return inRows(plainLabel(subject.command));
    case 'write':
    case 'folder':
    case 'secret':
      return [plainLabel(subject.path)];
    case 'domain':
      return subject.command === undefined
        ? ['for a command of this conversation']
        : inRows(plainLabel(subject.command));
  }
}

function hostOf({ host, port }: Extract<ApprovalSubject, { kind: 'domain' }>): string {
  if (port === 443) return host;
  return port === 80 ? `${host} (not encrypted)` : `${host}, port ${port}`;
}

function detailOf(subject: ApprovalSubject): string {
  switch (subject.kind) {
    case 'command':
      return plainLabel(subject.command);
    case 'write':
    case 'folder':
    case 'secret':
      return plainLabel(subject.path);
    case 'domain':
      return plainLabel(hostOf(subject));
  }
}

function folderRows(
  { folder, path, access }: Extract<ApprovalRequest['subject'], { kind: 'folder' }>,
  reasons: readonly string[],
): Row<Choice>[] {
  const first =
    folder === path ? [] : [`first: ${access === 'read' ? 'read' : 'change'} ${plainLabel(path)}`];
  return [
    ...[folder, ...first].map((label): Row<Choice> => ({
      label: plainLabel(label),
      ...icon('folder'),
      choice: 'show',
    })),
    ...reasons.map((label): Row<Choice> => ({ label: plainLabel(label), ...icon('info'), choice: 'show' })),
    { label: 'Answer', kind: vscode.QuickPickItemKind.Separator, choice: 'show' },
    { label: 'Deny', choice: 'deny' },
    { label: 'Deny and say why…', choice: 'denyWithWords' },
    ...folderChoices,
    { label: 'Another folder…', choice: 'anotherFolder' },
  ];
}

async function confirmed(request: ApprovalRequest, signal: AbortSignal): Promise<boolean> {
  if (request.decision.risk < highRisk) return true;
  const choice = await chooseRow(
    `High risk (${request.decision.risk} of 100): allow it all the same?`,
    [
      {
        label: 'Read it once more',
        ...icon('warning'),
        detail: detailOf(request.subject),
        choice: 'show',
      },
      { label: 'Back', choice: 'back' },
      { label: 'Yes, I have read it: allow', choice: 'confirm' },
    ],
    signal,
  );
  return choice === 'confirm';
}

async function askForWords(signal: AbortSignal): Promise<ApprovalAnswer | undefined> {
  const source = cancelledBy(signal);
  const words = await vscode.window.showInputBox(
    { title: 'Deny', prompt: 'Tell Cordon what to do instead', ignoreFocusOut: true },
    source.token,
  );
  if (words === undefined) return undefined;
  return words.trim() === '' ? { kind: 'deny' } : { kind: 'deny', words: words.trim().slice(0, 4_000) };
}

async function pick<T>(
  title: string,
  rows: readonly (vscode.QuickPickItem & { value: T })[],
  signal: AbortSignal,
): Promise<T | undefined> {
  const source = cancelledBy(signal);
  return (await vscode.window.showQuickPick(rows, { title, ignoreFocusOut: true }, source.token))?.value;
}

function cancelledBy(signal: AbortSignal): vscode.CancellationTokenSource {
  const source = new vscode.CancellationTokenSource();
  if (signal.aborted) source.cancel();
  else signal.addEventListener('abort', () => source.cancel(), { once: true });
  return source;
}

function inRows(text: string): string[] {
  return text.split('\n').flatMap(line => line.match(new RegExp(`.{1,${rowWidth}}`, 'gu')) ?? ['']);
}
