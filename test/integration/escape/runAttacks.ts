import { execFileSync, spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { findProgram } from '../../../sandbox/facts.ts';
import { openSandbox, type Sandbox } from '../../../sandbox/sandbox.ts';
import { openOverlay } from '../../../src/overlay/overlay.ts';
import type { Attack } from './attack.ts';
import { networkAttacks } from './attacks/network.ts';
import { processAttacks } from './attacks/processes.ts';
import { readingAttacks } from './attacks/reading.ts';
import { writingAttacks } from './attacks/writing.ts';
import { buildWorld, type World } from './world.ts';

// A program of its own, so that it can be run as different users. Prints one line of JSON an attack.

export const attacks: readonly Attack[] = [
  ...readingAttacks,
  ...writingAttacks,
  ...processAttacks,
  ...networkAttacks,
];

export interface AttackResult {
  readonly name: string;
  /** Whether it came through without a sandbox: else it shows nothing. */
  readonly bites: boolean;
  readonly escaped: boolean;
  readonly output: string;
}

const [, , word, kind, owner = ''] = process.argv;
const backend = kind === 'podman' ? 'podman' : 'bubblewrap';

if (word === 'run') await runAll();

async function runAll(): Promise<void> {
  await using world = await buildWorld();
  process.env['HOME'] = world.environment['VICTIM_HOME'];
  Object.assign(process.env, { CORDON_TEST_API_KEY: world.environment['CORDON_TEST_API_KEY'] });
  const folders = [world.workspace];
  reset(world);
  await using plain = await openSandbox({ folders, stateDirectory: world.state, backend });
  for (const attack of attacks) {
    if (attack.needsRoot && process.getuid?.() !== 0) continue;
    reset(world);
    const outside = await runOutside(attack, world);
    await settle(attack);
    const bites = world.cameThrough(attack, outside);
    reset(world);
    const output = await runInside(attack, world, plain);
    await settle(attack);
    const escaped = world.cameThrough(attack, output);
    const result: AttackResult = {
      name: attack.name,
      bites,
      escaped,
      output: (escaped ? output : bites ? '' : outside).slice(0, 2_000),
    };
    process.stdout.write(JSON.stringify(result) + '\n');
  }
}

/** `run other UID:GID`: the workspace is this user's, and root is at work in it. */
function reset(world: World): void {
  world.reset();
  if (kind === 'other') execFileSync('chown', ['--recursive', '--no-dereference', owner, world.workspace]);
}

/** What was left behind gets the time to strike. */
async function settle(attack: Attack): Promise<void> {
  if (typeof attack.proof === 'object' && 'file' in attack.proof && attack.proof.file.endsWith('late.txt'))
    await wait(900);
}

function runOutside(attack: Attack, world: World): Promise<string> {
  const environment = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: world.environment['VICTIM_HOME'],
    ...world.environment,
  };
  const child = spawn('/bin/bash', ['-c', attack.script], {
    cwd: world.workspace,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return collect(child.stdout, child.stderr, new Promise(resolve => void child.once('exit', resolve)));
}

async function runInside(attack: Attack, world: World, plain: Sandbox): Promise<string> {
  if (attack.view !== 'overlay') return launch(attack, world, plain);
  const folders = [world.workspace];
  const bwrap = findProgram('bwrap', process.env['PATH'], []) ?? '';
  await using overlay = await openOverlay({
    directory: `${world.state}/view`,
    folders,
    bwrap,
    dropAtEnd: true,
  });
  await using copied = await openSandbox({
    folders,
    stateDirectory: world.state,
    copyOnWrite: overlay.view,
    backend,
  });
  return await launch(attack, world, copied);
}

async function launch(attack: Attack, world: World, sandbox: Sandbox): Promise<string> {
  const { CORDON_TEST_API_KEY: _, ...environment } = world.environment;
  const started = await sandbox.launch({
    argv: ['bash', '-c', attack.script],
    cwd: world.workspace,
    writableFolders: attack.view === undefined ? [world.workspace] : [],
    view: 'system',
    environment,
    stdin: 'ignore',
    timeout: 60_000,
  });
  return collect(started.stdout, started.stderr, started.exited);
}

async function collect(
  stdout: NodeJS.ReadableStream | null,
  stderr: NodeJS.ReadableStream | null,
  exited: Promise<unknown>,
): Promise<string> {
  let output = '';
  for (const stream of [stdout, stderr])
    stream?.on('data', (chunk: Buffer) => void (output += chunk.toString('latin1')));
  await exited;
  await wait(30);
  return output;
}
