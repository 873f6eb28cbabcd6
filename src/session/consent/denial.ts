import { RequestError } from '@agentclientprotocol/sdk';
import { rpcErrors, type DeniedData } from '../../protocol/agent.ts';

/**
 * Why something the agent asked for was not done: a result, not a failure. `reason` holds the reasons only, as the agent
 * and the panel put their own words before it; for a user who said no it holds the user's own words, or nothing.
 */
export type Denial = DeniedData;

/** The denial as the protocol carries it to the agent. */
export function denialError(denial: Denial): RequestError {
  return new RequestError(rpcErrors.denied, denial.reason === '' ? 'Denied.' : denial.reason, denial);
}

export function deniedByUser(words: string | undefined): Denial {
  return { by: 'user', reason: words?.trim() ?? '' };
}

/** A question that ended without an answer: stopped, closed, or the session is over. */
export function unanswered(): Denial {
  return { by: 'policy', reason: 'The question to the user ended without an answer, which counts as no.' };
}

export function deniedByPolicy(reason: string): Denial {
  return { by: 'policy', reason };
}

export function deniedBySandbox(reason: string): Denial {
  return { by: 'sandbox', reason };
}
