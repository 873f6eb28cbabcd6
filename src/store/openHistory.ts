import type { Database } from 'better-sqlite3';
import { CordonError, messageOf } from '../base/errors.ts';
import { silentLog, type Log } from '../base/log.ts';
import { ApprovalAnswer, ApprovalRequest } from '../protocol/approval.ts';
import { noUsage, Usage } from '../protocol/model.ts';
import type { ConversationSummary } from '../protocol/panel.ts';
import { emptyConversation, keptOutput, TranscriptItem } from '../protocol/transcript.ts';
import type { Conversation, SessionEvent } from '../protocol/transcript.ts';
import type { ApprovalRecord, CommandRecord, History, Rewind } from './history.ts';
import { isDamage, openDatabase } from './database.ts';
import { interrupted } from './interrupted.ts';
import { PendingText } from './pendingText.ts';
import { Rewinds } from './rewinds.ts';

/**
 * Opens the history, creating or migrating the file (0600, WAL). Several processes may have it open at once. Throws
 * CordonError `history.newer` or `history.open`; reading and renaming throw `history.failed`.
 */
export function openHistory(file: string, log: Log = silentLog): History {
  const { database, movedTo } = openDatabase(file);
  const notice =
    movedTo && `The conversation history was damaged. It was moved to ${movedTo} and a new one was begun.`;
  if (notice) log.warn(notice);
  return new SqliteHistory(database, notice, log);
}

class SqliteHistory implements History {
  readonly notice: string | undefined;
  readonly #database: Database;
  readonly #log: Log;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #pending: PendingText;
  readonly #rewinds: Rewinds;
  #lastFailure = '';

  constructor(database: Database, notice: string | undefined, log: Log) {
    this.#database = database;
    this.notice = notice;
    this.#log = log;
    this.#statements = prepare(database);
    this.#pending = new PendingText(gather, () => this.flush());
    this.#rewinds = new Rewinds(database);
  }

  create({ id, workspace, createdAt }: { id: string; workspace: string; createdAt: number }): void {
    const { title } = emptyConversation(id);
    this.#throwing(() =>
      this.#statements.create.run(id, workspace, title, createdAt, createdAt, JSON.stringify(noUsage)),
    );
  }

  list(workspace: string, limit: number): ConversationSummary[] {
    return this.#throwing(() => this.#statements.list.all(workspace, limit) as ConversationSummary[]);
  }

  read(id: string): Conversation | undefined {
    this.flush();
    return this.#throwing(() => {
      const row = this.#statements.conversation.get(id) as { title: string; usage: string } | undefined;
      if (!row) return undefined;
      const bodies = this.#statements.items.all(id) as string[];
      // An entry that cannot be read is left out; the rest of the conversation is worth having.
      const items = bodies.flatMap(body => parsed(TranscriptItem, body) ?? []).map(interrupted);
      return {
        ...emptyConversation(id),
        title: row.title,
        items,
        usage: parsed(Usage, row.usage) ?? noUsage,
      };
    });
  }

  record(id: string, event: SessionEvent): void {
    switch (event.type) {
      case 'text':
      case 'output':
        return this.#pending.add(id, event);
      case 'item':
        // The item comes whole, with what was gathered for it.
        this.#pending.drop(id, event.item.id);
        return this.#writing(() => this.#putItem(id, event.item));
      case 'approval':
        return this.#writing(() => this.#ask(id, event.request));
      case 'approvalSettled':
        return this.#writing(() =>
          this.#statements.settle.run(event.answer && JSON.stringify(event.answer), Date.now(), id, event.id),
        );
      case 'usage':
        return this.#writing(() => this.#statements.usage.run(JSON.stringify(event.usage), Date.now(), id));
      case 'title':
        return this.#writing(() => this.#statements.rename.run(event.title, Date.now(), id));
      // Where a session stands, and questions that are open, mean nothing after a restart.
      case 'status':
      case 'question':
      case 'questionSettled':
        return undefined;
    }
  }

  rename(id: string, title: string): void {
    this.#throwing(() => this.#statements.rename.run(title, Date.now(), id));
  }

  delete(id: string): void {
    this.#pending.forget(id);
    this.#throwing(() => this.#statements.delete.run(id));
  }

  rewind(conversation: string, rewind: Rewind & { readonly from: string | null }): void {
    this.flush();
    this.#throwing(() => this.#rewinds.add(conversation, rewind));
  }

  lastRewind(conversation: string): Rewind | undefined {
    return this.#throwing(() => this.#rewinds.last(conversation));
  }

  undoRewind(rewind: string): void {
    this.flush();
    this.#throwing(() => this.#rewinds.undo(rewind));
  }

  fork(conversation: string, before: string, to: { readonly id: string; readonly createdAt: number }): void {
    this.flush();
    this.#throwing(() => this.#rewinds.fork(conversation, before, to));
  }

  approvals(id: string): ApprovalRecord[] {
    return this.#throwing(() => {
      const rows = this.#statements.approvals.all(id) as {
        request: string;
        answer: string | null;
        settledAt: number | null;
      }[];
      return rows.flatMap(row => {
        const request = parsed(ApprovalRequest, row.request);
        if (!request) return [];
        return [
          {
            request,
            answer: (row.answer && parsed(ApprovalAnswer, row.answer)) || null,
            settledAt: row.settledAt,
          },
        ];
      });
    });
  }

  commands(workspace: string, limit: number): CommandRecord[] {
    return this.#throwing(() => this.#statements.commands.all(workspace, limit) as CommandRecord[]);
  }

  flush(): void {
    if (this.#pending.isEmpty) return;
    this.#writing(() => {
      for (const { conversation, item, text } of this.#pending.entries())
        this.#append(conversation, item, text);
      this.#pending.clear();
    });
  }

  [Symbol.dispose](): void {
    if (!this.#database.open) return;
    this.flush();
    this.#pending.clear();
    this.#database.close();
  }

  #putItem(id: string, item: TranscriptItem): void {
    this.#statements.touch.run(Date.now(), id);
    this.#statements.put.run({ conversation: id, id: item.id, kind: item.kind, body: JSON.stringify(item) });
  }

  #ask(conversation: string, request: ApprovalRequest): void {
    this.#statements.ask.run({
      conversation,
      id: request.id,
      at: request.at,
      request: JSON.stringify(request),
    });
  }

  #append(id: string, itemId: string, text: string): void {
    const body = this.#statements.item.get(id, itemId) as string | undefined;
    const item = body === undefined ? undefined : parsed(TranscriptItem, body);
    if (!item) return;
    if (item.kind === 'assistant' || item.kind === 'thought')
      this.#putItem(id, { ...item, text: item.text + text });
    else if (item.kind === 'toolCall')
      this.#putItem(id, { ...item, output: (item.output + text).slice(-keptOutput) });
  }

  /** One transaction; a failure is logged, unless it is the same as the last one. */
  #writing(write: () => void): void {
    try {
      // IMMEDIATE: a transaction that begins by reading could not wait for another window's write.
      this.#database.transaction(write).immediate();
    } catch (error) {
      const message = `The conversation history could not be written: ${messageOf(error)}`;
      if (message !== this.#lastFailure) this.#log.error(message);
      this.#lastFailure = message;
    }
  }

  #throwing<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw failed(this.#database.name, cause);
    }
  }
}

