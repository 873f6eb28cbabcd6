import { messageOf } from '../../base/errors.ts';
import type { ApprovalAnswer } from '../../protocol/approval.ts';
import type { Decision } from '../../protocol/decision.ts';
import type { CommandPolicy, CommandRequest } from '../../policy/policy.ts';
import type { Unattended } from '../session.ts';
import type { Approvals } from './approvals.ts';
import { deniedByPolicy, deniedByUser, unanswered, type Denial } from './denial.ts';

/** Whether a command may run. `allowedBy` says why, for the panel and the record. */
export type CommandVerdict =
  | { readonly kind: 'allowed'; readonly allowedBy: string; readonly ground: Ground }
  | { readonly kind: 'denied'; readonly denial: Denial };

/** What a permission rests on: the rules, the user's word for the session, or the user's word for this one time. */
export type Ground = 'rules' | 'session' | 'once';

/** A command that the user allowed for the session. Times in milliseconds since the epoch. */
export interface AllowedCommand {
  readonly command: string;
  readonly cwd: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  readonly uses: number;
}

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
  readonly #forSession = new Map<string, AllowedCommand>();

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
    if (decision.decision === 'allow') return allowed(words(decision), 'rules');
    const known = this.#forSession.get(key(request));
    if (known !== undefined) {
      this.#forSession.set(key(request), { ...known, uses: known.uses + 1, lastUsedAt: Date.now() });
      return allowed('You allowed this command for the session.', 'session');
    }
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

  /** What the user allowed for the session. */
  forSession(): AllowedCommand[] {
    return [...this.#forSession.values()];
  }

  /** Takes a permission for the session back. */
  revoke(command: Pick<AllowedCommand, 'command' | 'cwd'>): void {
    this.#forSession.delete(key(command));
  }

  /** Whether a command that runs on this ground would still be let run. */
  stands(request: CommandRequest, ground: Ground): boolean {
    if (ground === 'session') return this.#forSession.has(key(request));
    return ground === 'once' || this.#judge(request).decision.decision === 'allow';
  }

  #remember({ command, cwd }: CommandRequest): void {
    const now = Date.now();
    this.#forSession.set(key({ command, cwd }), { command, cwd, createdAt: now, lastUsedAt: now, uses: 1 });
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
        return allowed('You allowed it once.', 'once');
      case 'allowForSession':
        this.#remember(request);
        return allowed('You allowed this command for the session.', 'session');
      case 'alwaysAllow':
        try {
          await this.options.remember(answer);
          return allowed(`You allowed it always, by the rule "${answer.pattern}".`, 'rules');
        } catch (error) {
          this.options.warn(
            'approval.notRemembered',
            `The rule could not be stored, so it counts once: ${messageOf(error)}`,
          );
          return allowed('You allowed it once.', 'once');
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

function allowed(allowedBy: string, ground: Ground): CommandVerdict {
  return { kind: 'allowed', allowedBy, ground };
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
