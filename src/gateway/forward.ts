import { ProblemError } from './problem.ts';
import { problemOfFailure } from './failureProblem.ts';
import { redactStream } from './redact.ts';

/** `fetch` as backends use it; VS Code's own (which knows the company's proxy) or Node's. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** One request to a provider. Nothing is sent but what is named here. */
export interface Outgoing {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The credential among the headers; empty for none. Taken out of whatever comes back. */
  readonly secret: string;
  readonly fetch: Fetch | undefined;
}

/**
 * Sends it and answers with status, body and the two headers that matter. Rejects with a ProblemError when there is no
 * answer; the error of the layer below is dropped, since it may quote what was sent.
 */
export async function forward(outgoing: Outgoing, signal: AbortSignal): Promise<Response> {
  const { method, url, headers, body, secret, fetch = globalThis.fetch } = outgoing;
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  let answer: Response;
  try {
    answer = await fetch(url, {
      method,
      headers,
      ...text,
      // A redirect would carry the key to an address that nobody chose.
      redirect: 'error',
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new ProblemError(problemOfFailure(new URL(url).host, error));
  }
  // In case this fetch does not know `redirect: 'error'`: what it came to is not used.
  if (answer.redirected || (answer.status >= 300 && answer.status < 400)) {
    await answer.body?.cancel();
    throw new ProblemError(problemOfFailure(new URL(url).host, new Error('unexpected redirect')));
  }
  return new Response(answer.body?.pipeThrough(redactStream(secret)) ?? null, {
    status: answer.status,
    headers: kept(answer.headers, secret),
  });
}

/** A key as it may stand in a header: printable ASCII. Throws a ProblemError that does not quote it. */
export function checkedKey(key: string): string {
  const trimmed = key.trim();
  if (/^[\x21-\x7e]+$/.test(trimmed)) return trimmed;
  throw new ProblemError({
    code: 'gateway.wrongKey',
    message: trimmed === '' ? 'There is no key for this model.' : 'The key holds characters that no key has.',
    remedy: 'Choose the model again and type or paste the key alone.',
    status: 401,
    passes: false,
  });
}

const keptHeaders = ['content-type', 'retry-after', 'retry-after-ms'];

function kept(headers: Headers, secret: string): Headers {
  const result = new Headers();
  for (const name of keptHeaders) {
    const value = headers.get(name);
    if (value !== null && (secret === '' || !value.includes(secret))) result.set(name, value);
  }
  return result;
}
