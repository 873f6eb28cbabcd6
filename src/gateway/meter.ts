import * as z from 'zod';
import type { Wire } from '../protocol/model.ts';
import { errorOf, type ProviderError } from './providerError.ts';

/** Tokens of one request. Reading from a cache is counted apart from reading anew. */
export interface Tokens {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
}

export const noTokens: Tokens = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0 };

/** What one event of an answer means to the gateway. */
export type Finding =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'tokens'; readonly tokens: Partial<Tokens> }
  /** The model is done. `ended` is why, in the provider's word; counts may follow. */
  | { readonly kind: 'end'; readonly ended: string; readonly tokens: Partial<Tokens> }
  /** Nothing follows. */
  | { readonly kind: 'last' }
  | { readonly kind: 'error'; readonly error: ProviderError };

/** Reads the data of one event, or a whole answer that was not streamed. Undefined when it is not JSON. */
export function findingIn(wire: Wire, data: string): Finding | undefined {
  if (data === '') return { kind: 'nothing' };
  if (data === '[DONE]') return { kind: 'last' };
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return undefined;
  }
  return wire === 'anthropic' ? readAnthropic(value) : readOpenai(value);
}

const count = z.number().int().nonnegative().catch(0);

/** In the middle of a stream null means "see what was said before". */
const known = z.number().int().nonnegative().optional().catch(undefined);

const AnthropicUsage = z.looseObject({
  input_tokens: known,
  output_tokens: known,
  cache_read_input_tokens: known,
  cache_creation_input_tokens: known,
});

const AnthropicEvent = z.looseObject({
  type: z.string(),
  message: z
    .looseObject({ usage: AnthropicUsage.optional().catch(undefined) })
    .optional()
    .catch(undefined),
  delta: z.looseObject({ stop_reason: z.string().nullish() }).optional().catch(undefined),
  stop_reason: z.string().nullish().catch(undefined),
  usage: AnthropicUsage.optional().catch(undefined),
});

function readAnthropic(value: unknown): Finding {
  const parsed = AnthropicEvent.safeParse(value);
  if (!parsed.success) return { kind: 'error', error: errorOf(value) };
  const { type, message, delta, usage, stop_reason: stopReason } = parsed.data;
  if (type === 'error') return { kind: 'error', error: errorOf(value) };
  if (type === 'message')
    return { kind: 'end', ended: stopReason ?? 'end_turn', tokens: anthropicTokens(usage) };
  if (type === 'message_start') return { kind: 'tokens', tokens: anthropicTokens(message?.usage) };
  if (type === 'message_stop') return { kind: 'last' };
  if (type !== 'message_delta') return { kind: 'nothing' };
  const tokens = anthropicTokens(usage);
  const ended = delta?.stop_reason;
  return ended === null || ended === undefined ? { kind: 'tokens', tokens } : { kind: 'end', ended, tokens };
}

function anthropicTokens(usage: z.infer<typeof AnthropicUsage> | undefined): Partial<Tokens> {
  if (usage === undefined) return {};
  const { input_tokens: read, cache_creation_input_tokens: written, cache_read_input_tokens: cached } = usage;
  return {
    ...(read === undefined && written === undefined ? {} : { inputTokens: (read ?? 0) + (written ?? 0) }),
    ...(cached === undefined ? {} : { cacheReadTokens: cached }),
    ...(usage.output_tokens === undefined ? {} : { outputTokens: usage.output_tokens }),
  };
}

const OpenaiEvent = z.looseObject({
  error: z.unknown().optional(),
  choices: z.array(z.looseObject({ finish_reason: z.string().nullish() })).optional(),
  usage: z
    .looseObject({
      prompt_tokens: count,
      completion_tokens: count,
      prompt_tokens_details: z.looseObject({ cached_tokens: count }).nullish().catch(undefined),
    })
    .nullish()
    .catch(undefined),
});

function readOpenai(value: unknown): Finding {
  const parsed = OpenaiEvent.safeParse(value);
  if (!parsed.success) return { kind: 'error', error: errorOf(value) };
  const { error, choices, usage } = parsed.data;
  if (error !== undefined && error !== null) return { kind: 'error', error: errorOf(value) };
  const tokens = openaiTokens(usage);
  const ended = choices?.find(choice => choice.finish_reason)?.finish_reason;
  return ended === undefined || ended === null ? { kind: 'tokens', tokens } : { kind: 'end', ended, tokens };
}

function openaiTokens(usage: z.infer<typeof OpenaiEvent>['usage']): Partial<Tokens> {
  if (usage === undefined || usage === null) return {};
  const cached = Math.min(usage.prompt_tokens, usage.prompt_tokens_details?.cached_tokens ?? 0);
  return {
    inputTokens: usage.prompt_tokens - cached,
    cacheReadTokens: cached,
    outputTokens: usage.completion_tokens,
  };
}
