import { below, openaiBase, refuseKeyInTheClear } from './baseUrl.ts';
import { checkedKey, type Fetch, forward } from './forward.ts';
import type { ModelBackend } from './gateway.ts';

export interface OpenaiOptions {
  readonly model: string;
  readonly baseUrl?: string | undefined;
  /** Asked for each request. An empty key means none: local servers need none. */
  readonly credential: () => Promise<string>;
  readonly fetch?: Fetch | undefined;
}

/**
 * Any endpoint that speaks Chat Completions: OpenAI, OpenRouter, Ollama, llama.cpp, vLLM. Throws a ProblemError
 * `gateway.badBaseUrl`.
 */
export function openaiBackend({ model, baseUrl, credential, fetch }: OpenaiOptions): ModelBackend {
  const base = openaiBase(baseUrl);
  return {
    wire: 'openai',
    name: baseUrl === undefined ? 'OpenAI' : base.host,
    async respond({ path, body }, signal) {
      const secret = openaiKey(base, await credential());
      return await forward(
        {
          method: 'POST',
          url: below(base, path),
          headers: { 'content-type': 'application/json', ...openaiAuthorization(secret) },
          body: outgoingBody(body, model, base),
          secret,
          fetch,
        },
        signal,
      );
    },
  };
}

/** The key to send, empty for none; only OpenAI itself cannot do without. Throws a ProblemError. */
export function openaiKey(base: URL, key: string): string {
  if (key.trim() === '' && base.host !== officialHost) return '';
  refuseKeyInTheClear(base);
  return checkedKey(key);
}

export function openaiAuthorization(key: string): Record<string, string> {
  return key === '' ? {} : { authorization: `Bearer ${key}` };
}

const officialHost = 'api.openai.com';

/** The agent's body with the configured model, a count of tokens asked for, and the limit under the name this server knows. */
function outgoingBody(
  body: Readonly<Record<string, unknown>>,
  model: string,
  base: URL,
): Record<string, unknown> {
  const { max_tokens: older, max_completion_tokens: newer, ...rest } = body;
  const limit = newer ?? older;
  // OpenAI's reasoning models refuse `max_tokens`; many compatible servers know nothing else.
  const limitName = base.host === officialHost ? 'max_completion_tokens' : 'max_tokens';
  return {
    ...rest,
    model,
    ...(limit === undefined ? {} : { [limitName]: limit }),
    ...(body['stream'] === true ? { stream_options: { include_usage: true } } : {}),
  };
}
