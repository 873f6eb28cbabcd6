import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkPodman } from '../../../sandbox/podmanReadiness.ts';
import { startTime } from '../../../sandbox/processTree.ts';
import { buildCommandLine } from '../session/harness.ts';
import { cloneableDisk } from '../overlay/cloneableDisk.ts';
import { attacks } from '../escape/runAttacks.ts';
import { cloneTrial, trials } from './podmanTrials.ts';

// The same walls put up by Podman. Where this machine mixes both versions of control groups, which the container
// runtime refuses, and we are root, the programs run where the newer one is not mounted.

const isRoot = process.getuid?.() === 0;
const here = await checkPodman();
const canHide = isRoot && here.kind === 'unavailable' && here.code === 'sandbox.podmanControlGroups';
const missing = here.kind === 'ready' || canHide ? undefined : `${here.code}: ${here.message}`;
const prefix = canHide
  ? ['unshare', '--mount', 'sh', '-c', 'umount /sys/fs/cgroup/unified; exec "$@"', 'hidden']
  : [];
const ordinary = await ordinaryUser();
const asOrdinary = [
  'setpriv',
  `--reuid=${ordinary?.uid}`,
  `--regid=${ordinary?.gid}`,
  '--clear-groups',
  'env',
  `HOME=${ordinary?.home}`,
];

// Only root can mount one; without it the trial of it is left out, and it is said why.
const disk = missing === undefined ? cloneableDisk() : undefined;
if (disk !== undefined) {
  chmodSync(dirname(disk.path), 0o755);
  chmodSync(disk.path, 0o1777);
}

const possible = Object.keys(trials).filter(name => name !== cloneTrial);

// Beside the project's packages, so that the bundles find the native ones as an installed package would.
mkdirSync(resolve('node_modules/.cache'), { recursive: true });
const folder = mkdtempSync(resolve('node_modules/.cache/podman-'));
let cli = '';
const [trialProgram, attackProgram] = [join(folder, 'trials.mjs'), join(folder, 'attacks.mjs')];

beforeAll(async () => {
  chmodSync(folder, 0o755);
  const entries = [
    ['podmanTrials.ts', trialProgram],
    ['../escape/runAttacks.ts', attackProgram],
  ] as const;
  for (const [entry, outfile] of entries)
    await build({
      entryPoints: [join(import.meta.dirname, entry)],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    });
  cli = await buildCommandLine(join(folder, 'cli'));
}, 120_000);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  disk?.[Symbol.dispose]();
});

