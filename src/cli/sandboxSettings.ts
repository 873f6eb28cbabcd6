import { existsSync } from 'node:fs';
import type { Limits } from '../../sandbox/limits.ts';
import { userSettingsFile } from './userSettingsFile.ts';

interface SandboxSettings {
  readonly limits: Partial<Limits>;
  readonly backend: 'bubblewrap' | 'podman';
}

/** What the user set for sandboxes. Rejects with CordonError `settings.unreadable`. */
export async function sandboxSettings(): Promise<SandboxSettings> {
  const file = userSettingsFile();
  // Most have set nothing, and need not wait for what reads it.
  if (!existsSync(file)) return { limits: {}, backend: 'bubblewrap' };
  const [{ settingsIn }, { limitsFrom }] = await Promise.all([
    import('./settingsFile.ts'),
    import('../../sandbox/limitSettings.ts'),
  ]);
  const settings = settingsIn(file);
  return {
    limits: limitsFrom(name => settings[`cordon.limits.${name}`]),
    backend: settings['cordon.sandbox.backend'] === 'podman' ? 'podman' : 'bubblewrap',
  };
}
