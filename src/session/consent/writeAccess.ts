import { messageOf } from '../../base/errors.ts';
import type { ApprovalAnswer } from '../../protocol/approval.ts';
import type { Decision } from '../../protocol/decision.ts';
import type { Approvals } from './approvals.ts';
import { deniedByPolicy, deniedByUser, unanswered, type Denial } from './denial.ts';
import type { Place } from '../files/place.ts';
import type { Unattended } from '../session.ts';

/** What the agent wants to do to a file, and for which call of its. */
export interface WriteRequest {
  readonly place: Place;
  readonly operation: 'create' | 'edit' | 'delete';
  readonly itemId: string;
}

interface Options {
  readonly folders: readonly string[];
  readonly approvals: Approvals;
  /** The user's standing grants. */
  readonly standing: () => readonly string[];
  readonly remember: (answer: Extract<ApprovalAnswer, { kind: 'alwaysAllow' }>) => Promise<void>;
  /** Nobody can be asked; these words say how to allow it beforehand. */
  readonly unattended: Unattended | undefined;
  /** What is written goes to a copy, and the user decides later what of it to take over: nothing is asked now. */
  readonly isCopy: boolean;
  /** No file is changed, whatever was granted. */
  readonly isLocked: () => boolean;
  readonly warn: (code: string, text: string) => void;
}

/**
 * Which workspace folders may be written, and the asking for more. The user's own files are not writable until somebody
 * said so; a copy of them is.
 */
export class WriteAccess {
  readonly #forTurn = new Set<string>();
  /** When it was allowed, in milliseconds since the epoch. */
  readonly #forSession = new Map<string, number>();
  /** Questions under way by folder: several writes at once are one question. */
  readonly #asking = new Map<string, Promise<ApprovalAnswer | null>>();

  constructor(private readonly options: Options) {}

  /** The folders that may be written now. `lasting` leaves out what was granted for this turn only. */
  writable(lasting = false): string[] {
    if (this.options.isLocked()) return [];
    if (this.options.isCopy) return [...this.options.folders];
    const granted = new Set([
      ...this.options.standing(),
      ...this.#forSession.keys(),
      ...(lasting ? [] : this.#forTurn),
    ]);
    return this.options.folders.filter(folder => granted.has(folder));
  }

  /** Folders that were allowed for the session, and since when. */
  forSession(): ReadonlyMap<string, number> {
    return this.#forSession;
  }

  /** Takes back what was allowed for this session or turn. A standing grant is the user's settings' affair. */
  revoke(folder: string): void {
    this.#forSession.delete(folder);
    this.#forTurn.delete(folder);
  }

  endTurn(): void {
    this.#forTurn.clear();
  }

  /** Makes sure that the folder may be written, asking if need be. Undefined when it may. */
  async ensure(request: WriteRequest, signal: AbortSignal): Promise<Denial | undefined> {
    const { folder } = request.place;
    if (this.options.isLocked()) return deniedByPolicy(locked);
    if (this.writable().includes(folder)) return undefined;
    const { unattended } = this.options;
    if (unattended !== undefined) {
      return deniedByPolicy(`Nothing in ${folder} may be changed in this run. ${unattended.write}`);
    }
    const asking = this.#asking.get(folder) ?? this.#ask(request, signal);
    return refusal(await asking);
  }

  /** Asks for this one change of a path that can run code or change policy later. Only "once" counts. */
  async confirmProtected(
    request: WriteRequest,
    because: string,
    signal: AbortSignal,
  ): Promise<Denial | undefined> {
    const { unattended, approvals } = this.options;
    const { place, operation, itemId } = request;
    if (this.options.isLocked()) return deniedByPolicy(locked);
    if (unattended !== undefined)
      return deniedByPolicy(`It ${because}, so a person must confirm it. ${unattended.protectedWrite}`);
    const protectedBecause = `It ${because}.`;
    const subject = {
      kind: 'write',
      folder: place.folder,
      path: place.path,
      operation,
      protectedBecause,
    } as const;
    const answer = await approvals.ask(itemId, subject, protectedDecision(protectedBecause), signal);
    return refusal(answer);
  }

  #ask({ place, operation, itemId }: WriteRequest, signal: AbortSignal): Promise<ApprovalAnswer | null> {
    const { folder, path } = place;
    const subject = { kind: 'write', folder, path, operation } as const;
    const asking = this.options.approvals
      .ask(itemId, subject, folderDecision(folder), signal)
      .then(answer => this.#grant(folder, answer))
      .finally(() => this.#asking.delete(folder));
    this.#asking.set(folder, asking);
    return asking;
  }

  async #grant(folder: string, answer: ApprovalAnswer | null): Promise<ApprovalAnswer | null> {
    if (answer === null || answer.kind === 'deny' || answer.kind === 'never') return answer;
    this.#forTurn.add(folder);
    if (answer.kind === 'allowForSession') this.#forSession.set(folder, Date.now());
    if (answer.kind === 'alwaysAllow') {
      try {
        await this.options.remember(answer);
      } catch (error) {
        const text = `The grant could not be stored, so it counts for this turn only: ${messageOf(error)}`;
        this.options.warn('approval.notRemembered', text);
      }
    }
    return answer;
  }
}

const locked = 'Cordon is in locked mode, in which no file is changed.';

function refusal(answer: ApprovalAnswer | null): Denial | undefined {
  if (answer === null) return unanswered();
  if (answer.kind === 'never') return deniedByUser(undefined);
  return answer.kind === 'deny' ? deniedByUser(answer.words) : undefined;
}

function folderDecision(folder: string): Decision {
  const message = `The agent may read ${folder} but not change it so far.`;
  return { decision: 'ask', risk: 30, reasons: [{ code: 'write.folder', message, span: [0, 0] }] };
}

function protectedDecision(message: string): Decision {
  return { decision: 'ask', risk: 70, reasons: [{ code: 'write.protected', message, span: [0, 0] }] };
}
