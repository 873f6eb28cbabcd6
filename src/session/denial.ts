import { RequestError } from '@agentclientprotocol/sdk';
import { rpcErrors, type DeniedData } from '../protocol/agent.ts';

/** Why something the agent asked for was not done. A result, not a failure: the model reads `reason`. */
export type Denial = DeniedData;

/** The denial as the protocol carries it to the agent. */
export function denialError(denial: Denial): RequestError {
  return new RequestError(rpcErrors.denied, denial.reason, denial);
}

/** What the user said no to, with the user's own words for the model. `what` is a sentence such as "The command was not run." */
export function deniedByUser(what: string, words: string | undefined): Denial {
  const said = words?.trim();
  return {
    by: 'user',
    reason: said ? `${what} The user denied it and said: ${said}` : `${what} The user denied it.`,
  };
}

/** A question that ended without an answer: stopped, closed, or the session is over. */
export function unanswered(what: string): Denial {
  return { by: 'user', reason: `${what} The question ended without an answer, which counts as no.` };
}

export function deniedByPolicy(reason: string): Denial {
  return { by: 'policy', reason };
}

export function deniedBySandbox(reason: string): Denial {
  return { by: 'sandbox', reason };
}
