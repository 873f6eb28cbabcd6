import type { AgentStart } from '../../src/protocol/agent.ts';
import type { ModelClient } from './model.ts';

/** The client for the wire protocol of this session. Only the SDK that is needed gets loaded. */
export async function openModelClient(start: AgentStart, gatewayOrigin: string): Promise<ModelClient> {
  forgetProviderVariables(process.env);
  const endpoint = { token: start.token, model: start.model, maxOutputTokens: maxOutputTokens(start) };
  switch (start.wire) {
    case 'anthropic': {
      const { anthropicModel } = await import('./anthropicModel.ts');
      return anthropicModel({ ...endpoint, baseUrl: gatewayOrigin });
    }
    case 'openai': {
      const { openaiModel } = await import('./openaiModel.ts');
      return openaiModel({ ...endpoint, baseUrl: `${gatewayOrigin}/v1` });
    }
  }
}

/** Room kept for the answer: a quarter of the context, at most 32,000 tokens, which every current model can write. */
export function maxOutputTokens(start: Pick<AgentStart, 'contextTokens'>): number {
  return Math.max(1, Math.min(32_000, Math.floor(start.contextTokens / 4)));
}

/** The SDKs read addresses, headers and keys from these; the sandbox should hold none, and now it surely does not. */
function forgetProviderVariables(environment: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(environment)) {
    if (/^(ANTHROPIC|OPENAI)_/.test(name)) Reflect.deleteProperty(environment, name);
  }
}
