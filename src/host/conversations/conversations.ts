import { Emitter } from '../../base/emitter.ts';
import { CordonError, messageOf } from '../../base/errors.ts';
import { randomId, shortId } from '../../base/ids.ts';
import type { CureTerm } from '../../session/consent/cures.ts';
import type { Log } from '../../base/log.ts';
import type { ApprovalAnswer, ApprovalRequest } from '../../protocol/approval.ts';
import type { ConversationSummary } from '../../protocol/panel.ts';
import {
  applyEvent,
  type Conversation,
  emptyConversation,
  type SessionEvent,
} from '../../protocol/transcript.ts';
import type { WallDenial } from '../../protocol/wallDenial.ts';
import type { Session } from '../../session/session.ts';
import type { CommandRecord, History } from '../../store/history.ts';
import type { Sessions } from './sessions.ts';

interface Options {
  /** Identifies the workspace in the history: its folders, or a .code-workspace file. */
  readonly workspace: string;
  /** Opens the history when first needed. */
  readonly history: () => Promise<History>;
  readonly sessions: Sessions;
  /** A conversation and its history are gone for good. */
  readonly onDeleted: (id: string) => Promise<void>;
  /** Remembers which conversation was shown, over restarts. */
  readonly shown: { read(): string | undefined; write(id: string | undefined): void };
  /** Something about the history that the user should know. */
  readonly onNotice: (text: string) => void;
  readonly log: Log;
}

/**
 * The conversations of this window: one is shown, several may run. Session events pass through here on their way to
 * the history and to the panel.
 */
export class Conversations implements AsyncDisposable {
  /** Every event of every live conversation. */
  readonly events = new Emitter<{ conversationId: string; event: SessionEvent }>();
  /** Another conversation is shown, or the list changed. */
  readonly changed = new Emitter<void>();

  /** As they stand, for those shown or running in this window. */
  readonly #live = new Map<string, Conversation>();
  /** Those in which nothing may begin now. */
  readonly #still = new Set<string>();
  #history: History | undefined;
  #current = emptyConversation(randomId());

  constructor(private readonly options: Options) {}

  get current(): Conversation {
    return this.#live.get(this.#current.id) ?? this.#current;
  }

  /** Newest first. Empty until `restore` has opened the history. */
  list(): ConversationSummary[] {
    return this.#history?.list(this.options.workspace, 500) ?? [];
  }

  /** Commands that were asked for in this workspace, newest first. */
  pastCommands(): CommandRecord[] {
    return this.#history?.commands(this.options.workspace, 2_000) ?? [];
  }

