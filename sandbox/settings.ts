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
}

/** Fills `folder`. `made` are files of the sandbox's own, by name; `system` the directories that it shows anyway. */
export function layOutSettings(
  folder: string,
  made: Readonly<Record<string, string>>,
  system: readonly string[],
): Settings {
  const settings = { folder, shown: [] as string[], copied: new Map<string, string>() };
  for (const path of found()) {
    if (Object.hasOwn(made, path.slice('/etc/'.length))) continue;
    const stat = statOf(path);
    const target = real(path);
    if (stat?.isFile() && target !== path && system.some(each => isInside(target, each))) {
      // Where this link leads is the name of the time zone, for one.
      mkdirSync(dirname(placeOf(folder, path)), { recursive: true });
      symlinkSync(target, placeOf(folder, path));
    } else if (stat?.isFile() && stat.size <= mostCopied) copy(settings, path);
    else {
      makePlace(folder, path);
      settings.shown.push(path);
    }
  }
  for (const [name, content] of Object.entries(made))
    writeFileSync(join(folder, name), content, { mode: 0o644 });
  return settings;
}

/** Bytes of a file. */
const mostCopied = 2 ** 20;

/** Copies again what changed meanwhile: installing a package changes the list of libraries, for one. */
export function refreshSettings(settings: Settings): void {
  for (const [path, stamp] of settings.copied) if (stampOf(path) !== stamp) copy(settings, path);
}

/** A mount needs something of its kind to lie on. `path` is in /etc, and exists there. */
export function makePlace(folder: string, path: string): void {
  const place = placeOf(folder, path);
  if (exists(place)) return;
  const isFolder = statOf(path)?.isDirectory() ?? false;
  mkdirSync(isFolder ? place : dirname(place), { recursive: true });
  if (!isFolder) writeFileSync(place, '', { mode: 0o644 });
}

/** What this user may not read is not there, as it would not be readable inside. */
function copy({ folder, copied }: Settings, path: string): void {
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
