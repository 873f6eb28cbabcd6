import type { Database } from 'better-sqlite3';
import { noUsage } from '../protocol/model.ts';
import type { Rewind } from './history.ts';

/** Going back in conversations: what it takes off their end is kept, so that it can be put back. */
export class Rewinds {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(private readonly database: Database) {
    this.#statements = prepare(database);
  }

  /** Takes the item `from`, and all after it, off the conversation; nothing when it is null or not there. */
  add(conversation: string, { id, checkpoint, from }: Rewind & { readonly from: string | null }): void {
    this.#transaction(() => {
      const { last, position, add, keep, drop } = this.#statements;
      const end = (last.get(conversation) as number | null) ?? 0;
      const start = (from === null ? undefined : (position.get(conversation, from) as number)) ?? end + 1;
      add.run({ id, conversation, at: Date.now(), checkpoint, lastPosition: start - 1 });
      keep.run(id, conversation, start);
      drop.run(conversation, start);
    });
  }

  last(conversation: string): Rewind | undefined {
    return this.#statements.lastOpen.get(conversation) as Rewind | undefined;
  }

  undo(rewind: string): void {
    this.#transaction(() => {
      // What was noted since stays, in front of what comes back.
      this.#statements.putBack.run({ rewind });
      this.#statements.forget.run(rewind);
    });
  }

  fork(conversation: string, before: string, to: { readonly id: string; readonly createdAt: number }): void {
    this.#transaction(() => {
      this.#statements.forkConversation.run({ conversation, ...to, usage: JSON.stringify(noUsage) });
      this.#statements.forkItems.run({ conversation, before, id: to.id });
    });
  }

  #transaction(work: () => void): void {
    this.database.transaction(work).immediate();
  }
}

function prepare(database: Database) {
  return {
    last: database.prepare('SELECT max(position) FROM items WHERE conversation = ?').pluck(),
    position: database.prepare('SELECT position FROM items WHERE conversation = ? AND id = ?').pluck(),
    add: database.prepare(
      `INSERT INTO rewinds (id, conversation, at, checkpoint, last_position)
       VALUES (@id, @conversation, @at, @checkpoint, @lastPosition)`,
    ),
    keep: database.prepare(
      `INSERT INTO rewound_items (rewind, id, position, kind, body)
       SELECT ?, id, position, kind, body FROM items WHERE conversation = ? AND position >= ?`,
    ),
    drop: database.prepare('DELETE FROM items WHERE conversation = ? AND position >= ?'),
    lastOpen: database.prepare(
      `SELECT id, checkpoint FROM rewinds AS last
       WHERE conversation = ? AND NOT EXISTS (
         SELECT 1 FROM items
         WHERE items.conversation = last.conversation AND kind = 'user' AND position > last.last_position)
       ORDER BY at DESC LIMIT 1`,
    ),
    putBack: database.prepare(
      `INSERT INTO items (conversation, id, position, kind, body)
       SELECT rewinds.conversation, rewound_items.id,
         (SELECT coalesce(max(position), 0) FROM items WHERE conversation = rewinds.conversation)
           + row_number() OVER (ORDER BY rewound_items.position),
         rewound_items.kind, rewound_items.body
       FROM rewound_items JOIN rewinds ON rewinds.id = rewound_items.rewind WHERE rewinds.id = @rewind`,
    ),
    forget: database.prepare('DELETE FROM rewinds WHERE id = ?'),
    forkConversation: database.prepare(
      `INSERT INTO conversations (id, workspace, title, created_at, updated_at, usage)
       SELECT @id, workspace, title || ' (fork)', @createdAt, @createdAt, @usage FROM conversations WHERE id = @conversation`,
    ),
    forkItems: database.prepare(
      `INSERT INTO items (conversation, id, position, kind, body)
       SELECT @id, id, position, kind, body FROM items
       WHERE conversation = @conversation AND position < (
         SELECT position FROM items WHERE conversation = @conversation AND id = @before)`,
    ),
  };
}
