import { messageOf } from '../base/errors.ts';
import type { ApprovalAnswer } from '../protocol/approval.ts';
import type { Decision } from '../protocol/decision.ts';
import type { CommandPolicy, CommandRequest } from '../policy/policy.ts';
import type { Unattended } from './session.ts';
import type { Approvals } from './approvals.ts';
import { deniedByPolicy, deniedByUser, unanswered, type Denial } from './denial.ts';

/** Whether a command may run. `allowedBy` says why, for the panel and the record. */
export type CommandVerdict =
  | { readonly kind: 'allowed'; readonly allowedBy: string }
  | { readonly kind: 'denied'; readonly denial: Denial };

interface Options {
  readonly policy: () => CommandPolicy;
  readonly approvals: Approvals;
  readonly remember: (answer: Extract<ApprovalAnswer, { kind: 'alwaysAllow' }>) => Promise<void>;
  readonly unattended: Unattended | undefined;
  readonly warn: (code: string, text: string) => void;
}

/** Decides over the commands of one session: by policy, by what the user allowed for the session, or by asking. */
export class CommandApproval {
  /** Exactly these lines in exactly these folders. */
  readonly #forSession = new Set<string>();

  constructor(private readonly options: Options) {}

  async decide(
    request: CommandRequest & { readonly background: boolean; readonly itemId: string },
    signal: AbortSignal,
  ): Promise<CommandVerdict> {
    const { approvals, unattended } = this.options;
    const { command, cwd, background, itemId } = request;
    const { policy, decision } = this.#judge({ command, cwd });
    // A denial of the policy stands above everything that was ever allowed by hand.
    if (decision.decision === 'deny') return denied(deniedByPolicy(words(decision)));
    if (decision.decision === 'allow') return { kind: 'allowed', allowedBy: words(decision) };
    if (this.#forSession.has(key(request)))
      return { kind: 'allowed', allowedBy: 'You allowed this command for the session.' };
    if (unattended !== undefined) return denied(deniedByPolicy(`${words(decision)} ${unattended.command}`));
    const proposals = policy?.propose({ command, cwd }) ?? [];
    const answer = await approvals.ask(
      itemId,
      { kind: 'command', command, cwd, background, proposals },
      decision,
      signal,
    );
    return await this.#settle(request, answer);
  }

  async #settle(request: CommandRequest, answer: ApprovalAnswer | null): Promise<CommandVerdict> {
    switch (answer?.kind) {
      case undefined:
        return denied(unanswered());
      case 'deny':
        return denied(deniedByUser(answer.words));
      // Answers to a question about a folder; they were never offered here.
      case 'allowToday':
      case 'never':
        return denied(unanswered());
      case 'allowOnce':
        return { kind: 'allowed', allowedBy: 'You allowed it once.' };
      case 'allowForSession':
        this.#forSession.add(key(request));
        return { kind: 'allowed', allowedBy: 'You allowed this command for the session.' };
      case 'alwaysAllow':
        try {
          await this.options.remember(answer);
          return { kind: 'allowed', allowedBy: `You allowed it always, by the rule "${answer.pattern}".` };
        } catch (error) {
          this.options.warn(
            'approval.notRemembered',
            `The rule could not be stored, so it counts once: ${messageOf(error)}`,
          );
          return { kind: 'allowed', allowedBy: 'You allowed it once.' };
        }
    }
  }

  /** A policy that cannot be read, or that throws, asks; and it proposes nothing. */
  #judge(request: CommandRequest): { policy: CommandPolicy | undefined; decision: Decision } {
    try {
      const policy = this.options.policy();
      return { policy, decision: policy.decide(request) };
    } catch (error) {
      const message = `The rules could not be read (${messageOf(error)}), so you are asked.`;
      const reasons = [
        { code: 'policy.failed', message, span: [0, request.command.length] as [number, number] },
      ];
      return { policy: undefined, decision: { decision: 'ask', risk: 50, reasons } };
    }
  }
}

function denied(denial: Denial): CommandVerdict {
  return { kind: 'denied', denial };
}

function words(decision: Decision): string {
  return [...new Set(decision.reasons.map(({ message }) => message))].slice(0, 5).join(' ');
}

function key({ command, cwd }: CommandRequest): string {
  return JSON.stringify([command, cwd]);
}
