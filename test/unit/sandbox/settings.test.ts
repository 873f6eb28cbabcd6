import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { layOutSettings, makePlace, refreshSettings } from '../../../sandbox/settings.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'cordon-settings-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (name: string) => readFileSync(join(folder, name), 'utf8');
const isThere = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false }) !== undefined;

test('single files are copied, folders get a place, and what is made for the sandbox goes before both', () => {
  const settings = layOutSettings(folder, { 'nsswitch.conf': 'ours' }, ['/usr']);
  expect(read('nsswitch.conf')).toBe('ours');
  expect(settings.copied.has('/etc/nsswitch.conf')).toBe(false);
  for (const path of settings.copied.keys())
    expect([path, read(path.slice('/etc/'.length))]).toEqual([path, readFileSync(path, 'utf8')]);
  for (const path of settings.shown)
    expect([path, statSync(join(folder, path.slice('/etc/'.length))).isDirectory()]).toEqual([
      path,
      statSync(path).isDirectory(),
    ]);
  expect(settings.shown).toContain('/etc/ssl/certs');
  expect(['shadow', 'sudoers', 'ssh', 'machine-id', 'resolv.conf'].filter(isThere)).toEqual([]);
});

test('a file that changed is copied again, and one that is gone goes', () => {
  const settings = layOutSettings(folder, {}, ['/usr']);
  writeFileSync(join(folder, 'services'), 'old');
  writeFileSync(join(folder, 'gone.conf'), 'old');
  settings.copied.set('/etc/services', 'as it was').set('/etc/gone.conf', 'as it was');
  refreshSettings(settings);
  expect([read('services'), isThere('gone.conf')]).toEqual([readFileSync('/etc/services', 'utf8'), false]);
  const { ino } = statSync(join(folder, 'services'));
  refreshSettings(settings);
  expect(statSync(join(folder, 'services')).ino).toBe(ino);
});

test('a place for something else is of its kind, and what is there already stays', () => {
  layOutSettings(folder, {}, ['/usr']);
  makePlace(folder, '/etc/shadow');
  expect(read('shadow')).toBe('');
  chmodSync(join(folder, 'shadow'), 0o600);
  makePlace(folder, '/etc/shadow');
  expect(statSync(join(folder, 'shadow')).mode & 0o777).toBe(0o600);
});
