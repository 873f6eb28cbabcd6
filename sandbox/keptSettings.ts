import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from '../src/base/removeTree.ts';
import { listed } from './look.ts';
import { layOutSettings, planSettings, type Settings, type SettingsPlan } from './settings.ts';

/**
 * What is shown as /etc, for one session. Laying it out is a good part of what starting costs, so the one of an earlier
 * session is taken up again when it is exactly what would be laid out now. Whoever renames it has it alone.
 */
export interface KeptSettings extends Settings {
  /** Where it waits for the next session, whose name says what is in it. */
  readonly waiting: string;
}

/** `directory` is of the broker's; `own` begins the names of what this process makes there. */
export function openSettings(
  directory: string,
  own: string,
  made: Readonly<Record<string, string>>,
  system: readonly string[],
): KeptSettings {
  const plan = planSettings(made, system);
  const waiting = join(directory, `${prefix}${contentOf(plan)}`);
  const folder = mkdtempSync(join(directory, `etc-${own}`));
  try {
    // Over an empty folder a folder can be renamed.
    renameSync(waiting, folder);
    return { folder, shown: plan.shown, copied: new Map(plan.copied), isAsPlanned: true, added: [], waiting };
  } catch {
    for (const name of listed(directory))
      if (name.startsWith(prefix) && name !== waiting) removeTree(join(directory, name));
  }
  chmodSync(folder, 0o755);
  return Object.assign(layOutSettings(folder, plan), { waiting });
}

/** Leaves it to the next session when it still is what its name says. */
export function closeSettings({ folder, isAsPlanned, added, waiting }: KeptSettings): void {
  try {
    if (isAsPlanned) {
      for (const place of added) removeTree(place);
      return renameSync(folder, waiting);
    }
  } catch {
    // One waits already.
  }
  removeTree(folder);
}

const prefix = 'etc-kept-';

function contentOf({ links, copied, shown, made }: SettingsPlan): string {
  const parts = JSON.stringify([process.getuid?.(), [...links], [...copied], shown, Object.entries(made)]);
  return createHash('sha256').update(parts).digest('hex').slice(0, 32);
}
