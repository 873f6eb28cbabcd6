import { execFileSync, spawn, type SpawnOptions } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { bubblewrapArguments } from '../../sandbox/bubblewrap.ts';
import { commandEnvironment } from '../../sandbox/environment.ts';
import { gatherFacts } from '../../sandbox/facts.ts';
import { openSandbox, type LaunchRequest, type Sandbox } from '../../sandbox/sandbox.ts';
import { openOverlay } from '../../src/overlay/overlay.ts';

const rounds = 40;
const project = join(import.meta.dirname, '../..');

test('a launch, warm and cold, as ratios of bare bwrap and beside sandbox-runtime', async () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'cordon-bench-')));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rmSync(root, { recursive: true, force: true }));
  const workspace = join(root, 'workspace');
  for (let at = 0; at < 500; at++) mkdirSync(join(workspace, `folder-${at}`), { recursive: true });
  writeFileSync(join(workspace, '.env'), 'A=1');
  const options = { folders: [workspace], stateDirectory: join(root, 'state') };
  const request: LaunchRequest = {
    argv: ['true'],
    cwd: workspace,
    writableFolders: [],
    view: 'system',
    stdin: 'ignore',
  };
  const facts = gatherFacts(options);
  const bwrap = facts.bwrap ?? '';
  const scan = { secrets: [join(workspace, '.env')], protectedPaths: [], pinned: [], guarded: [] };
  const words = bubblewrapArguments(facts, {
    request,
    scan,
    copyOnWrite: [],
    sharesNetwork: false,
    statusDescriptor: 0,
    environment: commandEnvironment(facts, process.env),
  });
  const status = words.indexOf('--json-status-fd');
  const mounts = [...words.slice(0, status), ...words.slice(status + 2)];
  const sandbox = cleanup.use(await openSandbox(options));
  const overlay = cleanup.use(
    await openOverlay({ directory: join(root, 'view'), folders: [workspace], bwrap, dropAtEnd: true }),
  );
  const copied = cleanup.use(await openSandbox({ ...options, copyOnWrite: overlay.view }));
  const command = join(root, 'dist', 'cli.cjs');
  execFileSync(
    process.execPath,
    ['esbuild.mjs', '--production', '--only', 'cli', '--out', dirname(command)],
    {
      cwd: project,
    },
  );
  const env = { PATH: process.env['PATH'] ?? '', HOME: join(root, 'home') };
  mkdirSync(env.HOME);

  const cases: Record<string, () => Promise<unknown>> = {
    'bare bwrap': () => ended(bwrap, [...mounts, '--', 'true'], {}),
    warm: () => launched(sandbox, request),
    'warm, copy-on-write': () => launched(copied, request),
    'node, doing nothing': () => ended(process.execPath, ['-e', '0'], { env }),
    'cordon sandbox': () =>
      ended(process.execPath, [command, 'sandbox', '--', 'true'], { cwd: workspace, env }),
    'cordon sandbox --direct': () =>
      ended(process.execPath, [command, 'sandbox', '--direct', '--', 'true'], { cwd: workspace, env }),
  };
  const theirs = await sandboxRuntime(root, workspace);
  if ('missing' in theirs) console.log(`sandbox-runtime cannot run here and is left out: ${theirs.missing}`);
  else {
    Object.assign(cases, theirs.cases);
    cleanup.defer(theirs.end);
  }

  const times = new Map<string, number[]>(Object.keys(cases).map(name => [name, []]));
  // In turns: the machine's speed changes. The first few warm up.
  for (let round = -3; round < rounds; round++) {
    for (const [name, run] of Object.entries(cases)) {
      const start = performance.now();
      await run();
      if (round >= 0) times.get(name)?.push(performance.now() - start);
    }
  }
  const of = (name: string) => median(times.get(name) ?? []);
  const bare = of('bare bwrap');
  const lines = [...times.keys()].map(
    name =>
      `${name.padEnd(26)} ${of(name).toFixed(1).padStart(7)} ms  ${(of(name) / bare).toFixed(2)} × bare bwrap`,
  );
  console.log(
    [
      'launching "true", median:',
      ...lines,
      `warm launch: ${(of('warm') / bare).toFixed(2)} × bare bwrap of the same mounts (goal 1.30)`,
    ].join('\n'),
  );
  expect(bare).toBeGreaterThan(0);
});

async function launched(sandbox: Sandbox, request: LaunchRequest): Promise<void> {
  const started = await sandbox.launch(request);
  started.stdout?.resume();
  started.stderr?.resume();
  expect(await started.exited).toEqual({ code: 0, signal: null });
}

async function ended(program: string, args: readonly string[], options: SpawnOptions): Promise<void> {
  const child = spawn(program, args, { ...options, stdio: 'ignore' });
  const code = await new Promise(resolve => void child.once('exit', resolve));
  expect([program, code]).toEqual([program, 0]);
}

/** Anthropic's, with a policy as near to ours as it has: no network, the workspace and its own /tmp to write. */
async function sandboxRuntime(
  root: string,
  workspace: string,
): Promise<
  { cases: Record<string, () => Promise<unknown>>; end: () => Promise<void> } | { missing: string }
> {
  const { rgPath } = (await import('@vscode/ripgrep')) as { rgPath: string };
  const settings = {
    network: { allowedDomains: [], deniedDomains: [] },
    filesystem: {
      denyRead: [join(root, 'home'), join(workspace, '.env')],
      allowWrite: [workspace],
      denyWrite: [],
    },
    ripgrep: { command: realpathSync(rgPath) },
  };
  const file = join(root, 'srt.json');
  writeFileSync(file, JSON.stringify(settings));
  const { SandboxManager } = await import('@anthropic-ai/sandbox-runtime');
  const here = process.cwd();
  try {
    const { errors } = SandboxManager.checkDependencies(settings.ripgrep);
    if (errors.length > 0) return { missing: errors.join('; ') };
    process.chdir(workspace);
    await SandboxManager.initialize(settings);
    // It needs a moment to start what it bridges with.
    await SandboxManager.wrapWithSandbox('true');
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  } finally {
    process.chdir(here);
  }
  const command = join(project, 'node_modules/@anthropic-ai/sandbox-runtime/dist/cli.js');
  if (!existsSync(command)) return { missing: `${command} is not there` };
  const cwd = workspace;
  return {
    cases: {
      'sandbox-runtime, warm': async () =>
        ended('/bin/sh', ['-c', await SandboxManager.wrapWithSandbox('true')], { cwd }),
      'srt (its command line)': () =>
        ended(process.execPath, [command, '--settings', file, 'true'], {
          cwd,
          env: { PATH: process.env['PATH'] ?? '', HOME: join(root, 'home') },
        }),
    },
    end: () => SandboxManager.reset(),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
