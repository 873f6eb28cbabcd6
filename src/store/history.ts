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
  approvals(id: string): ApprovalRecord[];
  /** Commands that the agent asked to run in this workspace, newest first. */
  commands(workspace: string, limit: number): CommandRecord[];
  /** Writes what is gathered now. */
  flush(): void;
}
