import { loadPolicy } from './loadPolicy.ts';
import type { PolicyOptions } from './loadPolicy.ts';
import type { RuleSource, RuleVerdict } from './policy.ts';

/** A command of the past: where it ran or would have run, and what the user said to it. */
export interface PastCommand {
  readonly command: string;
  /** Absolute. */
  readonly cwd: string;
  /** `unasked` when nobody was asked. */
  readonly answer: 'allowed' | 'denied' | 'unasked';
}

/** What a rule would have done to past commands, each the first time it stands there. */
export interface BackTest {
  /** Allowed with the rule, and not without it. */
  readonly allowed: readonly PastCommand[];
  /** Of those, what the user denied then. */
  readonly allowedAgainstUser: readonly PastCommand[];
  /** No longer allowed. */
  readonly held: readonly PastCommand[];
  /** One sentence for a person. */
  readonly summary: string;
}

/**
 * Tries a rule on past commands, as if it had stood beside the others. Nothing is run. A rule that cannot be read does
 * nothing, and the summary says so.
 */
export function backTest(
  options: PolicyOptions,
  rule: { readonly pattern: string; readonly verdict: RuleVerdict; readonly source: RuleSource },
  past: readonly PastCommand[],
): BackTest {
  const before = loadPolicy(options);
  const after = loadPolicy({
    ...options,
    settings: [...options.settings, { source: rule.source, value: { [rule.pattern]: rule.verdict } }],
  });
  const problem = after.problems.find(
    ({ source, pattern }) => source === rule.source && pattern === rule.pattern,
  );
  if (problem) return { allowed: [], allowedAgainstUser: [], held: [], summary: problem.message };
  const distinct = [
    ...new Map(past.map(each => [`${each.cwd}\0${each.command}\0${each.answer}`, each])).values(),
  ];
  const changed = distinct.map(each => ({
    each,
    was: before.policy.decide(each).decision,
    is: after.policy.decide(each).decision,
  }));
  const allowed = changed.filter(({ was, is }) => is === 'allow' && was !== 'allow').map(({ each }) => each);
  const held = changed.filter(({ was, is }) => was === 'allow' && is !== 'allow').map(({ each }) => each);
  const against = allowed.filter(({ answer }) => answer === 'denied');
  return {
    allowed,
    allowedAgainstUser: against,
    held,
    summary: summarise(allowed.length, against.length, held.length, distinct.length),
  };
}

function summarise(allowed: number, against: number, held: number, all: number): string {
  const including = against === 0 ? '' : `, including ${against} that you denied`;
  if (held > 0) return `It would have held back ${held} of ${all} past commands that ran unasked.`;
  return allowed === 0
    ? `It would have changed nothing for ${all} past commands.`
    : `It would have allowed ${allowed} of ${all} past commands unasked${including}.`;
}
