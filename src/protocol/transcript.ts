import * as z from 'zod';
import { ApprovalAnswer, ApprovalRequest } from './approval.ts';
import { noUsage, Usage } from './model.ts';
import { WallDenial } from './wallDenial.ts';

/** Where a tool call stands. A denial is a result, not an error: `reason` says what did not happen. */
export const CallState = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pending') }),
  z.object({ kind: z.literal('awaitingApproval'), approvalId: z.string() }),
  z.object({ kind: z.literal('running'), since: z.number() }),
  z.object({
    kind: z.literal('finished'),
    ok: z.boolean(),
    /** For commands: the exit status, or the signal that ended it. */
    exit: z.object({ code: z.number().nullable(), signal: z.string().nullable() }).optional(),
    /** Milliseconds. */
    took: z.number().optional(),
  }),
  z.object({ kind: z.literal('denied'), by: z.enum(['policy', 'user', 'sandbox']), reason: z.string() }),
  z.object({ kind: z.literal('cancelled') }),
]);
export type CallState = z.infer<typeof CallState>;

export const FileDiff = z.object({
  path: z.string(),
  /** Unified diff hunks without file headers; bounded to 200 KB. */
  patch: z.string(),
  added: z.number().int(),
  removed: z.number().int(),
});
export type FileDiff = z.infer<typeof FileDiff>;

/** Files that were written in the agent's copy of the workspace. */
export const ChangedFiles = z.object({
  /** Absolute paths, the first 200. */
  files: z.array(z.string()).max(200),
  /** All of them. */
  count: z.number().int(),
  /** Ignored outputs besides, which are counted only. */
  others: z.number().int(),
});
export type ChangedFiles = z.infer<typeof ChangedFiles>;

/** All connections of one command to one host and port. Bytes as they went over the network. */
export const HostTraffic = z.object({
  host: z.string(),
  port: z.number().int(),
  connections: z.number().int(),
  sent: z.number(),
  received: z.number(),
});
export type HostTraffic = z.infer<typeof HostTraffic>;

const base = { id: z.string(), at: z.number() };

/** One entry of a conversation, whole: storing or showing it needs nothing else. */
export const TranscriptItem = z.discriminatedUnion('kind', [
  z.object({ ...base, kind: z.literal('user'), text: z.string() }),
  z.object({
    ...base,
    kind: z.literal('assistant'),
    /** Markdown. */
    text: z.string(),
    /** `cut`: the stream ended before the message did. */
    state: z.enum(['streaming', 'complete', 'cut']),
  }),
  z.object({
    ...base,
    kind: z.literal('thought'),
    text: z.string(),
    state: z.enum(['streaming', 'complete', 'cut']),
  }),
  z.object({
    ...base,
    /** `id` is the tool call id. */
    kind: z.literal('toolCall'),
    tool: z.enum(['read', 'edit', 'delete', 'search', 'execute', 'think', 'other']),
    title: z.string(),
    state: CallState,
    /** The whole command line, for `execute`. */
    command: z.string().optional(),
    cwd: z.string().optional(),
    background: z.boolean().optional(),
    /** Files and, where known, 1-based lines. */
    locations: z.array(z.object({ path: z.string(), line: z.number().int().optional() })),
    diffs: z.array(FileDiff),
    /** Text result or command output, bounded. */
    output: z.string(),
    /** Why it was allowed: the rule or answer, for "Auto-approved by rule …". */
    allowedBy: z.string().optional(),
    /** What a command changed in the agent's copy of the workspace. */
    changed: ChangedFiles.optional(),
    /** Hosts that the command reached, each once. */
    connections: z.array(HostTraffic).optional(),
    /** What the walls refused it, with what would cure that. */
    denials: z.array(WallDenial).optional(),
  }),
  z.object({
    ...base,
    kind: z.literal('plan'),
    entries: z.array(
      z.object({
        content: z.string(),
        priority: z.enum(['high', 'medium', 'low']),
        status: z.enum(['pending', 'in_progress', 'completed']),
      }),
    ),
  }),
  z.object({
    ...base,
    kind: z.literal('notice'),
    level: z.enum(['info', 'warning', 'error']),
    /** Stable, dotted; the code of the CordonError behind it. */
    code: z.string(),
    text: z.string(),
  }),
  z.object({
    ...base,
    kind: z.literal('turnEnd'),
    reason: z.enum(['done', 'stopped', 'limit', 'refused', 'failed']),
    /** What the turn changed in the agent's copy of the workspace; absent where there is none. */
    changed: ChangedFiles.optional(),
    /** Commits in that copy that the user's repository has not; absent when there are none. */
    commits: z.number().int().optional(),
  }),
]);
export type TranscriptItem = z.infer<typeof TranscriptItem>;
export type ToolCallItem = Extract<TranscriptItem, { kind: 'toolCall' }>;

