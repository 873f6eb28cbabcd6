import * as z from 'zod';
import { Decision } from './decision.ts';

/** A pattern offered by "Always allow…": words, `*` for one word, `**` for the rest. Narrowest first. */
export const RuleProposal = z.object({ pattern: z.string().min(1), description: z.string() });
export type RuleProposal = z.infer<typeof RuleProposal>;

/** Where an "always" answer is written. */
export const RuleScope = z.enum(['workspace', 'user']);
export type RuleScope = z.infer<typeof RuleScope>;

export const ApprovalSubject = z.discriminatedUnion('kind', [
  /** Run this command line, whole and exactly as shown. */
  z.object({
    kind: z.literal('command'),
    command: z.string(),
    cwd: z.string(),
    background: z.boolean(),
    proposals: z.array(RuleProposal),
  }),
  /** Change files in a folder that is bound read-only so far. `path` is the first file concerned. */
  z.object({
    kind: z.literal('write'),
    folder: z.string(),
    path: z.string(),
    operation: z.enum(['create', 'edit', 'delete']),
    /** Set when this path can run code or change policy later: what it could do. Then only "once" is offered. */
    protectedBecause: z.string().optional(),
  }),
  /** Let a running command reach a host. Its connection waits meanwhile. */
  z.object({
    kind: z.literal('domain'),
    /** Lower-case ASCII, or an address: what is compared, and what is shown. */
    host: z.string(),
    port: z.number().int(),
    /** What "session" and "always" cover: HOST for the web's own ports, else HOST:PORT. */
    grant: z.string(),
    /** The command that wants it; absent when several run and it could not be told which. */
    command: z.string().optional(),
  }),
  /** Read one file of the workspace that is hidden, because it looks like a secret. Never for good. */
  z.object({ kind: z.literal('secret'), path: z.string() }),
  /** Read, or read and change, what lies outside of the workspace. `path` is what is wanted of it first. */
  z.object({
    kind: z.literal('folder'),
    /** The folder offered; the file itself where the folder around it would be too much. */
    folder: z.string(),
    path: z.string(),
    access: z.enum(['read', 'write']),
    /** Folders that may be chosen instead: narrower and wider ones, and such as were allowed before. */
    around: z.array(z.string()),
    recent: z.array(z.string()),
  }),
]);
export type ApprovalSubject = z.infer<typeof ApprovalSubject>;

/** One question to the user, shown as a quick pick and as a card. */
export const ApprovalRequest = z.object({
  id: z.string(),
  conversationId: z.string(),
  toolCallId: z.string(),
  /** Milliseconds since the epoch. */
  at: z.number(),
  subject: ApprovalSubject,
  decision: Decision,
});
export type ApprovalRequest = z.infer<typeof ApprovalRequest>;

/** Another folder than the one that was offered. */
const folder = z.string().max(4_096).optional();

/** What the user may say. `allowOnce` lasts for the turn for a write or a folder, for the command for a domain, for the reading for a secret; `allowToday` and `never` are for folders. */
export const ApprovalAnswer = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('deny'), words: z.string().max(4_000).optional() }),
  z.object({ kind: z.literal('allowOnce'), folder }),
  z.object({ kind: z.literal('allowToday'), folder }),
  z.object({ kind: z.literal('never'), folder }),
  z.object({ kind: z.literal('allowForSession') }),
  z.object({ kind: z.literal('alwaysAllow'), pattern: z.string().max(1_000), scope: RuleScope }),
]);
export type ApprovalAnswer = z.infer<typeof ApprovalAnswer>;
