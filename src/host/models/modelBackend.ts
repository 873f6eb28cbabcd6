import type { ModelBackend } from '../../gateway/gateway.ts';
import type { ModelSettings } from '../../protocol/model.ts';
import type { Credentials } from './credentials.ts';
import { vscodeLanguageModel } from './languageModel.ts';

/** What answers for the chosen model: its provider, with the key that is kept for it, or VS Code. */
export async function backendOf(model: ModelSettings, credentials: Credentials): Promise<ModelBackend> {
  if (model.provider === 'vscode') {
    const { languageModelBackend } = await import('../../gateway/languageModelBackend.ts');
    return languageModelBackend(await vscodeLanguageModel(model.model));
  }
  const { modelBackend } = await import('../../gateway/modelBackend.ts');
  return modelBackend(
    { ...model, provider: model.provider },
    async () => (await credentials.read(model)) ?? '',
  );
}
