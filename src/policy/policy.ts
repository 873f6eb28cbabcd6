import type { Decision } from '../protocol/decision.ts';
import type { RuleProposal } from '../protocol/approval.ts';

/** What is judged: a shell line, and the absolute folder in which it would run. */
export interface CommandRequest {
  readonly command: string;
  readonly cwd: string;
}

/** Rules and facts bound together; judging is synchronous, pure but for looking at symlinks, and never throws. */
export interface CommandPolicy {
  decide(request: CommandRequest): Decision;
  /** What "Always allow…" may offer for this line, narrowest first; empty when nothing safe can be offered. */
  propose(request: CommandRequest): RuleProposal[];
}

export type RuleVerdict = 'allow' | 'ask' | 'deny';

/** Where a rule comes from. Strictest wins over all of them. */
export type RuleSource = 'user' | 'workspace' | 'session' | 'organisation';

/** Settings as they are found: not yet checked. `value` is what `cordon.commands.rules` holds in that place. */
export interface RuleSettings {
  readonly source: RuleSource;
  readonly value: unknown;
}

/** A rule that could not be read: it is named, ignored, and never widens anything. */
export interface RuleProblem {
  readonly source: RuleSource;
  readonly pattern: string;
  readonly message: string;
}
