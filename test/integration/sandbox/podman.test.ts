import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkPodman } from '../../../sandbox/podmanReadiness.ts';
import { startTime } from '../../../sandbox/processTree.ts';
import { attacks } from '../escape/runAttacks.ts';
import { trials } from './podmanTrials.ts';

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

const folder = mkdtempSync('/tmp/cordon-podman-programs-');
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
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// A skip is a skip: it names why, and counts as nothing.
describe.skipIf(missing !== undefined)(`Podman${missing === undefined ? '' : ` (${missing})`}`, () => {
  describe('as the user who runs the tests', () => {
    let results: Results;
    beforeAll(async () => void (results = await run([], trialProgram)), 300_000);
    test.each(Object.keys(trials))('%s', name => expect(results.get(name)).toEqual({ name }));
  });

  describe.skipIf(!isRoot || ordinary === undefined)('as an ordinary user', () => {
    let results: Results;
    beforeAll(async () => void (results = await run(asOrdinary, trialProgram)), 300_000);
    test.each(Object.keys(trials))('%s', name => expect(results.get(name)).toEqual({ name }));
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

  describe('lets no attack through:', () => {
    let results: Results;
    const isOrdinary = isRoot && ordinary !== undefined;
    beforeAll(async () => void (results = await run(isOrdinary ? asOrdinary : [], attackProgram)), 500_000);
    test.each(attacks.filter(attack => !attack.needsRoot).map(attack => attack.name))('to %s', name =>
      expect(results.get(name)).toMatchObject({ name, bites: true, escaped: false }),
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
