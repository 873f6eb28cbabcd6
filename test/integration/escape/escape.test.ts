import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attacks, type AttackResult } from './runAttacks.ts';

// Every attack is run twice: on the bare machine, where it must come through, and in the sandbox, where it must not.

const isRoot = process.getuid?.() === 0;
const ordinary = ordinaryUser();
const asOrdinary = [
  'setpriv',
  `--reuid=${ordinary?.uid}`,
  `--regid=${ordinary?.gid}`,
  '--clear-groups',
  '--',
];

const folder = mkdtempSync('/tmp/cordon-escape-program-');
const program = join(folder, 'attacks.mjs');
let asMe: Results;
let asOther: Results;
let forOther: Results;

beforeAll(async () => {
  chmodSync(folder, 0o755);
  const entryPoints = [join(import.meta.dirname, 'runAttacks.ts')];
  await build({
    entryPoints,
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  const hasOther = isRoot && ordinary !== undefined;
  [asMe, asOther] = await Promise.all([run([]), hasOther ? run(asOrdinary) : new Map()]);
  forOther = hasOther ? await run([], 'other', `${ordinary.uid}:${ordinary.gid}`) : new Map();
}, 480_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('as the user who runs the tests, a command', () => {
  test.each(namesOf(isRoot))('cannot %s', name => {
    expect(judged(asMe.get(name))).toEqual(stopped);
  });
});

describe.skipIf(!isRoot || ordinary === undefined)('as an ordinary user, a command', () => {
  test.each(namesOf(false))('cannot %s', name => {
    expect(judged(asOther.get(name))).toEqual(stopped);
  });
});

describe.skipIf(!isRoot || ordinary === undefined)("as root in another user's folder, a command", () => {
  test.each(namesOf(true))('cannot %s', name => {
    expect(judged(forOther.get(name))).toEqual(stopped);
  });
});

type Results = ReadonlyMap<string, AttackResult>;

/** An attack that fails without a sandbox too shows nothing. The output is there to tell why. */
const stopped = { bites: true, escaped: false, output: '' };

function judged(result: AttackResult | undefined) {
  return result === undefined
    ? undefined
    : { bites: result.bites, escaped: result.escaped, output: result.output };
}

function namesOf(canBeRoot: boolean): string[] {
  return attacks.filter(attack => canBeRoot || !attack.needsRoot).map(attack => attack.name);
}

async function run(prefix: readonly string[], ...kind: string[]): Promise<Results> {
  const command = [...prefix, process.execPath, program, 'run', ...kind];
  const options = { cwd: '/', maxBuffer: 2 ** 26, timeout: 230_000 };
  const { stdout } = await promisify(execFile)('/usr/bin/env', command, options);
  const results = stdout.split('\n').filter(Boolean);
  return new Map(results.map(line => JSON.parse(line) as AttackResult).map(each => [each.name, each]));
}

/** The first ordinary user of this machine, to run the attacks as. */
function ordinaryUser(): { uid: number; gid: number } | undefined {
  const users = execFileSync('getent', ['passwd'], { encoding: 'utf8' })
    .split('\n')
    .map(line => line.split(':'))
    .map(([, , uid, gid]) => ({ uid: Number(uid), gid: Number(gid) }));
  return users.find(({ uid }) => uid >= 1000 && uid < 60_000);
}
