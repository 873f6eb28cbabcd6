import { expect, test } from 'vitest';
import { diagnose, type ReadinessFacts } from '../../../sandbox/readiness.ts';
import { diagnoseSeatbelt, type SeatbeltReadinessFacts } from '../../../sandbox/seatbeltReadiness.ts';

const good: ReadinessFacts = {
  platform: 'linux',
  bwrap: '/usr/bin/bwrap',
  version: '0.8.0',
  trial: undefined,
  osRelease: 'ID=ubuntu\nID_LIKE=debian\n',
  apparmorRestricts: false,
  usernsClone: '',
  maxUserNamespaces: '96365',
  isContainer: false,
};
const refused = 'bwrap: setting up uid map: Permission denied';

test('a Bubblewrap that starts is ready', () => {
  expect(diagnose(good)).toEqual({ kind: 'ready', bwrap: '/usr/bin/bwrap', version: '0.8.0' });
});

test.each<[string, Partial<ReadinessFacts>, string, RegExp]>([
  [
    'Bubblewrap is missing on Ubuntu',
    { bwrap: undefined },
    'sandbox.missing',
    /sudo apt-get install bubblewrap/,
  ],
  [
    'Bubblewrap is missing on Fedora',
    { bwrap: undefined, osRelease: 'ID=fedora' },
    'sandbox.missing',
    /sudo dnf install bubblewrap/,
  ],
  [
    'Bubblewrap is missing on Arch',
    { bwrap: undefined, osRelease: 'ID=arch' },
    'sandbox.missing',
    /sudo pacman -S bubblewrap/,
  ],
  [
    'Bubblewrap is missing on openSUSE',
    { bwrap: undefined, osRelease: 'ID="opensuse-leap"\nID_LIKE="suse opensuse"' },
    'sandbox.missing',
    /sudo zypper install bubblewrap/,
  ],
  [
    'Bubblewrap is missing on Alpine',
    { bwrap: undefined, osRelease: 'ID=alpine' },
    'sandbox.missing',
    /sudo apk add bubblewrap/,
  ],
  [
    'Bubblewrap is missing on something unknown',
    { bwrap: undefined, osRelease: '' },
    'sandbox.missing',
    /package manager/,
  ],
  ['Bubblewrap is too old', { version: '0.6.1' }, 'sandbox.tooOld', /Update/],
  ['the version cannot be told', { version: '' }, 'sandbox.tooOld', /Update/],
  [
    'AppArmor restricts user namespaces',
    { trial: refused, apparmorRestricts: true },
    'sandbox.apparmor',
    /profile cordon-bwrap \/usr\/bin\/bwrap flags=\(unconfined\)[^]*Undo: sudo apparmor_parser -R/,
  ],
  [
    'user namespaces are switched off',
    { trial: refused, usernsClone: '0' },
    'sandbox.usernsClone',
    /kernel\.unprivileged_userns_clone=1[^]*Undo: /,
  ],
  [
    'no user namespaces are allowed',
    { trial: refused, maxUserNamespaces: '0' },
    'sandbox.maxUserNamespaces',
    /user\.max_user_namespaces=10000[^]*Undo: /,
  ],
  [
    'this is a container',
    { trial: refused, isContainer: true },
    'sandbox.container',
    /--security-opt seccomp=unconfined/,
  ],
  [
    'this is a container on a restricted host',
    { trial: refused, isContainer: true, apparmorRestricts: true },
    'sandbox.container',
    /--security-opt/,
  ],
  [
    'something else is wrong',
    { trial: 'bwrap: no' },
    'sandbox.cannotStart',
    /\/usr\/bin\/bwrap --unshare-user/,
  ],
  ['this is Windows', { platform: 'win32' }, 'sandbox.windows', /WSL 2/],
  ['this is another system', { platform: 'freebsd' }, 'sandbox.unsupported', /Linux/],
])('when %s, it says so and how to mend it', (_, change, code, remedy) => {
  expect(diagnose({ ...good, ...change })).toEqual({
    kind: 'unavailable',
    code,
    message: expect.stringMatching(/\.$|\)\.$/),
    remedy: expect.stringMatching(remedy),
  });
});

test.each(['0.8', '0.8.0', '0.9.0', '0.11.1', '1.0'])('Bubblewrap %s is new enough', version => {
  expect(diagnose({ ...good, version }).kind).toBe('ready');
});

const goodMac: SeatbeltReadinessFacts = {
  sandboxExec: '/usr/bin/sandbox-exec',
  version: '15.1',
  trial: undefined,
};

test('a Mac on which a program starts behind walls is ready', () => {
  expect(diagnoseSeatbelt(goodMac)).toEqual({
    kind: 'ready',
    sandboxExec: '/usr/bin/sandbox-exec',
    version: '15.1',
  });
});

test.each<[string, Partial<SeatbeltReadinessFacts>, string, RegExp]>([
  ['macOS is too old', { version: '12.7.6' }, 'sandbox.macosTooOld', /Update macOS/],
  ['its version cannot be told', { version: '' }, 'sandbox.macosTooOld', /Linux remote/],
  ['Apple took sandbox-exec away', { sandboxExec: undefined }, 'sandbox.seatbeltMissing', /Linux remote/],
  [
    'it is asked for inside another sandbox',
    { trial: 'sandbox-exec: sandbox_apply: Operation not permitted' },
    'sandbox.seatbeltNested',
    /Start VS Code, or the terminal, by itself/,
  ],
  ['something else is wrong', { trial: 'Bad CPU type' }, 'sandbox.seatbeltCannotStart', /Try it by hand/],
])('on a Mac, when %s, it says so and how to mend it', (_, facts, code, remedy) => {
  const verdict = diagnoseSeatbelt({ ...goodMac, ...facts });
  expect(verdict).toMatchObject({ kind: 'unavailable', code, remedy: expect.stringMatching(remedy) });
});