// A skip is a skip: it names why, and counts as nothing.
describe.skipIf(missing !== undefined)(`Podman${missing === undefined ? '' : ` (${missing})`}`, () => {
  describe('as the user who runs the tests', () => {
    let results: Results;
    beforeAll(async () => void (results = await run([], trialProgram)), 300_000);
    test.each(possible)('%s', name => expect(results.get(name)).toEqual({ name }));
    test.skipIf(disk === undefined).each([cloneTrial])('%s', name =>
      expect(results.get(name)).toEqual({ name }),
    );
  });

  describe.skipIf(!isRoot || ordinary === undefined)('as an ordinary user', () => {
    let results: Results;
    beforeAll(async () => void (results = await run(asOrdinary, trialProgram)), 300_000);
    test.each(possible)('%s', name => expect(results.get(name)).toEqual({ name }));
    test.skipIf(disk === undefined).each([cloneTrial])('%s', name =>
      expect(results.get(name)).toEqual({ name }),
    );
  });

  const users = [
    { name: 'the user who runs the tests', user: [] as string[] },
    ...(isRoot && ordinary !== undefined ? [{ name: 'an ordinary user', user: asOrdinary }] : []),
  ];
  test.each(users)('ends its containers when the broker is killed, as $name', async ({ user }) => {
    const [file, ...args] = [...prefix, ...user, process.execPath, trialProgram, 'hold'];
    const broker = spawn(file, args, { cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(broker.stdout, 'data')) as [Buffer];
    const { processes, records, root } = JSON.parse(line.toString()) as {
      processes: number[];
      records: string;
      root: string;
    };
    const living = () => processes.filter(pid => startTime(pid) !== undefined);
    expect([living(), readdirSync(records)]).toEqual([processes, [expect.stringMatching(/^cordon-p-/)]]);
    broker.kill('SIGKILL');
    while (living().length > 0 || readdirSync(records).length > 0)
      await new Promise(resolve => setTimeout(resolve, 20));
    for (const path of [records, root]) rmSync(path, { recursive: true });
  });

  // A whole conversation: the agent, its commands and the file writer in containers, around one copy-on-write view.
  test.each(users)('runs a whole task, as $name', { timeout: 120_000 }, async ({ user }) => {
    const root = mkdtempSync('/tmp/cordon-podman-run-');
    const [workspace, settings] = [join(root, 'my project'), join(root, 'config/cordon')];
    try {
      cpSync('test/sample', workspace, { recursive: true });
      for (const name of ['home', 'state']) mkdirSync(join(root, name));
      mkdirSync(settings, { recursive: true });
      writeFileSync(join(settings, 'settings.json'), '{ "cordon.sandbox.backend": "podman" }');
      if (user.length > 0)
        await promisify(execFile)('chown', ['-R', `${ordinary?.uid}:${ordinary?.gid}`, root]);
      const variables = { HOME: 'home', XDG_STATE_HOME: 'state', XDG_CONFIG_HOME: 'config' };
      const environment = Object.entries(variables).map(([name, value]) => `${name}=${join(root, value)}`);
      const cordon = async (...words: string[]) => {
        const [file = '', ...args] = [
          ...prefix,
          ...user,
          'env',
          ...environment,
          process.execPath,
          cli,
          ...words,
        ];
        return (await promisify(execFile)(file, args, { cwd: workspace })).stdout;
      };
      const before = readFileSync(join(workspace, 'src/slug.js'), 'utf8');
      const task = ['--provider', 'demo', '--approve', 'contained', '--session', 's', 'Fix the failing test'];
      expect(await cordon('run', ...task)).toMatch(/All \*\*8 tests pass\*\* now/);
      expect(readFileSync(join(workspace, 'src/slug.js'), 'utf8')).toBe(before);
      const changed = await cordon('sandbox', '--session', 's', '--', 'cat', 'src/slug.js');
      expect([changed === before, changed.includes('+/g')]).toEqual([false, true]);
      expect(await cordon('review', '--session', 's')).toContain('modified  src/slug.js');
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });

  // Each attack is run on the bare machine first, as the same user, where it must come through.
  describe.each(users)('as $name, lets no attack through:', ({ user }) => {
    let results: Results;
    const actsAsRoot = isRoot && user.length === 0;
    beforeAll(async () => void (results = await run(user, attackProgram)), 500_000);
    test.each(attacks.filter(each => actsAsRoot || !each.needsRoot).map(each => each.name))('to %s', name =>
      expect(results.get(name)).toEqual({ name, bites: true, escaped: false, output: '' }),
    );
  });
});

type Results = ReadonlyMap<string, { readonly name: string }>;

async function run(user: readonly string[], program: string): Promise<Results> {
  const [file, ...args] = [...prefix, ...user, process.execPath, program, 'run', 'podman'];
  const { stdout } = await promisify(execFile)(file, args, {
    cwd: '/',
    maxBuffer: 2 ** 26,
    timeout: 450_000,
    env: { ...process.env, ...(disk === undefined ? {} : { CORDON_CLONE_DISK: disk.path }) },
  });
  const lines = stdout
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as { name: string });
  return new Map(lines.map(each => [each.name, each]));
}

/** The first ordinary user of this machine who has user numbers for containers. */
async function ordinaryUser(): Promise<{ uid: number; gid: number; home: string } | undefined> {
  const { stdout } = await promisify(execFile)('getent', ['passwd']);
  const withNumbers = existsSync('/etc/subuid') ? readFileSync('/etc/subuid', 'utf8') : '';
  return stdout
    .split('\n')
    .map(line => line.split(':'))
    .filter(([name = '']) => name !== '' && withNumbers.split('\n').some(line => line.startsWith(`${name}:`)))
    .map(([, , uid, gid, , home = '/']) => ({ uid: Number(uid), gid: Number(gid), home }))
    .find(({ uid }) => uid >= 1000 && uid < 60_000);
}
