import { chmodSync, copyFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { randomId } from '../src/base/ids.ts';
import { isInside } from './inside.ts';
import { exists, listed, real, statOf } from './look.ts';
import { systemSettings, versionedSettings } from './systemFiles.ts';

/** What commands see of /etc. */
export interface Settings {
  /** Host folder that is shown as /etc. It holds what is made for the sandbox, and places for what is shown in it. */
  readonly folder: string;
  /** Paths of /etc that are shown as they are, in their places. */
  readonly shown: readonly string[];
  /** Files of /etc that are copied, and what they were: as a mount, each would make every launch slower. */
  readonly copied: Map<string, string>;
  /** Whether it is still as it was laid out, but for what was added. */
  isAsPlanned: boolean;
  /** Places that this session needed besides. */
  readonly added: string[];
}

/** What there is to show of /etc now. Paths are of the host's /etc. */
export interface SettingsPlan {
  /** Links whose targets are shown anyway, and where they lead. */
  readonly links: ReadonlyMap<string, string>;
  /** Files to copy, and what they are. */
  readonly copied: ReadonlyMap<string, string>;
  readonly shown: readonly string[];
  /** Files of the sandbox's own, by name. */
  readonly made: Readonly<Record<string, string>>;
}

/** Looks at /etc. `made` are files of the sandbox's own, by name; `system` the directories that it shows anyway. */
export function planSettings(
  made: Readonly<Record<string, string>>,
  system: readonly string[],
): SettingsPlan {
  const [links, copied, shown] = [new Map<string, string>(), new Map<string, string>(), [] as string[]];
  for (const path of found()) {
    if (Object.hasOwn(made, path.slice('/etc/'.length))) continue;
    const stat = statOf(path);
    const target = real(path);
    // Where this link leads is the name of the time zone, for one.
    if (stat?.isFile() && target !== path && system.some(each => isInside(target, each)))
      links.set(path, target);
    else if (stat?.isFile() && stat.size <= mostCopied) copied.set(path, stampOf(path));
    else shown.push(path);
  }
  return { links, copied, shown, made };
}

/** Fills `folder`. */
export function layOutSettings(folder: string, { links, copied, shown, made }: SettingsPlan): Settings {
  const settings = { folder, shown, copied: new Map<string, string>(), isAsPlanned: true, added: [] };
  for (const [path, target] of links) {
    mkdirSync(dirname(placeOf(folder, path)), { recursive: true });
    symlinkSync(target, placeOf(folder, path));
  }
  for (const [path, stamp] of copied) {
    copy(settings, path);
    // It changed on the way.
    if (settings.copied.get(path) !== stamp) settings.isAsPlanned = false;
  }
  for (const path of shown) makePlace(folder, path);
  for (const [name, content] of Object.entries(made))
    writeFileSync(join(folder, name), content, { mode: 0o644 });
  return settings;
}

/** Bytes of a file. */
const mostCopied = 2 ** 20;

/** Copies again what changed meanwhile: installing a package changes the list of libraries, for one. */
export function refreshSettings(settings: Settings): void {
  for (const [path, stamp] of settings.copied) {
    if (stampOf(path) === stamp) continue;
    settings.isAsPlanned = false;
    copy(settings, path);
  }
}

/** Makes a place for something else of /etc that this session shows. */
export function addPlace(settings: Settings, path: string): void {
  const made = makePlace(settings.folder, path);
  if (made !== undefined) settings.added.push(made);
}

/**
 * A mount needs something of its kind to lie on. `path` is in /etc, and exists there. Returns what was made, the folder
 * around it where that was missing too; undefined where there was a place.
 */
function makePlace(folder: string, path: string): string | undefined {
  const place = placeOf(folder, path);
  if (exists(place)) return undefined;
  const isFolder = statOf(path)?.isDirectory() ?? false;
  const first = mkdirSync(isFolder ? place : dirname(place), { recursive: true });
  if (!isFolder) writeFileSync(place, '', { mode: 0o644 });
  return first ?? place;
}

/** What this user may not read is not there, as it would not be readable inside. */
function copy({ folder, copied }: Pick<Settings, 'folder' | 'copied'>, path: string): void {
  const place = placeOf(folder, path);
  const temporary = join(folder, `.${randomId()}`);
  const stamp = stampOf(path);
  try {
    copyFileSync(path, temporary);
    chmodSync(temporary, (statOf(path)?.mode ?? 0) & 0o755);
    mkdirSync(dirname(place), { recursive: true });
    // Commands that run see the old one or the new one.
    renameSync(temporary, place);
  } catch {
    rmSync(temporary, { force: true });
    if (stamp === 'gone') rmSync(place, { force: true });
  }
  copied.set(path, stamp);
}

function stampOf(path: string): string {
  const stat = statOf(path);
  return stat === undefined ? 'gone' : `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
}

function placeOf(folder: string, path: string): string {
  return join(folder, path.slice('/etc/'.length));
}

function found(): string[] {
  const versioned = listed('/etc').filter(name => versionedSettings.test(name));
  return [...systemSettings, ...versioned].map(name => `/etc/${name}`).filter(exists);
}
