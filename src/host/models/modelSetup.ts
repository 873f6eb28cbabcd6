import * as vscode from 'vscode';
import * as z from 'zod';
import { messageOf } from '../../base/errors.ts';
import { type ModelSettings, modelLabel, type ProviderId } from '../../protocol/model.ts';
import { modelChoices } from '../../panel/gate.ts';
import type { Credentials } from './credentials.ts';
import { storeModelSettings } from '../settings.ts';

type Problem = { readonly message: string; readonly remedy: string };

/** What the flow needs of the gateway; given by the composition root so that it loads only when a model is chosen. */
export interface ProviderProbe {
  /** Names of the endpoint's models, newest first; empty when it does not list them. */
  listModels(
    settings: ModelSettings,
    key: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  /** One tiny request; undefined when it was answered. */
  test(settings: ModelSettings, key: string | undefined, signal: AbortSignal): Promise<Problem | undefined>;
}

const openAiAddress = 'https://api.openai.com/v1';

/**
 * Lets the user choose who answers: provider, address, key (into SecretStorage, after a test), model. Resolves to the
 * settings as stored, or undefined when it was left on the way; then nothing has changed.
 */
export async function chooseModel(
  credentials: Credentials,
  probe: ProviderProbe,
  asked?: ProviderId,
): Promise<ModelSettings | undefined> {
  const provider = asked ?? (await pickProvider());
  const settings = provider && (await settingsFor[provider](credentials, probe));
  if (settings === undefined) return undefined;
  await storeModelSettings(settings);
  void vscode.window.setStatusBarMessage(`Cordon: ${modelLabel(settings)} will answer.`, 5_000);
  return settings;
}

const settingsFor: Record<
  ProviderId,
  (credentials: Credentials, probe: ProviderProbe) => Promise<ModelSettings | undefined>
> = {
  demo: async () => ({ provider: 'demo', model: 'demo' }),
  anthropic: (credentials, probe) =>
    withKey(credentials, probe, { provider: 'anthropic' }, 'Anthropic', true),
  openai: async (credentials, probe) => {
    const baseUrl = await askForAddress();
    if (baseUrl === undefined) return undefined;
    const isOpenAi = baseUrl === openAiAddress;
    const endpoint = isOpenAi
      ? ({ provider: 'openai' } as const)
      : ({ provider: 'openai', baseUrl } as const);
    return withKey(credentials, probe, endpoint, new URL(baseUrl).host, isOpenAi);
  },
  vscode: pickLanguageModel,
};

async function pickProvider(): Promise<ProviderId | undefined> {
  const rows = modelChoices.map(({ provider, label, detail }) => ({ label, detail, provider }));
  return (await vscode.window.showQuickPick(rows, { title: 'Cordon: who should answer?' }))?.provider;
}

/** Key, then model, then one real request with both; what fails is said and asked again. */
async function withKey(
  credentials: Credentials,
  probe: ProviderProbe,
  endpoint: Pick<ModelSettings, 'provider' | 'baseUrl'>,
  name: string,
  needsKey: boolean,
): Promise<ModelSettings | undefined> {
  const kept = await credentials.read(endpoint);
  let key = kept;
  let problem: Problem | undefined;
  for (;;) {
    if (key === undefined || problem !== undefined) {
      key = await askForKey(name, needsKey, problem);
      if (key === undefined) return undefined;
    }
    const usable = key === '' ? undefined : key;
    const model = await askForModel(endpoint, usable, probe, name);
    if (model === undefined) return undefined;
    const settings: ModelSettings = { ...endpoint, model };
    problem = await withProgress(`Cordon: asking ${name} for a first word…`, signal =>
      probe.test(settings, usable, signal),
    );
    if (problem === undefined) {
      if (usable !== undefined && usable !== kept) await credentials.store(endpoint, usable);
      return settings;
    }
    const next = await vscode.window.showErrorMessage(
      `${problem.message} ${problem.remedy}`,
      'Try again',
      'Use it all the same',
    );
    if (next === 'Use it all the same') {
      if (usable !== undefined) await credentials.store(endpoint, usable);
      return settings;
    }
    if (next === undefined) return undefined;
  }
}

function askForKey(
  name: string,
  needsKey: boolean,
  problem: Problem | undefined,
): Thenable<string | undefined> {
  return vscode.window
    .showInputBox({
      title: `Cordon: API key for ${name}`,
      prompt: [
        problem?.message,
        needsKey ? '' : 'Leave it empty when the endpoint wants none.',
        "Kept in VS Code's secret storage; neither the panel nor the sandbox ever sees it.",
      ]
        .join(' ')
        .trim(),
      password: true,
      ignoreFocusOut: true,
      validateInput: value => {
        if (needsKey && value.trim() === '') return 'Type or paste the key.';
        return /[^\x21-\x7e]/.test(value.trim())
          ? 'A key holds no spaces and no special characters.'
          : undefined;
      },
    })
    .then(value => value?.trim());
}

function askForAddress(): Thenable<string | undefined> {
  return vscode.window
    .showInputBox({
      title: 'Cordon: address of the endpoint',
      prompt: 'Up to and including its version, such as http://127.0.0.1:11434/v1 for Ollama.',
      value: openAiAddress,
      ignoreFocusOut: true,
      validateInput: value => {
        const url = z.url().safeParse(value.trim());
        if (!url.success) return 'This is not a web address.';
        const { protocol, hostname, username, password } = new URL(url.data);
        if (username !== '' || password !== '') return 'The address must not hold a user name or password.';
        if (protocol === 'https:') return undefined;
        const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
        return protocol === 'http:' && isLocal
          ? undefined
          : 'Only https, or http on this machine: a key must not travel unencrypted.';
      },
    })
    .then(value => value?.trim().replace(/\/+$/, ''));
}

async function askForModel(
  endpoint: Pick<ModelSettings, 'provider' | 'baseUrl'>,
  key: string | undefined,
  probe: ProviderProbe,
  name: string,
): Promise<string | undefined> {
  const known = await withProgress(`Cordon: asking ${name} for its models…`, signal =>
    probe.listModels({ ...endpoint, model: 'unknown' }, key, signal).catch(() => []),
  );
  const other = 'Type another name…';
  const chosen =
    known.length === 0
      ? other
      : await vscode.window.showQuickPick([...known, other], {
          title: `Cordon: model of ${name}`,
          ignoreFocusOut: true,
        });
  if (chosen !== other) return chosen;
  const typed = await vscode.window.showInputBox({
    title: `Cordon: model of ${name}`,
    prompt: 'The name as the provider spells it.',
    ignoreFocusOut: true,
    validateInput: value => (value.trim() === '' || value.length > 200 ? 'Type a model name.' : undefined),
  });
  return typed?.trim();
}

async function pickLanguageModel(): Promise<ModelSettings | undefined> {
  const models = await vscode.lm.selectChatModels();
  if (models.length === 0) {
    void vscode.window.showWarningMessage(
      'This VS Code offers no language models. Sign in to a provider of them (such as GitHub Copilot), or choose another provider.',
    );
    return undefined;
  }
  const rows = models.map(model => ({
    label: model.name,
    description: model.vendor,
    detail: model.id,
    id: model.id,
  }));
  const row = await vscode.window.showQuickPick(rows, { title: 'Cordon: VS Code language model' });
  return row && { provider: 'vscode', model: row.id };
}

function withProgress<T>(title: string, work: (signal: AbortSignal) => Promise<T>): Thenable<T> {
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    (_, token) => {
      const controller = new AbortController();
      token.onCancellationRequested(() => controller.abort());
      return work(AbortSignal.any([controller.signal, AbortSignal.timeout(30_000)])).catch(
        (error: unknown) => {
          throw new Error(messageOf(error));
        },
      );
    },
  );
}
