import type { WallClock } from '../../../sandbox/wallClock.ts';
import { messageOf } from '../../base/errors.ts';
import type { EgressTarget } from '../../egress/egressProxy.ts';
import { grantFor, isForbidden, parseDomain, type DomainGrant } from '../../egress/grant.ts';
import type { ApprovalAnswer } from '../../protocol/approval.ts';
import type { Approvals } from '../consent/approvals.ts';
import type { Unattended } from '../session.ts';
import { domainQuestion } from './domainQuestion.ts';
import { newPermission, type FollowedCommand } from './followedCommand.ts';
import { keyOf, type HostVerdict } from './hostReport.ts';

/** What the questions need of the session that asks them. */
export interface QuestionDesk {
  readonly approvals: Approvals;
  readonly unattended: Unattended | undefined;
  readonly warn: (code: string, text: string) => void;
}

interface Options {
  /** Hosts that are not asked about, each with all below it. */
  readonly forbidden: () => readonly string[];
  /** Keeps a standing grant. A rejection is shown, and the grant counts for the session. */
  readonly remember: (grant: DomainGrant) => Promise<void>;
  readonly allowForSession: (grant: string) => void;
}

/** Asks the user about hosts that commands want to reach, while the connection waits: about each once for a command. */
export class HostQuestions {
  #desk: QuestionDesk | undefined;

  constructor(private readonly options: Options) {}

  /** Before this nobody is asked, and what is asked is denied. */
  attach(desk: QuestionDesk): void {
    this.#desk = desk;
  }

  /** `clocks`: of the wall time of every command that may be the one that waits. Each stands meanwhile. */
  async ask(
    target: EgressTarget,
    command: FollowedCommand,
    clocks: readonly WallClock[],
  ): Promise<'allow' | 'deny'> {
    const key = keyOf(target);
    const before = command.verdicts.get(key);
    // A program that tries again and again asks once.
    if (before !== undefined && before.kind !== 'unanswered' && before.kind !== 'allowed') return 'deny';
    const refused = this.#notToBeAsked(target, command);
    if (refused !== undefined) {
      command.verdicts.set(key, refused);
      return 'deny';
    }
    // It outlives the connection: who gives up and tries anew meets the same question.
    const asking = command.questions.get(key) ?? this.#question(target, command, clocks);
    command.questions.set(key, asking);
    return await asking;
  }

  #notToBeAsked(target: EgressTarget, command: FollowedCommand): HostVerdict | undefined {
    if (isForbidden(this.options.forbidden(), target.host))
      return { kind: 'refused', why: forbidden, isFinal: true };
    const unattended = this.#desk?.unattended;
    if (this.#desk === undefined || unattended !== undefined) {
      const why = unattended?.host(grantFor(target.host, target.port)) ?? 'Nobody can be asked.';
      return { kind: 'refused', why, isFinal: true };
    }
    if (command.questions.size >= mostQuestions) return { kind: 'refused', why: tooMany, isFinal: false };
    return undefined;
  }

  async #question(
    target: EgressTarget,
    command: FollowedCommand,
    clocks: readonly WallClock[],
  ): Promise<'allow' | 'deny'> {
    const key = keyOf(target);
    command.verdicts.set(key, { kind: 'unanswered' });
    const runOn = clocks.map(clock => clock.stand());
    try {
      const { subject, decision } = domainQuestion(target, command.line);
      const answer = await this.#desk?.approvals.ask(command.itemId, subject, decision, command.over.signal);
      const verdict = verdictOf(answer);
      command.verdicts.set(key, verdict);
      if (verdict.kind !== 'allowed') return 'deny';
      await this.#grant(target, command, answer);
      return 'allow';
    } finally {
      command.questions.delete(key);
      for (const each of runOn) each();
    }
  }

  async #grant(
    { host, port }: EgressTarget,
    command: FollowedCommand,
    answer: ApprovalAnswer | null | undefined,
  ): Promise<void> {
    const text = grantFor(host, port);
    const grant = parseDomain(text);
    if (answer?.kind === 'allowForSession') return this.options.allowForSession(text);
    if (answer?.kind !== 'alwaysAllow') {
      command.once.set(text, newPermission(grant, 'once'));
      return;
    }
    try {
      await this.options.remember(grant);
    } catch (error) {
      this.options.allowForSession(text);
      this.#desk?.warn(
        'approval.notRemembered',
        `${text} could not be stored, so it is allowed for this session only: ${messageOf(error)}`,
      );
    }
  }
}

function verdictOf(answer: ApprovalAnswer | null | undefined): HostVerdict {
  if (answer === null || answer === undefined) return { kind: 'unanswered' };
  return answer.kind === 'deny' ? { kind: 'denied', words: answer.words?.trim() ?? '' } : { kind: 'allowed' };
}

/** Open at once for one command: a person answers one after the other. */
const mostQuestions = 8;

const forbidden = 'The setting "cordon.network.deniedDomains" forbids it.';
const tooMany = 'Too many hosts were asked for at once.';
