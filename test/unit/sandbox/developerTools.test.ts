import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { developerTools, pathWith } from '../../../sandbox/developerTools.ts';

let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), 'cordon-tools-'))));
afterEach(() => rmSync(root, { recursive: true }));

function install(directory: string, sdk: string): string {
  for (const inner of ['usr/bin', sdk]) mkdirSync(join(root, directory, inner), { recursive: true });
  return join(root, directory);
}

test('the tools that xcode-select chose are found, with the whole application around them and their own SDK', () => {
  const sdk = 'Platforms/MacOSX.platform/Developer/SDKs/MacOSX.sdk';
  const chosen = install('Xcode 26.app/Contents/Developer', sdk);
  const link = join(root, 'link');
  symlinkSync(chosen, link);
  expect(developerTools({}, [join(root, 'none'), link])).toEqual({
    bin: join(chosen, 'usr/bin'),
    toolchain: {
      name: 'Apple developer tools',
      paths: [join(root, 'Xcode 26.app/Contents')],
      environment: { DEVELOPER_DIR: chosen, SDKROOT: join(chosen, sdk) },
    },
  });
});

test('the command line tools stand alone, and a choice of the user’s comes first', () => {
  const chosen = install('Xcode.app/Contents/Developer', 'x');
  const named = install('CommandLineTools', 'SDKs/MacOSX.sdk');
  const link = join(root, 'link');
  symlinkSync(chosen, link);
  expect(developerTools({ DEVELOPER_DIR: named }, [link])).toEqual({
    bin: join(named, 'usr/bin'),
    toolchain: {
      name: 'Apple developer tools',
      paths: [named],
      environment: { DEVELOPER_DIR: named, SDKROOT: join(named, 'SDKs/MacOSX.sdk') },
    },
  });
});

test('without any there are none', () => {
  expect(developerTools({ DEVELOPER_DIR: join(root, 'gone') }, [])).toBeUndefined();
});

test('the real tools come before the stand-ins, and after what the user put before those', () => {
  expect([
    pathWith('/dev/bin', ['/opt/homebrew/bin', '/usr/bin', '/bin']),
    pathWith('/dev/bin', ['/bin']),
    pathWith('/dev/bin', ['/dev/bin', '/usr/bin']),
  ]).toEqual([
    ['/opt/homebrew/bin', '/dev/bin', '/usr/bin', '/bin'],
    ['/bin', '/dev/bin'],
    ['/dev/bin', '/usr/bin'],
  ]);
});
