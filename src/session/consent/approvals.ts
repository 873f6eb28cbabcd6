import { randomId } from '../../base/ids.ts';
import type { ApprovalAnswer, ApprovalRequest, ApprovalSubject } from '../../protocol/approval.ts';
import type { Decision } from '../../protocol/decision.ts';
import type { CallState } from '../../protocol/transcript.ts';
import type { Transcript } from '../transcript/transcript.ts';

interface OpenRequest {
  readonly request: ApprovalRequest;
  /** How the call stood before it waited; undefined when it shows no waiting. */
  readonly before: CallState | undefined;
  readonly settle: (answer: ApprovalAnswer | null) => void;
}

/** The questions to the user that wait for yes or no. Whatever ends one without an answer settles it with null: no. */
export class Approvals {
  readonly #open = new Map<string, OpenRequest>();

  constructor(
    private readonly conversationId: string,
    private readonly transcript: Transcript,
  ) {}

  get isWaiting(): boolean {
    return this.#open.size > 0;
  }

  /** Asks, and shows the call as waiting. Null when the signal ends it, or when too many wait already. */
  ask(
    itemId: string,
    subject: ApprovalSubject,
    decision: Decision,
    signal: AbortSignal,
  ): Promise<ApprovalAnswer | null> {
    if (signal.aborted || this.#open.size >= maxOpen) return Promise.resolve(null);
    const request: ApprovalRequest = {
      id: randomId(),
      conversationId: this.conversationId,
      toolCallId: itemId,
      at: Date.now(),
      subject,
      decision,
    };
    const { promise, resolve } = Promise.withResolvers<ApprovalAnswer | null>();
    const settle = (answer: ApprovalAnswer | null) => {
      if (!this.#open.delete(request.id)) return;
      signal.removeEventListener('abort', withdraw);
      this.#runOn(itemId, request.id, before);
      this.transcript.tell({ type: 'approvalSettled', id: request.id, answer });
      resolve(answer);
    };
    const withdraw = () => settle(null);
    signal.addEventListener('abort', withdraw, { once: true });
    const item = this.transcript.item(itemId);
    const before = item?.kind === 'toolCall' ? this.#stateBeforeWaiting(item.state) : undefined;
    this.#open.set(request.id, { request, before, settle });
    if (item?.kind === 'toolCall') {
      this.transcript.put({ ...item, state: { kind: 'awaitingApproval', approvalId: request.id } });
    }
    this.transcript.tell({ type: 'approval', request });
    return promise;
  }

  /** The first answer wins. False when the request is not open, or the answer is none that it offered. */
  answer(id: string, answer: ApprovalAnswer): boolean {
    const open = this.#open.get(id);
    const narrowed = open && offered(open.request.subject, answer);
    if (open === undefined || narrowed === undefined) return false;
    open.settle(narrowed);
    return true;
  }

  settleAll(): void {
    for (const { settle } of this.#open.values()) settle(null);
  }

  #stateBeforeWaiting(state: CallState): CallState | undefined {
    return state.kind === 'awaitingApproval' ? this.#open.get(state.approvalId)?.before : state;
  }

  /** A command that ran while it was asked about runs on, or waits for the next answer. */
  #runOn(itemId: string, settled: string, before: CallState | undefined): void {
    const item = this.transcript.item(itemId);
    if (item?.kind !== 'toolCall' || before?.kind !== 'running') return;
    if (item.state.kind !== 'awaitingApproval' || item.state.approvalId !== settled) return;
    const next = [...this.#open.values()].find(({ request }) => request.toolCallId === itemId);
    const state: CallState =
      next === undefined ? before : { kind: 'awaitingApproval', approvalId: next.request.id };
    this.transcript.put({ ...item, state });
  }
}

/** A person answers one after the other; more at once are not questions any more. */
const maxOpen = 50;

/**
 * The answer, never wider than what was offered: "always" only for a proposed pattern, and for a protected path only
 * this once. The panel sends answers too, and must not be able to make rules of its own.
 */
function offered(subject: ApprovalSubject, answer: ApprovalAnswer): ApprovalAnswer | undefined {
  if (answer.kind === 'deny') return answer;
  if (subject.kind === 'folder') return offeredFolder(subject, answer);
  if (answer.kind === 'allowOnce') return { kind: 'allowOnce' };
  if (subject.kind === 'secret') return answer.kind === 'allowForSession' ? answer : undefined;
  // Answers for folders only.
  if (answer.kind === 'allowToday' || answer.kind === 'never') return undefined;
  if (subject.kind === 'write') {
    if (subject.protectedBecause !== undefined) return { kind: 'allowOnce' };
    return answer.kind === 'alwaysAllow' ? { ...answer, pattern: subject.folder } : answer;
  }
  if (subject.kind === 'domain')
    return answer.kind === 'alwaysAllow' ? { ...answer, pattern: subject.grant, scope: 'user' } : answer;
  if (answer.kind === 'allowForSession') return answer;
  return subject.proposals.some(({ pattern }) => pattern === answer.pattern) ? answer : undefined;
}

/** Reading and changing outside have no session: what is more than a turn is a day, or for good. */
function offeredFolder(
  { folder, around, recent }: Extract<ApprovalSubject, { kind: 'folder' }>,
  answer: Exclude<ApprovalAnswer, { kind: 'deny' }>,
): ApprovalAnswer | undefined {
  if (answer.kind === 'allowForSession') return undefined;
  const chosen = answer.kind === 'alwaysAllow' ? answer.pattern : (answer.folder ?? folder);
  return [folder, ...around, ...recent].includes(chosen) ? answer : undefined;
}
