import type { ApprovalAnswer, ApprovalRequest } from '../protocol/approval.ts';
import type { ConversationSummary } from '../protocol/panel.ts';
import type { Conversation, SessionEvent } from '../protocol/transcript.ts';

/** What was asked and what was said, for the record. */
export interface ApprovalRecord {
  readonly request: ApprovalRequest;
  /** Null: never answered, which counts as no. */
  readonly answer: ApprovalAnswer | null;
  readonly settledAt: number | null;
}

/** A command of the past, and what the user said to it; `unasked` when nobody was asked. */
export interface CommandRecord {
  readonly command: string;
  readonly cwd: string;
  readonly answer: 'allowed' | 'denied' | 'unasked';
}

/** One time that the user went back in a conversation. */
export interface Rewind {
  readonly id: string;
  /** Of the conversation's copy of the workspace as it was before; null when its files were left alone. */
  readonly checkpoint: string | null;
}

/** The conversations of this machine in one SQLite file. Every method is short; nothing is kept in memory. */
export interface History extends Disposable {
  /** What the user should know about the opening: a damaged file was moved aside, and where it is now. */
  readonly notice: string | undefined;
  create(conversation: { id: string; workspace: string; createdAt: number }): void;
  /** Most recently updated first. */
  list(workspace: string, limit: number): ConversationSummary[];
  /** Streaming items come back as `cut`, running calls as `cancelled`, open approvals as none. */
  read(id: string): Conversation | undefined;
  /**
   * Writes what the event changes. Text and output deltas are gathered and written at most every 250 ms. Never throws:
   * a conversation goes on though its history cannot be written, and the log says so.
   */
  record(id: string, event: SessionEvent): void;
  rename(id: string, title: string): void;
  delete(id: string): void;
  /**
   * Notes that the user went back. With `from`, the item of that id and all after it are taken off the conversation, and
   * kept for `undoRewind`.
   */
  rewind(conversation: string, rewind: Rewind & { readonly from: string | null }): void;
  /** The last time that can still be undone: no message was sent since. */
  lastRewind(conversation: string): Rewind | undefined;
  /** Puts back what it took off, and forgets it. */
  undoRewind(rewind: string): void;
  /** A new conversation that holds what another one held before this item. */
  fork(conversation: string, before: string, to: { readonly id: string; readonly createdAt: number }): void;
  approvals(id: string): ApprovalRecord[];
  /** Commands that the agent asked to run in this workspace, newest first. */
  commands(workspace: string, limit: number): CommandRecord[];
  /** Writes what is gathered now. */
  flush(): void;
}
