import * as z from 'zod';
import { ApprovalAnswer } from './approval.ts';
import { ProviderId } from './model.ts';
import { Conversation, SessionEvent } from './transcript.ts';

/** One row of the history. Times in milliseconds since the epoch. */
export const ConversationSummary = z.object({
  id: z.string(),
  title: z.string(),
  createdAt: z.number(),
  updatedAt: z.number(),
});
export type ConversationSummary = z.infer<typeof ConversationSummary>;

/** What stands between the user and the chat, if anything. */
export const PanelGate = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('open') }),
  z.object({ kind: z.literal('untrusted') }),
  z.object({ kind: z.literal('noFolder') }),
  z.object({ kind: z.literal('virtualWorkspace') }),
  /** No model chosen yet: the panel offers these. */
  z.object({
    kind: z.literal('chooseModel'),
    choices: z.array(z.object({ provider: ProviderId, label: z.string(), detail: z.string() })),
  }),
  /** The user stopped everything; nothing starts until they say so. */
  z.object({ kind: z.literal('stopped') }),
  /** Nothing may run: `message` says what is wrong and `remedy` how to mend it (plain text, may hold a command). */
  z.object({ kind: z.literal('blocked'), code: z.string(), message: z.string(), remedy: z.string() }),
]);
export type PanelGate = z.infer<typeof PanelGate>;

export const Mode = z.enum(['locked', 'sandboxed', 'unrestricted']);
export type Mode = z.infer<typeof Mode>;

/** The badge: what the session's self-test found. */
export const SandboxBadge = z.object({
  state: z.enum(['checking', 'holding', 'failed', 'off']),
  label: z.string(),
  detail: z.string(),
});
export type SandboxBadge = z.infer<typeof SandboxBadge>;

export const ChangeTotals = z.object({
  /** Files, and folders without any. */
  files: z.number().int(),
  /** Lines. */
  added: z.number().int(),
  removed: z.number().int(),
  /** Of these, those that are accepted only one by one. */
  protected: z.number().int(),
});
export type ChangeTotals = z.infer<typeof ChangeTotals>;

/** Everything the panel shows. Sent whole on `ready` and when anything but the conversation's stream changes. */
export const PanelState = z.object({
  gate: PanelGate,
  conversation: Conversation,
  history: z.array(ConversationSummary),
  model: z.object({ provider: ProviderId, label: z.string() }).nullable(),
  mode: Mode,
  sandbox: SandboxBadge,
  /** What waits for review in the agent's copy of the workspace; absent when nothing does. */
  changes: ChangeTotals.optional(),
  /** Absolute workspace folders; the panel shows paths relative to them. */
  folders: z.array(z.string()),
});
export type PanelState = z.infer<typeof PanelState>;

export const HostMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('state'), state: PanelState }),
  /** Applies to the conversation with this id; ignored when another one is shown. */
  z.object({ type: z.literal('event'), conversationId: z.string(), event: SessionEvent }),
  /** Put the keyboard into the prompt box, with this text if given. */
  z.object({ type: z.literal('focusPrompt'), text: z.string().optional() }),
]);
export type HostMessage = z.infer<typeof HostMessage>;

const id = z.string().min(1).max(100);

/** What the panel may ask. Anything else is dropped and logged; nothing here carries a secret or a decision rule. */
export const PanelMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('send'), text: z.string().min(1).max(200_000) }),
  z.object({ type: z.literal('stop') }),
  z.object({ type: z.literal('stopEverything') }),
  z.object({ type: z.literal('resume') }),
  z.object({ type: z.literal('answerApproval'), id, answer: ApprovalAnswer }),
  /** "Always allow…": the host asks for pattern and scope in a quick pick, then settles the request. */
  z.object({ type: z.literal('alwaysAllow'), id }),
  /** The button beside a denial of a tool call: the host asks, in its own words, whether to lift it. */
  z.object({ type: z.literal('cureDenial'), toolCallId: id, denial: z.number().int().nonnegative() }),
  /** "Another folder…": the host lets the user pick one and how long it is open, then settles the request. */
  z.object({ type: z.literal('chooseFolder'), id }),
  z.object({ type: z.literal('answerQuestion'), id, answer: z.string().max(20_000) }),
  z.object({ type: z.literal('newConversation') }),
  z.object({ type: z.literal('openConversation'), id }),
  z.object({ type: z.literal('renameConversation'), id, title: z.string().min(1).max(200) }),
  z.object({ type: z.literal('deleteConversation'), id }),
  /** From a message of the user's: the host asks what is to go back. */
  z.object({ type: z.literal('goBack'), itemId: id }),
  z.object({ type: z.literal('fork'), itemId: id }),
  z.object({ type: z.literal('importCommits') }),
  /** Without a provider the host shows the full choice. */
  z.object({ type: z.literal('chooseModel'), provider: ProviderId.optional() }),
  z.object({ type: z.literal('chooseMode') }),
  z.object({ type: z.literal('manageTrust') }),
  z.object({ type: z.literal('openFolder') }),
  z.object({ type: z.literal('recheckSandbox') }),
  z.object({ type: z.literal('showSandboxReport') }),
  z.object({ type: z.literal('openInEditor') }),
  /** Of one item of the transcript when it is named (a turn's end stands for its turn), else all that wait. */
  z.object({ type: z.literal('reviewChanges'), itemId: id.optional() }),
  z.object({ type: z.literal('acceptChanges') }),
  z.object({ type: z.literal('discardChanges') }),
  z.object({
    type: z.literal('openFile'),
    path: z.string().max(4_096),
    line: z.number().int().positive().optional(),
  }),
  z.object({ type: z.literal('openLink'), url: z.url().max(4_096) }),
]);
export type PanelMessage = z.infer<typeof PanelMessage>;

/** Larger panel messages are refused unread, in UTF-16 units of their JSON. */
export const maxPanelMessage = 1_000_000;
