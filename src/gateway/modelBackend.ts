import type { ModelSettings } from '../protocol/model.ts';
import { anthropicBackend } from './anthropicBackend.ts';
import { demoBackend } from './demo/demoBackend.ts';
import type { Fetch } from './forward.ts';
import type { ModelBackend } from './gateway.ts';
import { openaiBackend } from './openaiBackend.ts';

/**
 * The backend that these settings ask for. `vscode` is not among them: only the host can reach VS Code's own models
 * (see `languageModelBackend`). Throws a ProblemError `gateway.badBaseUrl`.
 *
 * @param credential the provider's key, asked for each request; empty where there is none
 */
export function modelBackend(
  settings: ModelSettings & { readonly provider: Exclude<ModelSettings['provider'], 'vscode'> },
  credential: () => Promise<string>,
  fetch?: Fetch,
): ModelBackend {
  const { model, baseUrl } = settings;
  switch (settings.provider) {
    case 'anthropic':
      return anthropicBackend({ model, baseUrl, credential, fetch });
    case 'openai':
      return openaiBackend({ model, baseUrl, credential, fetch });
    case 'demo':
      return demoBackend();
  }
}
