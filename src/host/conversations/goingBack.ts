import * as vscode from 'vscode';
import { CordonError } from '../../base/errors.ts';
import type { Conversation, TranscriptItem } from '../../protocol/transcript.ts';
import { turnCheckpoint } from '../../session/changes/turnChanges.ts';
import type { WorkingCopy } from '../../session/changes/workingCopy.ts';
import type { Conversations } from './conversations.ts';
import { plainLabel } from '../plainLabel.ts';
import type { WorkingCopies } from './workingCopies.ts';

interface Options {
  readonly conversations: Conversations;
  readonly copies: WorkingCopies;
  /** Puts a text into the prompt box. */
  readonly prompt: (text: string) => void;
}

type Message = Extract<TranscriptItem, { kind: 'user' }>;
type What = 'both' | 'files' | 'conversation';

/** Going back in the conversation that is shown: its files, its messages or both; and beginning another one from there. */
export class GoingBack {
  constructor(private readonly options: Options) {}

  /** To before one of the user's messages. Asks what is to go back. */
  async toBefore(itemId: string): Promise<void> {
    const { conversations } = this.options;
    const { current } = conversations;
    const message = this.#message(current, itemId);
    const checkpoint = turnCheckpoint(itemId);
    const copy = await this.#copyWith(checkpoint);
    const changed = (await copy?.changes.changedBetween(checkpoint))?.length ?? 0;
    const what = await chooseWhat(message, copy === undefined ? undefined : changed);
    if (what === undefined) return;
    if (what !== 'conversation' && copy && changed > 0 && !(await confirmFiles(changed, copy.kind))) return;
    await conversations.rewind(current.id, {
      ...(what === 'files'
        ? { note: `The files were brought back to before “${firstLine(message.text)}”.` }
        : { from: itemId }),
      ...(what === 'conversation' || copy === undefined
        ? {}
        : { files: () => copy.changes.goBack(checkpoint) }),
    });
    if (what !== 'files') this.options.prompt(message.text);
    this.#offerUndo(current.id, `Went back to before “${firstLine(message.text)}”.`);
  }

  /** Lets the user choose among everything that can be gone back to. */
  async choose(): Promise<void> {
    const { current } = this.options.conversations;
    const copy = await this.#copy(current.id);
    const messages = current.items.filter((item): item is Message => item.kind === 'user').toReversed();
    const others = ((await copy?.changes.checkpoints()) ?? [])
      .filter(({ name }) => name.startsWith('Before '))
      .toReversed();
    const rows: (vscode.QuickPickItem & { readonly go?: () => Promise<void> })[] = [
      ...messages.map(message => ({
        label: plainLabel(firstLine(message.text)),
        description: timeOf(message.at),
        iconPath: new vscode.ThemeIcon('comment'),
        go: () => this.toBefore(message.id),
      })),
      ...(others.length === 0 ? [] : [{ label: 'Files only', kind: vscode.QuickPickItemKind.Separator }]),
      ...others.map(({ name, at }) => ({
        label: name.startsWith('Before discarding') ? 'Before discarding' : 'Before going back',
        description: timeOf(at),
        iconPath: new vscode.ThemeIcon('history'),
        go: () => this.#toCheckpoint(name, at),
      })),
    ];
    if (rows.length === 0) throw nothingThere();
    const row = await vscode.window.showQuickPick(rows, {
      title: 'Go back to a checkpoint',
      placeHolder: 'To before which message?',
      matchOnDescription: true,
    });
    await row?.go?.();
  }

  async undo(): Promise<void> {
    const { conversations } = this.options;
    const { id } = conversations.current;
    const copy = await this.#copy(id);
    await conversations.undoRewind(id, async checkpoint => void (await copy?.changes.goBack(checkpoint)));
  }

  /** A conversation of its own from before this message on, with the files as they were then. */
  async fork(itemId: string): Promise<void> {
    const { conversations, copies } = this.options;
    const { current } = conversations;
    const message = this.#message(current, itemId);
    const checkpoint = turnCheckpoint(itemId);
    const copy = await this.#copyWith(checkpoint);
    await conversations.fork(current.id, itemId, async forkId => {
      // Of the user's own files there is one state only, for both.
      if (copy && copy.kind !== 'direct') await copy.changes.fork(checkpoint, copies.directoryOf(forkId));
    });
    this.options.prompt(message.text);
    if (copy?.kind === 'direct')
      void vscode.window.showInformationMessage(
        'Only the conversation was forked: Cordon works in your own files here, and they stay as they are.',
      );
  }

