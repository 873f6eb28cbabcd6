import * as z from 'zod';
import type { ModelSettings } from '../protocol/model.ts';
import { anthropicVersion } from './anthropicBackend.ts';
import { anthropicBase, below, openaiBase, refuseKeyInTheClear } from './baseUrl.ts';
import { textOf } from './body.ts';
import { checkedKey, forward } from './forward.ts';
import { openaiAuthorization, openaiKey } from './openaiBackend.ts';

/**
 * Names of the models that the endpoint offers, newest first, at most 1,000. A convenience: whatever goes wrong, the
 * list is empty, and the test of the key says why. Rejects only with the signal's reason.
 *
 * @param key absent or empty where there is none
 */
export async function listModels(
  settings: ModelSettings,
  key: string | undefined,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const { url, headers, secret } = listing(settings, key ?? '');
    if (url === undefined) return [];
    const late = AbortSignal.timeout(15_000);
    const answer = await forward(
      { method: 'GET', url, headers, secret, fetch: undefined },
      AbortSignal.any([signal, late]),
    );
    if (!answer.ok) return [];
    const { data } = Models.parse(JSON.parse(await textOf(answer, 5_000_000)));
    const sorted = data.sort((a, b) => newest(b) - newest(a)).map(model => model.id);
    return [...new Set(sorted)].filter(id => url !== officialList || isForChat(id)).slice(0, 1_000);
  } catch {
    signal.throwIfAborted();
    return [];
  }
}

const Models = z.looseObject({
  data: z.array(
    z.looseObject({
      id: z.string().min(1).max(200),
      created: z.number().optional(),
      created_at: z.string().optional(),
    }),
  ),
});

function newest({ created, created_at: createdAt }: z.infer<typeof Models>['data'][number]): number {
  return created ?? (Date.parse(createdAt ?? '') || 0) / 1000;
}

const officialList = 'https://api.openai.com/v1/models';

/** OpenAI lists everything that it ever made; only some of it can hold a conversation. */
function isForChat(id: string): boolean {
  return (
    /^(gpt-[4-9]|o\d|codex|chatgpt)/.test(id) &&
    !/audio|realtime|tts|transcribe|image|search|instruct|embed/.test(id)
  );
}

function listing(
  { provider, baseUrl }: ModelSettings,
  key: string,
): { url?: string; headers: Record<string, string>; secret: string } {
  if (provider === 'anthropic') {
    const base = anthropicBase(baseUrl);
    refuseKeyInTheClear(base);
    const secret = checkedKey(key);
    const headers = { 'x-api-key': secret, 'anthropic-version': anthropicVersion };
    return { url: below(base, '/v1/models?limit=1000'), headers, secret };
  }
  if (provider !== 'openai') return { headers: {}, secret: '' };
  const base = openaiBase(baseUrl);
  const secret = openaiKey(base, key);
  return { url: below(base, '/models'), headers: openaiAuthorization(secret), secret };
}