/** Milliseconds for which text and output are gathered: what a killed process loses at most. */
const gather = 250;

function prepare(database: Database) {
  return {
    create: database.prepare(
      'INSERT OR IGNORE INTO conversations (id, workspace, title, created_at, updated_at, usage) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    list: database.prepare(
      `SELECT id, title, created_at AS createdAt, updated_at AS updatedAt FROM conversations
       WHERE workspace = ? ORDER BY updated_at DESC, created_at DESC, id LIMIT ?`,
    ),
    conversation: database.prepare('SELECT title, usage FROM conversations WHERE id = ?'),
    items: database.prepare('SELECT body FROM items WHERE conversation = ? ORDER BY position').pluck(),
    item: database.prepare('SELECT body FROM items WHERE conversation = ? AND id = ?').pluck(),
    // The WHERE drops events of a conversation that was deleted, perhaps in another window.
    put: database.prepare(
      `INSERT INTO items (conversation, id, position, kind, body)
       SELECT @conversation, @id, 1 + coalesce((SELECT max(position) FROM items WHERE conversation = @conversation), 0), @kind, @body
       WHERE EXISTS (SELECT 1 FROM conversations WHERE id = @conversation)
       ON CONFLICT (conversation, id) DO UPDATE SET kind = excluded.kind, body = excluded.body`,
    ),
    touch: database.prepare('UPDATE conversations SET updated_at = max(updated_at, ?) WHERE id = ?'),
    usage: database.prepare('UPDATE conversations SET usage = ?, updated_at = ? WHERE id = ?'),
    rename: database.prepare('UPDATE conversations SET title = ?, updated_at = ? WHERE id = ?'),
    delete: database.prepare('DELETE FROM conversations WHERE id = ?'),
    ask: database.prepare(
      `INSERT OR REPLACE INTO approvals (conversation, id, asked_at, request)
       SELECT id, @id, @at, @request FROM conversations WHERE id = @conversation`,
    ),
    settle: database.prepare(
      'UPDATE approvals SET answer = ?, settled_at = ? WHERE conversation = ? AND id = ?',
    ),
    approvals: database.prepare(
      'SELECT request, answer, settled_at AS settledAt FROM approvals WHERE conversation = ? ORDER BY asked_at, id',
    ),
    commands: database.prepare(
      `SELECT calls.command, coalesce(items.body ->> '$.cwd', '') AS cwd,
         CASE
           WHEN asked.answer ->> '$.kind' = 'deny' THEN 'denied'
           WHEN asked.id IS NOT NULL THEN 'allowed'
           ELSE 'unasked'
         END AS answer
       FROM tool_calls calls
       JOIN items ON items.conversation = calls.conversation AND items.id = calls.id
       JOIN conversations ON conversations.id = calls.conversation AND conversations.workspace = ?
       LEFT JOIN approvals asked ON asked.conversation = calls.conversation
         AND asked.request ->> '$.toolCallId' = calls.id
         AND asked.request ->> '$.subject.kind' = 'command'
       -- What still waits, or was never answered, is no answer.
       WHERE calls.command IS NOT NULL AND (asked.id IS NULL OR asked.answer IS NOT NULL)
       ORDER BY calls.at DESC, calls.position DESC
       LIMIT ?`,
    ),
  };
}

function parsed<T>(
  schema: { safeParse(value: unknown): { success: boolean; data?: T } },
  json: string,
): T | undefined {
  try {
    const result = schema.safeParse(JSON.parse(json));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
}

function failed(file: string, cause: unknown): CordonError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const remedy = isDamage(cause)
    ? 'The file is damaged; it is moved aside when Cordon starts the next time.'
    : 'Check that the file can be written and the disk has space.';
  return new CordonError(
    'history.failed',
    `The conversation history in ${file} failed (${reason}).`,
    remedy,
    { cause },
  );
}