/** A question of the agent's to the user; answered by text, or by choosing an option. */
export const UserQuestion = z.object({ id: z.string(), question: z.string(), options: z.array(z.string()) });
export type UserQuestion = z.infer<typeof UserQuestion>;

export const SessionStatus = z.enum(['idle', 'starting', 'running', 'stopping']);
export type SessionStatus = z.infer<typeof SessionStatus>;

/** What happens in a conversation, in order. The panel, the store and `cordon run --json` all live on these. */
export const SessionEvent = z.discriminatedUnion('type', [
  /** Inserts the item, or replaces the one with the same id. */
  z.object({ type: z.literal('item'), item: TranscriptItem }),
  /** Appends to the text of a streaming message or thought. */
  z.object({ type: z.literal('text'), id: z.string(), text: z.string() }),
  /** Appends to the output of a running tool call. */
  z.object({ type: z.literal('output'), id: z.string(), text: z.string() }),
  z.object({ type: z.literal('status'), status: SessionStatus }),
  z.object({ type: z.literal('approval'), request: ApprovalRequest }),
  /** `answer` is null when the request ended without one (stopped, session over): it counts as no. */
  z.object({ type: z.literal('approvalSettled'), id: z.string(), answer: ApprovalAnswer.nullable() }),
  z.object({ type: z.literal('question'), question: UserQuestion }),
  z.object({ type: z.literal('questionSettled'), id: z.string(), answer: z.string().nullable() }),
  z.object({ type: z.literal('usage'), usage: Usage }),
  z.object({ type: z.literal('title'), title: z.string() }),
]);
export type SessionEvent = z.infer<typeof SessionEvent>;

/** A conversation as shown: the sum of its events. */
export const Conversation = z.object({
  id: z.string(),
  title: z.string(),
  items: z.array(TranscriptItem),
  status: SessionStatus,
  approvals: z.array(ApprovalRequest),
  questions: z.array(UserQuestion),
  usage: Usage,
});
export type Conversation = z.infer<typeof Conversation>;

export function emptyConversation(id: string): Conversation {
  return {
    id,
    title: 'New conversation',
    items: [],
    status: 'idle',
    approvals: [],
    questions: [],
    usage: noUsage,
  };
}

/** Commands print without end; what is kept of one call's output, in UTF-16 units, from the end. */
export const keptOutput = 100_000;

/** The conversation after one more event. Pure; unknown ids leave it as it was. */
export function applyEvent(conversation: Conversation, event: SessionEvent): Conversation {
  switch (event.type) {
    case 'item': {
      const at = conversation.items.findLastIndex(item => item.id === event.item.id);
      const items = at < 0 ? [...conversation.items, event.item] : conversation.items.with(at, event.item);
      return { ...conversation, items };
    }
    case 'text':
      return withItem(conversation, event.id, item =>
        item.kind === 'assistant' || item.kind === 'thought'
          ? { ...item, text: item.text + event.text }
          : item,
      );
    case 'output':
      return withItem(conversation, event.id, item =>
        item.kind === 'toolCall' ? { ...item, output: (item.output + event.text).slice(-keptOutput) } : item,
      );
    case 'status':
      return { ...conversation, status: event.status };
    case 'approval':
      return { ...conversation, approvals: withOpen(conversation.approvals, event.request) };
    case 'approvalSettled':
      return {
        ...conversation,
        approvals: conversation.approvals.filter(request => request.id !== event.id),
      };
    case 'question':
      return { ...conversation, questions: withOpen(conversation.questions, event.question) };
    case 'questionSettled':
      return {
        ...conversation,
        questions: conversation.questions.filter(question => question.id !== event.id),
      };
    case 'usage':
      return { ...conversation, usage: event.usage };
    case 'title':
      return { ...conversation, title: event.title };
  }
}

/** A state and an event may both tell of the same request; it is one. */
function withOpen<T extends { readonly id: string }>(open: T[], added: T): T[] {
  return open.some(each => each.id === added.id) ? open : [...open, added];
}

function withItem(
  conversation: Conversation,
  id: string,
  change: (item: TranscriptItem) => TranscriptItem,
): Conversation {
  const at = conversation.items.findLastIndex(item => item.id === id);
  const item = conversation.items[at];
  return item === undefined
    ? conversation
    : { ...conversation, items: conversation.items.with(at, change(item)) };
}
