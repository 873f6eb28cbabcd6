import { readlinkSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { isFolder } from './look.ts';
import type { Toolchain } from './toolchains.ts';

/** Apple's compilers, git, make, Python: where they really are, and the folder that holds the programs. */
export interface DeveloperTools {
  readonly bin: string;
  readonly toolchain: Toolchain;
}

/**
 * The ones that this Mac is set to use. In /usr/bin there are only stand-ins for them, which look for the real ones by
 * means that do not work behind walls, and say so each time. Undefined where none are installed.
 */
export function developerTools(
  environment: Readonly<Record<string, string | undefined>>,
  chosenBy: readonly string[] = selections,
): DeveloperTools | undefined {
  const named = environment['DEVELOPER_DIR'];
  const chosen = chosenBy.flatMap(link => targetOf(link) ?? []);
  const candidates = [...(named === undefined ? [] : [named]), ...chosen, ...usual].filter(isAbsolute);
  const directory = candidates.find(each => isFolder(join(each, 'usr/bin')));
  if (directory === undefined) return undefined;
  const sdk = ['SDKs/MacOSX.sdk', 'Platforms/MacOSX.platform/Developer/SDKs/MacOSX.sdk']
    .map(each => join(directory, each))
    .find(isFolder);
  // Frameworks of an application lie beside its developer folder.
  const whole = directory.replace(/(\.app\/Contents)\/Developer$/, '$1');
  return {
    bin: join(directory, 'usr/bin'),
    toolchain: {
      name: 'Apple developer tools',
      paths: [whole],
      environment: { DEVELOPER_DIR: directory, ...(sdk === undefined ? {} : { SDKROOT: sdk }) },
    },
  };
}

/** PATH with the real tools before the stand-ins, and after what the user put before those. Pure. */
export function pathWith(bin: string, path: readonly string[]): string[] {
  const at = path.indexOf('/usr/bin');
  const before = at < 0 ? path.length : at;
  return [...new Set([...path.slice(0, before), bin, ...path.slice(before)])];
}

/** Links that xcode-select(1) sets. */
const selections = ['/var/select/developer_dir', '/var/db/xcode_select_link'];

const usual = ['/Library/Developer/CommandLineTools', '/Applications/Xcode.app/Contents/Developer'];

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}
