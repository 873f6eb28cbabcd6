// What the changes of a session cost, as ratios to what git takes for the same: a repository of so many files, 20 of
// them changed. Run by `npm run bench`.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { applyChanges } from '../../src/overlay/apply.ts';
import { readChangeset } from '../../src/overlay/changeset.ts';
import { Checkpoints } from '../../src/overlay/checkpoints.ts';
import { desiredFor } from '../../src/overlay/desired.ts';
import { openOverlayRecord } from '../../src/overlay/overlayRecord.ts';
import { openTrash } from '../../src/store/trash.ts';
import { liveOverlay, type LiveOverlay } from '../integration/overlay/liveOverlay.ts';
import { change, counts, generate, git, median, middle, readCount, timed, timedAsync } from './repository.ts';

const sizes = (process.env['CORDON_BENCH_FILES'] ?? '1000,10000,100000').split(',').map(Number);

test.each(sizes)(
  'a repository of %i files, 20 changed',
  async files => {
    await using overlay = await liveOverlay(lower => generate(lower, files));
    const git = measureGit(overlay);
    const ours = await measureOurs(overlay);
    const ratio = (theirs: number, mine: number) => `${(theirs / mine).toFixed(1)}×`;
    const table = {
      'list the changes': { ...row(ours.list), 'git status': ratio(git.status, ours.list) },
      checkpoint: {
        ...row(ours.checkpoint),
        'git stash create': ratio(git.stash, ours.checkpoint),
        'shadow git': ratio(git.shadow, ours.checkpoint),
      },
      'go back': { ...row(ours.goBack), 'shadow git': ratio(git.shadowReset, ours.goBack) },
      apply: { ...row(ours.apply), 'git stash create': ratio(git.stash, ours.apply) },
    };
    console.log(`${files} files; git status takes ${git.status.toFixed(1)} ms. Times faster than:`);
    console.table(table);
    expect(ours.changes).toBe(20);
  },
  600_000,
);

function row(milliseconds: number): { ms: number } {
  return { ms: Number(milliseconds.toFixed(1)) };
}

function measureGit({ folder: { lower }, state }: LiveOverlay) {
  change(lower, 0);
  const shadowDir = path.join(state, 'shadow.git');
  const shadow = (...args: string[]) =>
    git(
      lower,
      `--git-dir=${shadowDir}`,
      `--work-tree=${lower}`,
      '-c',
      'user.name=B',
      '-c',
      'user.email=b@b',
      ...args,
    );
  const status = median(5, () => git(lower, 'status', '--porcelain'));
  git(lower, 'config', 'user.name', 'B');
  git(lower, 'config', 'user.email', 'b@b');
  const stash = median(3, () => git(lower, 'stash', 'create'));
  execFileSync('git', ['init', '--quiet', '--bare', shadowDir]);
  shadow('add', '--all');
  shadow('commit', '--quiet', '--message=First');
  let round = 1;
  const times = Array.from({ length: 3 }, () => {
    change(lower, round++);
    return timed(() => {
      shadow('add', '--all');
      shadow('commit', '--quiet', '--message=Turn');
    });
  });
  const shadowReset = timed(() => shadow('reset', '--quiet', '--hard', 'HEAD~1'));
  git(lower, 'checkout', '--quiet', '.');
  git(lower, 'clean', '-fdq');
  rmSync(shadowDir, { recursive: true });
  return { status, stash, shadow: middle(times), shadowReset };
}

async function measureOurs(overlay: LiveOverlay) {
  // What the kernel knew of the folder before git changed it back is forgotten with the mount.
  await overlay.unmount();
  await overlay.mount();
  const { folder, state } = overlay;
  counts.set(overlay.merged, readCount(folder.lower));
  change(overlay.merged, 0);
  const merged = overlay.merged;
  const list: number[] = [];
  for (let time = 0; time < 15; time++) list.push(await timedAsync(() => readChangeset(folder, { merged })));
  using record = openOverlayRecord(folder.upper);
  const checkpoints = new Checkpoints(folder, record);
  const { id } = await checkpoints.take('First', merged);
  const checkpoint: number[] = [];
  for (let round = 1; round < 4; round++) {
    change(merged, round);
    checkpoint.push(await timedAsync(() => checkpoints.take('Turn', merged)));
  }
  await overlay.unmount();
  const goBack = await timedAsync(() => checkpoints.goBack(id));
  const { changes } = await readChangeset(folder);
  using trash = openTrash(path.join(state, 'trash'));
  const apply = await timedAsync(() =>
    applyChanges(
      folder.lower,
      changes.map(each => desiredFor(folder, each)),
      { journals: path.join(state, 'applies'), trash },
    ),
  );
  await overlay.mount();
  return { changes: changes.length, list: middle(list), checkpoint: middle(checkpoint), goBack, apply };
}
