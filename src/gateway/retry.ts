import type { Problem } from './problem.ts';
import { modelRetries } from '../protocol/model.ts';

/** Longest wait, in seconds, that is waited out without asking the user. Beyond it SDKs disagree on what to do. */
const longestWait = 60;

/**
 * Seconds until the agent's SDK should ask again, or undefined when the turn is over. The gateway decides and tells
 * the SDK (see `retryHeaders`), so that what the user reads is what happens.
 *
 * @param attempt how often this request was repeated before, as the SDK says
 * @param retryAfter the provider's own `Retry-After`, in seconds
 */
export function retryDelay(
  problem: Problem,
  attempt: number,
  retryAfter: number | undefined,
): number | undefined {
  if (!problem.passes || attempt >= modelRetries) return undefined;
  if (retryAfter === undefined) return Math.min(8, 0.5 * 2 ** attempt);
  return retryAfter > longestWait ? undefined : Math.max(0.1, retryAfter);
}

/** Both official SDKs obey `x-should-retry` and `retry-after-ms` before anything else; `retry-after` is for the rest. */
export function retryHeaders(delay: number | undefined): Record<string, string> {
  if (delay === undefined) return { 'x-should-retry': 'false' };
  return {
    'x-should-retry': 'true',
    'retry-after-ms': String(Math.ceil(delay * 1000)),
    'retry-after': String(Math.ceil(delay)),
  };
}

/** `Retry-After` (or `retry-after-ms`) in seconds from `now`; undefined when there is none that can be understood. */
export function readRetryAfter(headers: Headers, now: number): number | undefined {
  const milliseconds = Number(headers.get('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(milliseconds) && milliseconds >= 0) return milliseconds / 1000;
  const value = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
  // Only the form that HTTP asks for; Date.parse alone would take "1.5s" for a day in May.
  const date = /^[A-Z][a-z]{2}, /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}

/** The problem with the provider's wish to wait, when that is longer than Cordon waits by itself. */
export function withLongWait(problem: Problem, retryAfter: number | undefined): Problem {
  if (!problem.passes || retryAfter === undefined || retryAfter <= longestWait) return problem;
  const minutes = Math.ceil(retryAfter / 60);
  return {
    ...problem,
    remedy: `It asks to wait ${minutes} minutes; send the message again then, or choose another model.`,
  };
}