  /** Lets the user choose the message to fork from. */
  async chooseFork(): Promise<void> {
    const messages = this.options.conversations.current.items.filter(item => item.kind === 'user');
    if (messages.length === 0) throw nothingThere();
    const rows = messages.toReversed().map(({ id, text, at }) => ({
      label: plainLabel(firstLine(text)),
      description: timeOf(at),
      id,
    }));
    const row = await vscode.window.showQuickPick(rows, {
      title: 'Fork the conversation',
      placeHolder: 'From before which message?',
    });
    if (row !== undefined) await this.fork(row.id);
  }

  async #toCheckpoint(name: string, at: number): Promise<void> {
    const { conversations } = this.options;
    const { id } = conversations.current;
    const copy = await this.#copy(id);
    if (copy === undefined) return;
    const changed = (await copy.changes.changedBetween(name)).length;
    if (changed > 0 && !(await confirmFiles(changed, copy.kind))) return;
    await conversations.rewind(id, {
      note: `The files were brought back to how they were on ${timeOf(at)}.`,
      files: () => copy.changes.goBack(name),
    });
    this.#offerUndo(id, 'Went back.');
  }

  /** Not awaited: a message that nobody answers stays. */
  #offerUndo(id: string, text: string): void {
    const undo = 'Undo';
    void vscode.window.showInformationMessage(plainLabel(text), undo).then(async answer => {
      if (answer !== undo) return;
      if (this.options.conversations.current.id !== id) this.options.conversations.open(id);
      await vscode.commands.executeCommand('cordon.undoGoingBack');
    });
  }

  #message({ id, items }: Conversation, itemId: string): Message {
    if (this.options.conversations.isBusy(id))
      throw new CordonError(
        'conversation.busy',
        'The agent is at work in this conversation.',
        'Stop it, or wait for its end.',
      );
    const item = items.find(each => each.id === itemId);
    if (item?.kind !== 'user') throw nothingThere();
    return item;
  }

  async #copy(id: string): Promise<WorkingCopy | undefined> {
    const { copies } = this.options;
    return copies.exists(id) ? await copies.open(id) : undefined;
  }

  async #copyWith(checkpoint: string): Promise<WorkingCopy | undefined> {
    const copy = await this.#copy(this.options.conversations.current.id);
    const has = (await copy?.changes.checkpoints())?.some(({ name }) => name === checkpoint) === true;
    return has ? copy : undefined;
  }
}

/** `changed`: files that differ since; undefined where there is no copy of the files from then. */
async function chooseWhat(message: Message, changed: number | undefined): Promise<What | undefined> {
  const files =
    changed === 0
      ? 'No file differs.'
      : changed === 1
        ? '1 file becomes what it was then.'
        : `${changed} files become what they were then.`;
  const messages = 'This message and what follows it leave.';
  const rows: (vscode.QuickPickItem & { readonly what: What })[] = [
    ...(changed === undefined
      ? []
      : [
          { label: 'Files and conversation', detail: `${files} ${messages}`, what: 'both' as const },
          {
            label: 'Files only',
            detail: `${files} The conversation stays as it is.`,
            what: 'files' as const,
          },
        ]),
    {
      label: 'Conversation only',
      detail: `${messages} ${changed === undefined ? 'There is no copy of the files from then.' : 'Files stay as they are.'}`,
      what: 'conversation',
    },
  ];
  const row = await vscode.window.showQuickPick(rows, {
    title: `Go back to before “${plainLabel(firstLine(message.text))}”`,
    placeHolder: 'What goes back? It can be undone until you send the next message',
  });
  return row?.what;
}

async function confirmFiles(changed: number, kind: WorkingCopy['kind']): Promise<boolean> {
  const goBack = 'Go Back';
  const answer = await vscode.window.showWarningMessage(
    `Bring ${changed === 1 ? '1 file' : `${changed} files`} back to what ${changed === 1 ? 'it was' : 'they were'} then?`,
    {
      modal: true,
      detail: `${
        kind === 'direct'
          ? 'These are your own files. What you wrote yourself meanwhile stays.'
          : 'This is about the agent’s copy; your own files stay as they are.'
      } Changes that wait for your review are dropped with it. They are kept in a checkpoint: undo brings them back.`,
    },
    goBack,
  );
  return answer === goBack;
}

function firstLine(text: string): string {
  const [line = ''] = text.trim().split('\n');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

function timeOf(at: number): string {
  return new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

function nothingThere(): CordonError {
  return new CordonError(
    'checkpoint.none',
    'There is nothing to go back to in this conversation.',
    'Each message that you send is a place to go back to.',
  );
}
