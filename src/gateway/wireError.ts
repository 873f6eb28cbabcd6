import type { Wire } from '../protocol/model.ts';
import type { Problem } from './problem.ts';

/** The problem as the wire's own error body, so that ordinary SDKs raise it as theirs. */
export function wireError(wire: Wire, problem: Problem): Record<string, unknown> {
  const message = `${problem.message} ${problem.remedy}`;
  const type = typeOf(problem.status);
  return wire === 'anthropic'
    ? { type: 'error', error: { type, message } }
    : { error: { message, type, param: null, code: problem.code } };
}

/** The problem as one event of a stream that has begun: both SDKs raise it as an API error. */
export function wireErrorEvent(wire: Wire, problem: Problem): string {
  const data = `data: ${JSON.stringify(wireError(wire, problem))}\n\n`;
  return wire === 'anthropic' ? `event: error\n${data}` : data;
}

const types: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  405: 'invalid_request_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

function typeOf(status: number): string {
  return types[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
}
