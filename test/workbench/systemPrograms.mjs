import { accessSync, constants, readFileSync, readdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { attempt } from './execute.mjs';
import { Stop, step } from './steps.mjs';

/**
 * @typedef {object} SystemProgram
 * @property {string} title how a person calls it
 * @property {readonly string[]} commands any of these will do, found on PATH
 * @property {Readonly<Record<string, string>>} packages its name for each package manager, or several names
 */

/** @type {SystemProgram} */
export const bubblewrap = {
  title: 'Bubblewrap',
  commands: ['bwrap'],
  packages: {
    'apt-get': 'bubblewrap',
    dnf: 'bubblewrap',
    pacman: 'bubblewrap',
    zypper: 'bubblewrap',
    apk: 'bubblewrap',
  },
};

/** @type {SystemProgram} */
export const chromium = {
  title: 'Chromium',
  commands: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  packages: {
    'apt-get': 'chromium',
    dnf: 'chromium',
    pacman: 'chromium',
    zypper: 'chromium',
    apk: 'chromium',
  },
};

/** @type {SystemProgram} */
export const podman = {
  title: 'Podman',
  commands: ['podman'],
  packages: {
    'apt-get': 'podman crun uidmap catatonit',
    dnf: 'podman crun shadow-utils catatonit',
    pacman: 'podman crun shadow catatonit',
    zypper: 'podman crun shadow catatonit',
    apk: 'podman crun shadow-uidmap catatonit',
  },
};

/** @type {SystemProgram} */
export const lsof = {
  title: 'lsof',
  commands: ['lsof'],
  packages: { 'apt-get': 'lsof', dnf: 'lsof', pacman: 'lsof', zypper: 'lsof', apk: 'lsof' },
};

/** How each package manager installs without asking, and how it learns of new packages first. */
const managers = [
  { name: 'apt-get', install: ['install', '-y', '--no-install-recommends'], refresh: ['update'] },
  { name: 'dnf', install: ['install', '-y'], refresh: ['makecache'] },
  { name: 'pacman', install: ['-S', '--noconfirm', '--needed'], refresh: ['-Sy'] },
  { name: 'zypper', install: ['--non-interactive', 'install'], refresh: ['--non-interactive', 'refresh'] },
  { name: 'apk', install: ['add'], refresh: ['update'] },
];

/**
 * Makes sure that these programs are there. Missing ones are installed through the system's package manager where
 * this user may do that without a password.
 *
 * @param {readonly SystemProgram[]} programs
 * @throws {Stop} with the one command to type
 */
export async function ensurePrograms(programs) {
  const missing = programs.filter(program => findProgram(program) === undefined);
  if (missing.length === 0) return;
  const titles = missing.map(program => program.title).join(' and ');

  if (missing.includes(chromium) && isUbuntu()) {
    // Ubuntu's chromium package is a snap, which cannot see the profile folders that browser tests use.
    throw new Stop(
      `${titles} needed. Type this, then try again:\n\n  ` +
        (missing.includes(bubblewrap) ? 'sudo apt-get install -y bubblewrap && ' : '') +
        'node_modules/.bin/playwright-core install --with-deps chromium',
    );
  }
  const manager = managers.find(({ name }) => which(name) !== undefined);
  if (manager === undefined) {
    throw new Stop(`${titles} needed. Install it with your system's package manager, then try again.`);
  }
  const install = [
    ...manager.install,
    ...missing.flatMap(program => (program.packages[manager.name] ?? program.title).split(' ')),
  ];
  const byHand = `sudo ${[manager.name, ...install].join(' ')}`;
  const prefix = await rootPrefix();
  if (prefix === undefined) throw new Stop(`${titles} needed. Type this, then try again:\n\n  ${byHand}`);

  await step(`Installing ${titles} with ${manager.name}`, async () => {
    const [program, ...before] = [...prefix, manager.name];
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    let done = await attempt(program, [...before, ...install], { env });
    if (!done.ok) {
      // On a fresh machine the list of packages is empty or old.
      await attempt(program, [...before, ...manager.refresh], { env });
      done = await attempt(program, [...before, ...install], { env });
    }
    if (!done.ok || missing.some(each => findProgram(each) === undefined)) {
      throw new Stop(
        `${done.output.trim()}\n\n${titles} could not be installed. This is what was tried:\n\n  ${byHand}`,
      );
    }
  });
}

/**
 * Installs what the tests can do without, where that needs nobody's help. Without it they say what they left out.
 *
 * @param {readonly SystemProgram[]} programs
 */
export async function offerPrograms(programs) {
  const canInstall =
    (await rootPrefix()) !== undefined && managers.some(({ name }) => which(name) !== undefined);
  if (!canInstall) return;
  try {
    await ensurePrograms(programs);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    console.log('  It is left out.');
  }
}

/**
 * @param {SystemProgram} program
 * @returns {string | undefined} absolute path
 */
export function findProgram(program) {
  if (program === chromium) {
    const chosen = process.env['CHROMIUM'] ?? playwrightChromium();
    if (chosen !== undefined && isExecutable(chosen)) return chosen;
  }
  return program.commands
    .map(which)
    .find(found => found !== undefined && !(program === chromium && isSnap(found)));
}

/** How to become root: not at all, by sudo that asks nothing, or (undefined) not without a person. */
async function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return which('sudo') !== undefined && (await attempt('sudo', ['-n', 'true'])).ok
    ? ['sudo', '-n']
    : undefined;
}

/** @param {string} command */
function which(command) {
  // System tools live in sbin, which is not on every user's PATH.
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/sbin', '/sbin'];
  return folders
    .filter(folder => path.isAbsolute(folder))
    .map(folder => path.join(folder, command))
    .find(isExecutable);
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** @param {string} file */
function isSnap(file) {
  const real = realpathSync(file);
  if (real.startsWith('/snap/') || path.basename(real) === 'snap') return true;
  return statSync(real).size < 10_000 && readFileSync(real, 'utf8').includes('/snap/bin');
}

function isUbuntu() {
  try {
    return /^ID=ubuntu$/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

/** The Chromium that Playwright installed for this user, if it did. */
function playwrightChromium() {
  const home = process.env['HOME'];
  if (home === undefined) return undefined;
  const folder = path.join(home, '.cache/ms-playwright');
  try {
    return readdirSync(folder)
      .filter(name => /^chromium-\d+$/.test(name))
      .flatMap(name =>
        ['chrome-linux64/chrome', 'chrome-linux/chrome'].map(file => path.join(folder, name, file)),
      )
      .find(isExecutable);
  } catch {
    return undefined;
  }
}
