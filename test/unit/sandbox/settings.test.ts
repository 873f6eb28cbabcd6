import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { closeSettings, openSettings } from '../../../sandbox/keptSettings.ts';
import { addPlace, layOutSettings, planSettings, refreshSettings } from '../../../sandbox/settings.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'cordon-settings-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (name: string) => readFileSync(join(folder, name), 'utf8');
const isThere = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false }) !== undefined;

test('single files are copied, folders get a place, and what is made for the sandbox goes before both', () => {
  const settings = layOutSettings(folder, planSettings({ 'nsswitch.conf': 'ours' }, ['/usr']));
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
  const settings = layOutSettings(folder, planSettings({}, ['/usr']));
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
  const settings = layOutSettings(folder, planSettings({}, ['/usr']));
  addPlace(settings, '/etc/shadow');
  expect(read('shadow')).toBe('');
  chmodSync(join(folder, 'shadow'), 0o600);
  addPlace(settings, '/etc/shadow');
  expect(statSync(join(folder, 'shadow')).mode & 0o777).toBe(0o600);
});

const inodeOf = (path: string) => statSync(path).ino;

test('what was laid out for one session is taken up by the next, and by no second one beside it', () => {
  const first = openSettings(folder, 'a-', { motd: 'hello' }, ['/usr']);
  const inode = inodeOf(first.folder);
  closeSettings(first);
  const second = openSettings(folder, 'b-', { motd: 'hello' }, ['/usr']);
  const beside = openSettings(folder, 'c-', { motd: 'hello' }, ['/usr']);
  expect([inodeOf(second.folder) === inode, inodeOf(beside.folder) === inode]).toEqual([true, false]);
  expect(readFileSync(join(second.folder, 'motd'), 'utf8')).toBe('hello');
  expect([...second.copied]).toEqual([...beside.copied]);
  closeSettings(second);
  closeSettings(beside);
  expect(readdirSync(folder)).toHaveLength(1);
});

test('what would be laid out otherwise now, or was changed on the way, is laid out anew; what one session added goes with it', () => {
  closeSettings(openSettings(folder, 'a-', { motd: 'hello' }, ['/usr']));
  const other = openSettings(folder, 'b-', { motd: 'good bye' }, ['/usr']);
  expect([readFileSync(join(other.folder, 'motd'), 'utf8'), readdirSync(folder).length]).toEqual([
    'good bye',
    1,
  ]);
  addPlace(other, '/etc/shadow');
  closeSettings(other);
  const changed = openSettings(folder, 'c-', { motd: 'good bye' }, ['/usr']);
  expect(statSync(join(changed.folder, 'shadow'), { throwIfNoEntry: false })).toBe(undefined);
  changed.copied.set('/etc/services', 'as it was');
  refreshSettings(changed);
  closeSettings(changed);
  expect(readdirSync(folder)).toEqual([]);
});
