import * as z from 'zod';

export const ProviderId = z.enum(['anthropic', 'openai', 'vscode', 'demo']);
export type ProviderId = z.infer<typeof ProviderId>;

/** Which model answers. Holds no credential. `openai` is any endpoint that speaks Chat Completions. */
export const ModelSettings = z.object({
  provider: ProviderId,
  model: z.string().min(1).max(200),
  /** Without trailing slash; the provider's own address when absent. */
  baseUrl: z.url().optional(),
});
export type ModelSettings = z.infer<typeof ModelSettings>;

/** The wire protocol that the agent speaks to the gateway. */
export type Wire = 'anthropic' | 'openai';

/** `vscode` and `demo` are served by the gateway itself over the Anthropic Messages protocol. */
export function wireOf(provider: ProviderId): Wire {
  return provider === 'openai' ? 'openai' : 'anthropic';
}

export const demoLabel = 'Demo (scripted, no model)';

/** What the panel and the command line show for a model. */
export function modelLabel(settings: ModelSettings): string {
  return settings.provider === 'demo' ? demoLabel : settings.model;
}

/** Tokens counted by the gateway, summed over a conversation. */
export const Usage = z.object({
  inputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
  cacheReadTokens: z.number().int().nonnegative(),
  requests: z.number().int().nonnegative(),
});
export type Usage = z.infer<typeof Usage>;

export const noUsage: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, requests: 0 };

/** How often a model request is repeated by itself at most. The gateway tells the agent's SDK when (`x-should-retry`). */
export const modelRetries = 4;
