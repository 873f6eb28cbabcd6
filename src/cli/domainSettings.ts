import { existsSync } from 'node:fs';
import * as z from 'zod';
import { CordonError, messageOf } from '../base/errors.ts';
import { parseDomain, type DomainGrant } from '../egress/grant.ts';
import { settingsIn } from './settingsFile.ts';
import { userSettingsFile } from './userSettingsFile.ts';

/** The hosts that the user's settings let commands reach, and those that no command reaches. */
export interface DomainSettings {
  readonly allowed: readonly DomainGrant[];
  readonly forbidden: readonly string[];
}

/** Throws CordonError `settings.unreadable` for a file that is no JSON, or for an entry that names no host. */
export function domainSettings(): DomainSettings {
  const file = userSettingsFile();
  const settings = existsSync(file) ? settingsIn(file) : {};
  const read = (name: string) => {
    const texts = z.array(z.string()).safeParse(settings[name] ?? []);
    try {
      return texts.success ? texts.data.map(each => parseDomain(each)) : notAList();
    } catch (error) {
      throw new CordonError(
        'settings.unreadable',
        `"${name}" in ${file} cannot be used: ${messageOf(error)}`,
        'Correct it.',
      );
    }
  };
  return {
    allowed: read('cordon.network.allowedDomains'),
    forbidden: read('cordon.network.deniedDomains').map(({ host }) => host),
  };
}

function notAList(): never {
  throw new Error('it is not a list of hosts.');
}