  /** Opens the history and shows the conversation that was shown last. */
  async restore(): Promise<void> {
    this.#history = await this.options.history();
    if (this.#history.notice !== undefined) this.options.onNotice(this.#history.notice);
    const id = this.options.shown.read();
    const conversation = id === undefined ? undefined : this.#history.read(id);
    if (conversation !== undefined) this.#show(conversation);
    else this.changed.emit();
  }

  openNew(): void {
    this.#show(emptyConversation(randomId()));
  }

  open(id: string): void {
    const conversation = this.#live.get(id) ?? this.#history?.read(id);
    if (conversation !== undefined) this.#show(conversation);
  }

  rename(id: string, title: string): void {
    this.#history?.rename(id, title);
    this.#apply(id, { type: 'title', title });
    this.changed.emit();
  }

  async delete(id: string): Promise<void> {
    await this.options.sessions.end(id);
    this.#live.delete(id);
    this.#history?.delete(id);
    await this.options.onDeleted(id);
    if (this.current.id === id) this.openNew();
    else this.changed.emit();
  }

  /**
   * Goes back: ends the agent, so that the next prompt starts one with what is left, and calls `files`, which brings the
   * copy of the workspace back and returns the name of a checkpoint of what it was. With `from`, that item and all after
   * it leave the conversation; without, `note` says in it what happened. Throws `conversation.busy`.
   */
  async rewind(
    id: string,
    { from, note, files }: { from?: string; note?: string; files?: () => Promise<string> },
  ): Promise<void> {
    await this.#whileStill(id, async history => {
      const checkpoint = (await files?.()) ?? null;
      history.rewind(id, { id: randomId(), checkpoint, from: from ?? null });
      if (note !== undefined) this.#note(id, note);
    });
  }

  /** Whether the last going back can still be undone: no message was sent since. */
  canUndoRewind(id: string): boolean {
    return this.#history?.lastRewind(id) !== undefined;
  }

  /** Undoes the last going back; `files` brings the copy to this checkpoint. Throws `conversation.noRewind`. */
  async undoRewind(id: string, files: (checkpoint: string) => Promise<void>): Promise<void> {
    await this.#whileStill(id, async history => {
      const last = history.lastRewind(id);
      if (last === undefined) throw noRewind();
      if (last.checkpoint !== null) await files(last.checkpoint);
      history.undoRewind(last.id);
      if (last.checkpoint !== null) this.#note(id, 'Going back was undone.');
    });
  }

  /** A new conversation with what came before this item, which is shown. `copy` makes its copy of the workspace. */
  async fork(id: string, before: string, copy: (forkId: string) => Promise<void>): Promise<void> {
    if (this.isBusy(id) || !this.#history) throw busy();
    const forkId = randomId();
    await copy(forkId);
    this.#history.fork(id, before, { id: forkId, createdAt: Date.now() });
    this.open(forkId);
  }

  /** Sends a prompt to the conversation that is shown, starting its agent when it has none. */
  async send(text: string): Promise<void> {
    const { id } = this.current;
    const before = this.current;
    if (before.status !== 'idle') return;
    if (this.#still.has(id)) throw busy();
    this.#history ??= await this.options.history();
    if (before.items.length === 0) {
      this.#history.create({ id, workspace: this.options.workspace, createdAt: Date.now() });
      this.options.shown.write(id);
      this.changed.emit();
    }
    try {
      const session = await this.#session(id, before.items.length === 0 ? undefined : before);
      await session.prompt(text);
    } catch (error) {
      this.options.log.error(`conversation ${shortId(id)}: ${messageOf(error)}`);
      this.#apply(id, { type: 'item', item: { kind: 'user', id: randomId(), at: Date.now(), text } });
      this.#apply(id, { type: 'item', item: noticeOf(error) });
      this.#apply(id, {
        type: 'item',
        item: { kind: 'turnEnd', id: randomId(), at: Date.now(), reason: 'failed' },
      });
      this.#apply(id, { type: 'status', status: 'idle' });
    }
    this.changed.emit();
  }

  /** Whether its agent is at work. */
  isBusy(id: string): boolean {
    return (this.#live.get(id)?.status ?? 'idle') !== 'idle';
  }

  /** Whether it is shown, or has an agent. */
  isInUse(id: string): boolean {
    return this.options.sessions.has(id) || this.current.id === id;
  }

  async stop(): Promise<void> {
    await (await this.options.sessions.get(this.current.id))?.stop();
  }

  /** Every approval that waits, of any conversation of this window. */
  waiting(): ApprovalRequest[] {
    return [...this.#live.values()].flatMap(conversation => conversation.approvals);
  }

  /** False when it is no longer open. */
  async answerApproval(id: string, answer: ApprovalAnswer): Promise<boolean> {
    const request = this.waiting().find(each => each.id === id);
    const session = request && (await this.options.sessions.get(request.conversationId));
    return session?.answerApproval(id, answer) ?? false;
  }

  async answerQuestion(id: string, answer: string): Promise<boolean> {
    const conversation = [...this.#live.values()].find(each =>
      each.questions.some(question => question.id === id),
    );
    const session = conversation && (await this.options.sessions.get(conversation.id));
    return session?.answerQuestion(id, answer) ?? false;
  }

  /** Whether the conversation that is shown has an agent. */
  get hasSession(): boolean {
    return this.options.sessions.has(this.current.id);
  }

  /** What a wall refused a call of the conversation that is shown. */
  denial(toolCallId: string, index: number): WallDenial | undefined {
    const item = this.current.items.findLast(each => each.id === toolCallId);
    return item?.kind === 'toolCall' ? item.denials?.[index] : undefined;
  }

  /** Lifts it for the session, or marks it as lifted for always. False when that cannot be. */
  async liftDenial(toolCallId: string, index: number, how: CureTerm): Promise<boolean> {
    const session = await this.options.sessions.get(this.current.id);
    return session?.liftDenial(toolCallId, index, how) ?? false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.options.sessions.endAll();
    this.#history?.flush();
    this.#history?.[Symbol.dispose]();
    this.#history = undefined;
  }

  async #session(id: string, resume: Conversation | undefined): Promise<Session> {
    const { sessions } = this.options;
    if (!sessions.has(id)) this.#apply(id, { type: 'status', status: 'starting' });
    return await sessions.start(id, resume, event => this.#apply(id, event));
  }

  /** Nothing of the conversation's runs meanwhile, and it is read anew afterwards. */
  async #whileStill(id: string, work: (history: History) => Promise<void>): Promise<void> {
    if (this.isBusy(id) || this.#still.has(id) || !this.#history) throw busy();
    this.#still.add(id);
    try {
      await this.options.sessions.end(id);
      await work(this.#history);
    } finally {
      this.#still.delete(id);
      const conversation = this.#history?.read(id);
      this.#live.delete(id);
      if (conversation && this.#current.id === id) this.#current = conversation;
      this.changed.emit();
    }
  }

  /** In words that the next agent reads too. */
  #note(id: string, text: string): void {
    const item = { kind: 'notice', level: 'info', code: 'workspace.wentBack', text } as const;
    this.#apply(id, { type: 'item', item: { id: randomId(), at: Date.now(), ...item } });
  }

  #apply(id: string, event: SessionEvent): void {
    const conversation =
      this.#live.get(id) ?? (this.#current.id === id ? this.#current : emptyConversation(id));
    this.#live.set(id, applyEvent(conversation, event));
    try {
      this.#history?.record(id, event);
    } catch (error) {
      this.options.log.error(`history: ${messageOf(error)}`);
    }
    this.events.emit({ conversationId: id, event });
  }

  #show(conversation: Conversation): void {
    if (this.#live.get(this.#current.id)?.status === 'idle' && !this.options.sessions.has(this.#current.id)) {
      this.#live.delete(this.#current.id);
    }
    this.#current = conversation;
    this.options.shown.write(conversation.items.length === 0 ? undefined : conversation.id);
    this.changed.emit();
  }
}

function busy(): CordonError {
  return new CordonError(
    'conversation.busy',
    'The agent is at work in this conversation.',
    'Stop it, or wait for its end.',
  );
}

function noRewind(): CordonError {
  return new CordonError(
    'conversation.noRewind',
    'There is no going back to undo.',
    'It can be undone until the next message is sent.',
  );
}

function noticeOf(error: unknown) {
  return {
    kind: 'notice',
    id: randomId(),
    at: Date.now(),
    level: 'error',
    code: error instanceof CordonError ? error.code : 'session.failed',
    text: messageOf(error),
  } as const;
}
