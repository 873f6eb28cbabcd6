import * as z from 'zod';

/** What an error body says, however the provider wraps it. */
export interface ProviderError {
  /** Lower-case `type` and `code` values, all that were found. */
  readonly types: readonly string[];
  /** The provider's own words, in one line, at most 300 characters; empty when it had none. */
  readonly message: string;
}

const Fields = z.looseObject({
  type: z.unknown().optional(),
  code: z.unknown().optional(),
  status: z.unknown().optional(),
  message: z.unknown().optional(),
  detail: z.unknown().optional(),
  metadata: z.looseObject({ raw: z.unknown().optional() }).optional().catch(undefined),
});

/**
 * Reads an error body: Anthropic's `{type:'error',error:{…}}`, OpenAI's `{error:{…}}`, and the variations of compatible
 * servers: `{error:'…'}`, `{message}`, `{detail}`, a list of one, OpenRouter's wrapped original. Text that is not JSON
 * counts as the message, unless it is a web page.
 */
export function readProviderError(body: string): ProviderError {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { types: [], message: /^\s*</.test(body) ? '' : oneLine(body) };
  }
  return errorOf(value);
}

/** The same for an error that is already parsed, as it comes inside a stream. */
export function errorOf(value: unknown): ProviderError {
  const outer = Array.isArray(value) ? (value[0] as unknown) : value;
  const nested = z.looseObject({ error: z.unknown().optional() }).safeParse(outer);
  const inner =
    nested.success && nested.data.error !== undefined && nested.data.error !== null
      ? nested.data.error
      : outer;
  if (typeof inner === 'string') return { types: [], message: oneLine(inner) };
  const fields = Fields.safeParse(inner);
  if (!fields.success) return { types: [], message: '' };
  const { type, code, status, message, detail, metadata } = fields.data;
  const types = [type, code, status].filter(part => typeof part === 'string').map(part => part.toLowerCase());
  const words = [message, detail].find(part => typeof part === 'string') ?? '';
  const raw = typeof metadata?.raw === 'string' ? metadata.raw : '';
  return { types, message: oneLine(raw === '' ? words : `${words}: ${raw}`) };
}

/** The numbers and words to put after our own sentence, with a space before. */
export function providerDetail(status: number, error: ProviderError): string {
  const said = error.message === '' ? '' : `it said: “${error.message}”`;
  const parts = [status === 0 ? '' : `HTTP ${status}`, said].filter(part => part !== '');
  return parts.length === 0 ? '' : ` (${parts.join('; ')})`;
}

/** Foreign words in our sentence: one line, bounded, nothing invisible. */
function oneLine(text: string): string {
  const visible = text
    .slice(0, 4_000)
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return visible.length > 300 ? `${visible.slice(0, 299)}…` : visible;
}
