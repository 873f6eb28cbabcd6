import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  bubblewrap,
  ensurePrograms,
  findProgram,
  offerPrograms,
  podman,
} from '../../workbench/systemPrograms.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cordon-programs-'));
  vi.stubEnv('PATH', folder);
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

test('a program that is there is left alone', async () => {
  install('bwrap', 'exit 0');
  install('apt-get', `echo "$@" >> ${folder}/calls`);

  await ensurePrograms([bubblewrap]);

  expect(findProgram(bubblewrap)).toBe(path.join(folder, 'bwrap'));
  expect(() => readFileSync(path.join(folder, 'calls'))).toThrow('ENOENT');
});

test('root gets it installed, also where the list of packages is empty at first', async () => {
  vi.spyOn(process, 'getuid').mockReturnValue(0);
  install(
    'apt-get',
    `echo "$@" >> ${folder}/calls
     [ "$1" = update ] && { : > ${folder}/updated; exit 0; }
     [ -e ${folder}/updated ] || exit 100
     printf '#!/bin/sh\\n' > ${folder}/bwrap; /bin/chmod +x ${folder}/bwrap`,
  );

  await ensurePrograms([bubblewrap]);

  expect(readFileSync(path.join(folder, 'calls'), 'utf8').split('\n')).toEqual([
    'install -y --no-install-recommends bubblewrap',
    'update',
    'install -y --no-install-recommends bubblewrap',
    '',
  ]);
});

test('what is only offered comes with all that it needs, and hinders nobody who cannot have it', async () => {
  vi.spyOn(console, 'log').mockReturnValue();
  vi.spyOn(process, 'getuid').mockReturnValue(0);
  install('apt-get', `echo "$@" >> ${folder}/calls; exit 100`);
  await offerPrograms([podman]);
  expect(readFileSync(path.join(folder, 'calls'), 'utf8').split('\n')[0]).toBe(
    'install -y --no-install-recommends podman crun uidmap catatonit',
  );

  rmSync(path.join(folder, 'calls'));
  vi.spyOn(process, 'getuid').mockReturnValue(1000);
  install('sudo', 'exit 1');
  await offerPrograms([podman]);
  expect(() => readFileSync(path.join(folder, 'calls'))).toThrow('ENOENT');
});

test.each([
  ['apt-get', 'sudo apt-get install -y --no-install-recommends bubblewrap'],
  ['dnf', 'sudo dnf install -y bubblewrap'],
  ['pacman', 'sudo pacman -S --noconfirm --needed bubblewrap'],
  ['zypper', 'sudo zypper --non-interactive install bubblewrap'],
  ['apk', 'sudo apk add bubblewrap'],
])('who may not install anything gets the one command to type: %s', async (manager, command) => {
  vi.spyOn(process, 'getuid').mockReturnValue(1000);
  install(manager, `: > ${folder}/was-called`);
  install('sudo', 'exit 1');

  await expect(ensurePrograms([bubblewrap])).rejects.toThrow(
    `Bubblewrap needed. Type this, then try again:\n\n  ${command}`,
  );
  expect(() => readFileSync(path.join(folder, 'was-called'))).toThrow('ENOENT');
});

test('an installation that fails shows what the package manager said', async () => {
  vi.spyOn(process, 'getuid').mockReturnValue(0);
  install('apt-get', 'echo "E: Unable to locate package bubblewrap"; exit 100');

  await expect(ensurePrograms([bubblewrap])).rejects.toThrow(
    /E: Unable to locate package[^]*sudo apt-get install/,
  );
});

function install(name: string, script: string): void {
  const file = path.join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}
