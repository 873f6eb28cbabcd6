import { existsSync } from 'node:fs';
import * as z from 'zod';
import type { Limits } from '../../sandbox/limits.ts';
import { limitsFrom } from '../../sandbox/limitSettings.ts';
import { settingsIn, userSettingsFile } from './settingsFile.ts';

/** What the user set for sandboxes. Throws CordonError `settings.unreadable`. */
export function sandboxSettings(): { limits: Partial<Limits>; backend: 'bubblewrap' | 'podman' } {
  const file = userSettingsFile();
  const settings = existsSync(file) ? settingsIn(file) : {};
  return {
    limits: limitsFrom(name => settings[`cordon.limits.${name}`]),
    backend: z.enum(['bubblewrap', 'podman']).catch('bubblewrap').parse(settings['cordon.sandbox.backend']),
  };
}
