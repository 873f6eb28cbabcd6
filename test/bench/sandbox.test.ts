import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bubblewrapArguments } from '../../sandbox/bubblewrap.ts';
import { gatherFacts } from '../../sandbox/facts.ts';
import { openSandbox, type LaunchRequest } from '../../sandbox/sandbox.ts';

const rounds = 60;

test('a warm launch, as a ratio of bare bwrap with the same mounts', async () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'cordon-bench-')));
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
  const scan = { secrets: [join(workspace, '.env')], protectedPaths: [], pinned: [], guarded: [] };
  const words = bubblewrapArguments(facts, {
    request,
    scan,
    copyOnWrite: [],
    sharesNetwork: false,
    statusDescriptor: 0,
  });
  const status = words.indexOf('--json-status-fd');
  const args = [...words.slice(0, status), ...words.slice(status + 2), '--', 'true'];
  await using sandbox = await openSandbox(options);

  const timed = async (run: () => Promise<unknown>) => {
    const start = performance.now();
    await run();
    return performance.now() - start;
  };
  const ours = () =>
    timed(async () => {
      const started = await sandbox.launch(request);
      started.stdout?.resume();
      started.stderr?.resume();
      return started.exited;
    });
  const bare = () =>
    timed(
      () =>
        new Promise(
          resolve => void spawn(facts.bwrap ?? '', args, { stdio: 'ignore' }).once('exit', resolve),
        ),
    );

  const times: { ours: number[]; bare: number[] } = { ours: [], bare: [] };
  // In turns: the machine's speed changes. The first few warm up.
  for (let round = -5; round < rounds; round++) {
    const pair = { ours: await ours(), bare: await bare() };
    if (round >= 0) for (const side of ['ours', 'bare'] as const) times[side].push(pair[side]);
  }
  rmSync(root, { recursive: true, force: true });
  const [warm, plain] = [median(times.ours), median(times.bare)];
  console.log(
    `warm launch ${warm.toFixed(1)} ms, bare bwrap ${plain.toFixed(1)} ms: ${(warm / plain).toFixed(2)} (goal 1.30)`,
  );
  expect(warm).toBeGreaterThan(0);
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
