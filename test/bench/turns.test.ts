// What a conversation's copy of the workspace adds to a turn and to a command, beside `git status` in the same folder:
// a repository of so many files, 20 of them changed in the copy. Run by `npm run bench`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import type { SandboxedProcess } from '../../sandbox/sandbox.ts';
import type { WorkingCopy } from '../../src/session/changes/workingCopy.ts';
import { buildPrograms, Stage, temporaryFolder } from '../integration/session/harness.ts';

const sizes = (process.env['CORDON_BENCH_FILES'] ?? '1000,10000,100000').split(',').map(Number);

test.each(sizes)(
  'a turn in a copy of %i files',
  async files => {
    const programs = await buildPrograms(temporaryFolder());
    await using stage = new Stage(programs);
    fill(stage.workspace, files);
    const git = (...args: string[]) => execFileSync('git', ['-C', stage.workspace, ...args]);
    git('init', '--quiet');
    git('add', '--all');
    git('-c', 'user.name=B', '-c', 'user.email=b@b', 'commit', '--quiet', '--message=All');
    const status = await median(async () => void git('status', '--porcelain'));

    await stage.openOverlaid();
    let second: WorkingCopy | undefined;
    const open = await timed(
      async () => void (second = await stage.openCopy(path.join(stage.folder, 'second'))),
    );
    await second?.[Symbol.asyncDispose]();
    await run(stage, 'for n in $(seq 0 19); do echo changed > part$n/file$n.txt; done');
    const { changes } = stage.copy;
    let mark = '';
    const table = {
      'open a copy': open,
      'before a turn: bring up to date': await median(() => stage.copy.refresh()),
      'before a turn: checkpoint': await median(() => changes.checkpoint('turn')),
      'before a command: look': await median(async () => void (mark = await changes.mark())),
      'after a command: look': await timed(async () => void (await changes.changedSince(mark))),
      'list for review': await median(async () => void (await changes.review())),
      'start and end of a command': await median(() => run(stage, 'true')),
    };
    console.log(`${files} files; git status takes ${status.toFixed(1)} ms. Times faster than that:`);
    console.table(
      Object.fromEntries(
        Object.entries(table).map(([what, ms]) => [
          what,
          { ms: Number(ms.toFixed(1)), 'git status': `${(status / ms).toFixed(1)}×` },
        ]),
      ),
    );
    expect((await changes.review())[0]?.changes).toHaveLength(20);
  },
  600_000,
);

function fill(folder: string, files: number): void {
  for (let number = 0; number < files; number++) {
    const part = path.join(folder, `part${number % 200}`);
    if (number < 200) mkdirSync(part);
    writeFileSync(path.join(part, `file${number}.txt`), `${number}\n`.repeat(200));
  }
}

async function run(stage: Stage, line: string): Promise<void> {
  const started: SandboxedProcess = await stage.sandbox.launch({
    argv: ['/bin/sh', '-c', line],
    cwd: stage.workspace,
    writableFolders: [],
    view: 'system',
    stdin: 'ignore',
  });
  await started.exited;
}

async function median(work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 5; round++) times.push(await timed(work));
  return times.toSorted((a, b) => a - b)[2] ?? 0;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
