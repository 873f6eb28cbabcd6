import { anthropicBase, below, refuseKeyInTheClear } from './baseUrl.ts';
import { checkedKey, type Fetch, forward } from './forward.ts';
import type { ModelBackend } from './gateway.ts';

export interface AnthropicOptions {
  readonly model: string;
  readonly baseUrl?: string | undefined;
  /** Asked for each request, so that a key changed in the meantime counts at once. */
  readonly credential: () => Promise<string>;
  readonly fetch?: Fetch | undefined;
}

/** The version of the Messages API that Cordon is written for; the same as its SDK's. */
export const anthropicVersion = '2026-10-21';

/** Anthropic, or a service that speaks its Messages protocol. Throws a ProblemError `gateway.badBaseUrl`. */
export function anthropicBackend({ model, baseUrl, credential, fetch }: AnthropicOptions): ModelBackend {
  const base = anthropicBase(baseUrl);
  return {
    wire: 'anthropic',
    name: baseUrl === undefined ? 'Anthropic' : base.host,
    async respond({ path, body, headers }, signal) {
      refuseKeyInTheClear(base);
      const secret = checkedKey(await credential());
      const beta = headers['anthropic-beta'];
      return await forward(
        {
          method: 'POST',
          url: below(base, path),
          headers: {
            'content-type': 'application/json',
            'x-api-key': secret,
            'anthropic-version': headers['anthropic-version'] ?? anthropicVersion,
            ...(beta === undefined ? {} : { 'anthropic-beta': beta }),
          },
          body: { ...body, model },
          secret,
          fetch,
        },
        signal,
      );
    },
  };
}
