import type { Database } from 'better-sqlite3';
import { CordonError } from '../base/errors.ts';

/** Brings the database to the newest schema in one transaction. Throws `history.newer` for one from the future. */
export function migrate(database: Database): void {
  if (version(database) === migrations.length) return;
  // IMMEDIATE, and the version is read again inside: two windows may open a new database at the same moment.
  database
    .transaction(() => {
      const from = version(database);
      if (from > migrations.length) throw newerSchema(database.name);
      for (const step of migrations.slice(from)) database.exec(step);
      database.pragma(`user_version = ${migrations.length}`);
    })
    .immediate();
}

function version(database: Database): number {
  return database.pragma('user_version', { simple: true }) as number;
}

// Steps are only ever added: step n brings user_version n-1 to n.
const migrations: readonly string[] = [
  `
  CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    workspace TEXT NOT NULL,
    title TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    usage TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX conversations_by_workspace ON conversations (workspace, updated_at DESC);

  -- Messages, thoughts, tool calls, plans and notices; body is the TranscriptItem as JSON.
  CREATE TABLE items (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (conversation, id)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX items_in_order ON items (conversation, position);

  CREATE TABLE approvals (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    request TEXT NOT NULL,
    answer TEXT,
    settled_at INTEGER,
    PRIMARY KEY (conversation, id)
  ) STRICT, WITHOUT ROWID;

  CREATE VIEW tool_calls AS
    SELECT conversation, id, position,
      body ->> '$.at' AS at,
      body ->> '$.tool' AS tool,
      body ->> '$.title' AS title,
      body ->> '$.command' AS command,
      body ->> '$.state.kind' AS state,
      body ->> '$.state.exit.code' AS exit_code,
      body ->> '$.allowedBy' AS allowed_by
    FROM items WHERE kind = 'toolCall';
  `,
  `
  -- Each time the user went back: what it took off the end of a conversation is kept, so that it can be put back.
  CREATE TABLE rewinds (
    id TEXT PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    -- Of the conversation's copy of the workspace as it was before; null when its files were left alone.
    checkpoint TEXT,
    -- The last position that was left.
    last_position INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX rewinds_by_conversation ON rewinds (conversation, at);
  CREATE TABLE rewound_items (
    rewind TEXT NOT NULL REFERENCES rewinds (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (rewind, position)
  ) STRICT, WITHOUT ROWID;
  `,
];

function newerSchema(file: string): CordonError {
  return new CordonError(
    'history.newer',
    `The conversation history in ${file} was written by a newer version of Cordon.`,
    'Update Cordon, or move that file away to begin a new history.',
  );
}
