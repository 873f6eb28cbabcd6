import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { findProgram } from './facts.ts';
import { sandboxErrors } from './sandboxErrors.ts';
import { checkSeatbelt, type SeatbeltReadiness } from './seatbeltReadiness.ts';

export type SandboxReadiness =
  | { readonly kind: 'ready'; readonly bwrap: string; readonly version: string }
  | {
      readonly kind: 'unavailable';
      readonly code: string;
      readonly message: string;
      readonly remedy: string;
    };

/** Whether a sandbox can be put up on this machine, tried for real; if not, why, and the narrowest way to mend it. */
export async function checkSandbox(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<SandboxReadiness | SeatbeltReadiness> {
  if (process.platform === 'darwin') return await checkSeatbelt();
  if (process.platform !== 'linux') return diagnose({ ...nothingKnown, platform: process.platform });
  const bwrap = findProgram('bwrap', environment['PATH'], []);
  if (bwrap === undefined) return diagnose({ ...nothingKnown, osRelease: text('/etc/os-release') });
  const version = await bubblewrapVersion(bwrap);
  const trial = await tryIt(bwrap);
  return diagnose({
    platform: process.platform,
    bwrap,
    version,
    trial,
    osRelease: text('/etc/os-release'),
    apparmorRestricts: text('/proc/sys/kernel/apparmor_restrict_unprivileged_userns').trim() === '1',
    usernsClone: text('/proc/sys/kernel/unprivileged_userns_clone').trim(),
    maxUserNamespaces: text('/proc/sys/user/max_user_namespaces').trim(),
    isContainer: isContainer(environment),
  });
}

/** What was found out; `trial` is Bubblewrap's own complaint, undefined when it started. */
export interface ReadinessFacts {
  readonly platform: NodeJS.Platform;
  readonly bwrap: string | undefined;
  readonly version: string;
  readonly trial: string | undefined;
  readonly osRelease: string;
  readonly apparmorRestricts: boolean;
  readonly usernsClone: string;
  readonly maxUserNamespaces: string;
  readonly isContainer: boolean;
}

export const oldestBubblewrap = '0.8.0';

/** From facts to a verdict. Pure. */
export function diagnose(facts: ReadinessFacts): SandboxReadiness {
  const { platform, bwrap, version, trial } = facts;
  if (platform === 'win32')
    return no(
      'sandbox.windows',
      'Cordon has no sandbox for Windows, so no command can run.',
      'Open the folder in WSL 2 (command "WSL: Reopen Folder in WSL").',
    );
  if (platform !== 'linux')
    return no(
      'sandbox.unsupported',
      `Cordon has no sandbox for ${platform}, so no command can run.`,
      'Use Linux, or a Linux remote.',
    );
  if (bwrap === undefined)
    return no(
      'sandbox.missing',
      'Bubblewrap (bwrap) is not installed, so no command can run.',
      `Install it: ${installCommand(facts.osRelease)}`,
    );
  if (olderThan(version, oldestBubblewrap)) {
    const { code, message, remedy = '' } = sandboxErrors.tooOld(version, oldestBubblewrap);
    return no(code, message, remedy);
  }
  if (trial === undefined) return { kind: 'ready', bwrap, version };
  if (facts.usernsClone === '0')
    return no(
      'sandbox.usernsClone',
      'This system does not let ordinary users make namespaces (kernel.unprivileged_userns_clone is 0), so the sandbox cannot start.',
      'Allow it: echo kernel.unprivileged_userns_clone=1 | sudo tee /etc/sysctl.d/60-cordon.conf && sudo sysctl --system\n' +
        'Undo: sudo rm /etc/sysctl.d/60-cordon.conf && sudo sysctl kernel.unprivileged_userns_clone=0',
    );
  if (facts.maxUserNamespaces === '0')
    return no(
      'sandbox.maxUserNamespaces',
      'This system allows no user namespaces (user.max_user_namespaces is 0), so the sandbox cannot start.',
      'Allow some: echo user.max_user_namespaces=10000 | sudo tee /etc/sysctl.d/60-cordon.conf && sudo sysctl --system\n' +
        'Undo: sudo rm /etc/sysctl.d/60-cordon.conf && sudo sysctl user.max_user_namespaces=0',
    );
  if (facts.apparmorRestricts && !facts.isContainer)
    return no(
      'sandbox.apparmor',
      `AppArmor does not let ${bwrap} make user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1), so the sandbox cannot start.`,
      appArmorRemedy(bwrap),
    );
  if (facts.isContainer)
    return no(
      'sandbox.container',
      `This is a container that does not let Bubblewrap make namespaces, so the sandbox cannot start (${trial}).`,
      'Start the container with: --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined\n' +
        '(for a dev container, put these into "runArgs" in devcontainer.json and rebuild it).',
    );
  return no(
    'sandbox.cannotStart',
    `Bubblewrap is installed but cannot start a sandbox (${trial}).`,
    `Try it by hand: ${bwrap} ${trialArguments.join(' ')}`,
  );
}

/** A profile for the one binary, instead of lifting the restriction for every program of the machine. */
function appArmorRemedy(bwrap: string): string {
  return [
    'Allow it for this one program, in a terminal:',
    `sudo tee /etc/apparmor.d/cordon-bwrap <<'END'`,
    'abi <abi/4.0>,',
    'include <tunables/global>',
    `profile cordon-bwrap ${bwrap} flags=(unconfined) {`,
    '  userns,',
    '}',
    'END',
    'sudo apparmor_parser -r /etc/apparmor.d/cordon-bwrap',
    'Undo: sudo apparmor_parser -R /etc/apparmor.d/cordon-bwrap && sudo rm /etc/apparmor.d/cordon-bwrap',
  ].join('\n');
}

function installCommand(osRelease: string): string {
  const ids = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap(match =>
    (match[1] ?? '').split(' '),
  );
  for (const [id, command] of installers) if (ids.includes(id)) return command;
  return 'use your system\'s package manager (the package is called "bubblewrap").';
}

const installers: readonly (readonly [string, string])[] = [
  ['debian', 'sudo apt-get install bubblewrap'],
  ['ubuntu', 'sudo apt-get install bubblewrap'],
  ['fedora', 'sudo dnf install bubblewrap'],
  ['rhel', 'sudo dnf install bubblewrap'],
  ['arch', 'sudo pacman -S bubblewrap'],
  ['suse', 'sudo zypper install bubblewrap'],
  ['opensuse', 'sudo zypper install bubblewrap'],
  ['alpine', 'sudo apk add bubblewrap'],
];

const nothingKnown: ReadinessFacts = {
  platform: 'linux',
  bwrap: undefined,
  version: '',
  trial: undefined,
  osRelease: '',
  apparmorRestricts: false,
  usernsClone: '',
  maxUserNamespaces: '',
  isContainer: false,
};

/** The same namespaces as for a command, with the whole machine read-only and a program that does nothing. */
const trialArguments = [
  '--unshare-user',
  '--unshare-pid',
  '--unshare-ipc',
  '--unshare-uts',
  '--unshare-net',
  '--disable-userns',
  '--cap-drop',
  'ALL',
  '--ro-bind',
  '/',
  '/',
  '--proc',
  '/proc',
  '--dev',
  '/dev',
  '--die-with-parent',
  '--',
  'true',
];

async function tryIt(bwrap: string): Promise<string | undefined> {
  try {
    await promisify(execFile)(bwrap, trialArguments, { timeout: 30_000, cwd: '/' });
    return undefined;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    return said || (error instanceof Error ? error.message : String(error));
  }
}

async function bubblewrapVersion(bwrap: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(bwrap, ['--version'], { timeout: 30_000, cwd: '/' });
    return /(\d+\.\d+(\.\d+)?)/.exec(stdout)?.[1] ?? '';
  } catch {
    return '';
  }
}

/** Compares dotted numbers. An unknown version counts as old: what cannot be told is not trusted. */
function olderThan(version: string, wanted: string): boolean {
  if (version === '') return true;
  const parts = version.split('.').map(Number);
  for (const [at, number] of wanted.split('.').map(Number).entries()) {
    const part = parts[at] ?? 0;
    if (part !== number) return part < number;
  }
  return false;
}

function isContainer(environment: Readonly<Record<string, string | undefined>>): boolean {
  return (
    existsSync('/.dockerenv') ||
    existsSync('/run/.containerenv') ||
    Boolean(environment['container'] ?? environment['KUBERNETES_SERVICE_HOST'])
  );
}

function no(code: string, message: string, remedy: string): SandboxReadiness {
  return { kind: 'unavailable', code, message, remedy };
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
