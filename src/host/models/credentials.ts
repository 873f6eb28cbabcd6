import type * as vscode from 'vscode';
import { CordonError } from '../../base/errors.ts';
import { type ModelSettings, ProviderId } from '../../protocol/model.ts';

/**
 * API keys in VS Code's SecretStorage and nowhere else. A key belongs to the address it was typed for: another base
 * URL is another key, so that a changed setting cannot send it elsewhere.
 */
export class Credentials {
  constructor(private readonly secrets: vscode.SecretStorage) {}

  /** Undefined when none is kept. */
  async read(model: Pick<ModelSettings, 'provider' | 'baseUrl'>): Promise<string | undefined> {
    try {
      return await this.secrets.get(nameOf(model));
    } catch (cause) {
      throw unavailable(cause);
    }
  }

  async store(model: Pick<ModelSettings, 'provider' | 'baseUrl'>, key: string): Promise<void> {
    try {
      await this.secrets.store(nameOf(model), key);
    } catch (cause) {
      throw unavailable(cause);
    }
  }

  /** Deletes every key of Cordon's; resolves to how many there were. */
  async forgetAll(): Promise<number> {
    const names = (await this.secrets.keys()).filter(name => name.startsWith('cordon.key.'));
    for (const name of names) await this.secrets.delete(name);
    return names.length;
  }
}

function nameOf({ provider, baseUrl }: Pick<ModelSettings, 'provider' | 'baseUrl'>): string {
  return `cordon.key.${ProviderId.parse(provider)}.${baseUrl === undefined ? 'default' : new URL(baseUrl).href}`;
}

function unavailable(cause: unknown): CordonError {
  return new CordonError(
    'credentials.unavailable',
    'VS Code has no secure storage here, so no key was kept.',
    'Set up a keyring (on Linux: gnome-keyring or kwallet) and try again.',
    { cause },
  );
}
