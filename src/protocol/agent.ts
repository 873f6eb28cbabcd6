import * as z from 'zod';

// What broker and agent say to each other beyond standard ACP. It rides in `_meta.cordon` of standard messages, or
// in methods that begin with an underscore, as the protocol asks of extensions.

/** In `_meta.cordon` of `session/new`. */
export const AgentStart = z.object({
  wire: z.enum(['anthropic', 'openai']),
  model: z.string(),
  /** The gateway's Unix socket as the sandbox sees it, and the bearer token of this session. */
  gatewaySocket: z.string(),
  token: z.string(),
  /** Absolute path of ripgrep as the sandbox sees it. */
  ripgrep: z.string(),
  /** Tokens that the model reads at most; older turns are dropped beyond it. */
  contextTokens: z.number().int().positive(),
  /** Whether the agent changes a copy of the workspace or the user's own files. */
  workspace: z.enum(['copy', 'direct']),
  /** Model requests in one turn, at most. */
  maxRequests: z.number().int().positive(),
  /** Earlier turns of a conversation that is taken up again, oldest first. */
  history: z.array(z.object({ role: z.enum(['user', 'assistant']), text: z.string() })),
});
export type AgentStart = z.infer<typeof AgentStart>;

/** In `_meta.cordon` of `terminal/create`, whose `command` is a whole shell line when it has no `args`. */
export const TerminalMeta = z.object({ toolCallId: z.string(), background: z.boolean() });
export type TerminalMeta = z.infer<typeof TerminalMeta>;

/**
 * In `_meta.cordon` of `fs/write_text_file`. `expectedSha256` is of the bytes the agent last read, null for a file
 * that must not exist yet; when it does not match the disk the write is refused as a conflict.
 */
export const WriteMeta = z.object({ toolCallId: z.string(), expectedSha256: z.string().nullable() });
export type WriteMeta = z.infer<typeof WriteMeta>;

/** In `_meta.cordon` of `fs/read_text_file`, for what the agent does not see by itself. */
export const ReadMeta = z.object({ toolCallId: z.string() });
export type ReadMeta = z.infer<typeof ReadMeta>;

/**
 * In `_meta.cordon` of its answer: where the text is from. `hidden`: a file of the workspace that looks like a secret, as
 * the user allowed. `disk`: the agent sees the newest text itself, and `content` is empty.
 */
export const ReadAnswerMeta = z.object({ from: z.enum(['editor', 'outside', 'hidden', 'disk']) });
export type ReadAnswerMeta = z.infer<typeof ReadAnswerMeta>;

/** From the broker, before a prompt and on change: files of the workspace whose text in the editor is not saved. */
export const unsavedMethod = '_cordon/unsaved';
export const UnsavedNotification = z.object({ sessionId: z.string(), paths: z.array(z.string()) });

export const deleteFileMethod = '_cordon/delete_file';
export const DeleteFileRequest = z.object({
  sessionId: z.string(),
  path: z.string(),
  toolCallId: z.string(),
  expectedSha256: z.string(),
});
export type DeleteFileRequest = z.infer<typeof DeleteFileRequest>;

/** JSON-RPC error codes of the broker's own. */
export const rpcErrors = {
  denied: -32_010,
  conflict: -32_011,
  tooLarge: -32_012,
  unreadable: -32_013,
} as const;

/** `data` of a `denied` error: tells the model plainly what did not happen. */
export const DeniedData = z.object({ by: z.enum(['policy', 'user', 'sandbox']), reason: z.string() });
export type DeniedData = z.infer<typeof DeniedData>;

/** Where things are inside the agent's sandbox. */
export const agentPaths = {
  agent: '/run/cordon/agent.cjs',
  gatewaySocket: '/run/cordon/gateway.sock',
  ripgrep: '/run/cordon/rg',
} as const;

/** The inherited descriptor that carries the handshake key: 64 hexadecimal digits and a newline, then closed. */
export const keyDescriptor = 3;
