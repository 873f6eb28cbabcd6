// What working without an overlay costs, as ratios to what git takes for the same: a repository of so many files, 20 of
// them changed. Run by `npm run bench`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Trash } from '../../src/overlay/discarded.ts';
import { removeTree } from '../../src/base/removeTree.ts';
import { ClonedFolder, cloneIn } from '../../src/session/changes/clonedFolder.ts';
import { DirectFolder } from '../../src/session/changes/directFolder.ts';
import type { OverlayedFolder } from '../../src/session/changes/overlayedFolder.ts';
import { openTrash } from '../../src/store/trash.ts';
import { cloneableDisk, type Disk } from '../integration/overlay/cloneableDisk.ts';
import { change, generate, git, median, middle, timed, timedAsync } from './repository.ts';

const sizes = (process.env['CORDON_BENCH_FILES'] ?? '1000,10000').split(',').map(Number);
const disk: Disk | undefined = cloneableDisk();
afterAll(() => disk?.[Symbol.dispose]());

test.each(sizes)(
  'a repository of %i files, 20 changed, in the user’s own files',
  async files => {
    const measured = await measure('direct', tmpdir(), files);
    expect(measured).toBe(20);
  },
  600_000,
);

test.skipIf(disk === undefined).each(sizes)(
  'a repository of %i files, 20 changed, in a clone',
  async files => {
    expect(await measure('clone', disk?.path ?? '', files)).toBe(20);
  },
  600_000,
);

/** Prints the table; returns how many changes were listed. */
async function measure(kind: 'clone' | 'direct', place: string, files: number): Promise<number> {
  const root = mkdtempSync(path.join(place, 'cordon-bench-'));
  const real = path.join(root, 'real');
  const directory = path.join(root, 'session');
  for (const each of [real, directory]) mkdirSync(each);
  generate(real, files);
  const shadow = measureShadow(real, path.join(root, 'shadow.git'));
  const status = median(5, () => git(real, 'status', '--porcelain'));
  const trash = openTrash(path.join(root, 'trash'));
  const journals = path.join(root, 'applies');
  const folder = open(kind, real, directory, { journals, trash });
  const worked = kind === 'clone' ? cloneIn(directory) : real;
  try {
    const first = await timedAsync(async () => {
      await folder.open();
      await folder.beginChange();
    });
    change(worked, 0);
    await folder.endChange();
    const list: number[] = [];
    for (let time = 0; time < 7; time++) list.push(await timedAsync(() => folder.review([])));
    await folder.checkpoint('First');
    const checkpoint: number[] = [];
    for (let round = 1; round < 4; round++) {
      await folder.beginChange();
      change(worked, round);
      await folder.endChange();
      checkpoint.push(await timedAsync(() => folder.checkpoint('Turn')));
    }
    const goBack = await timedAsync(() => folder.goBack(folder.checkpoints()[0]?.id ?? 0));
    const ratio = (theirs: number, mine: number) => `${(theirs / mine).toFixed(1)}×`;
    const row = (milliseconds: number) => ({ ms: Number(milliseconds.toFixed(1)) });
    console.log(`${kind}, ${files} files; git status takes ${status.toFixed(1)} ms. Times faster than:`);
    console.table({
      'the first time': { ...row(first), 'shadow git': ratio(shadow.first, first) },
      'list the changes': { ...row(middle(list)), 'git status': ratio(status, middle(list)) },
      checkpoint: { ...row(middle(checkpoint)), 'shadow git': ratio(shadow.next, middle(checkpoint)) },
      'go back': { ...row(goBack), 'shadow git': ratio(shadow.reset, goBack) },
    });
    const { changes } = await folder.review([]);
    return changes.length;
  } finally {
    folder[Symbol.dispose]();
    trash[Symbol.dispose]();
    removeTree(root);
  }
}

function open(
  kind: 'clone' | 'direct',
  real: string,
  directory: string,
  options: { readonly journals: string; readonly trash: Trash },
): OverlayedFolder & Disposable {
  if (kind === 'clone') return new ClonedFolder(real, directory, options.journals);
  return new DirectFolder(real, directory, work => work(options));
}

/** A repository beside the folder, into which all of it is added: how other agents keep checkpoints. */
function measureShadow(real: string, directory: string): { first: number; next: number; reset: number } {
  const shadow = (...args: string[]) =>
    git(
      real,
      `--git-dir=${directory}`,
      `--work-tree=${real}`,
      '-c',
      'user.name=B',
      '-c',
      'user.email=b@b',
      ...args,
    );
  execFileSync('git', ['init', '--quiet', '--bare', directory]);
  const commit = () => {
    shadow('add', '--all');
    shadow('commit', '--quiet', '--message=Turn');
  };
  const first = timed(commit);
  change(real, 0);
  const next = timed(commit);
  const reset = timed(() => shadow('reset', '--quiet', '--hard', 'HEAD~1'));
  git(real, 'checkout', '--quiet', '.');
  git(real, 'clean', '-fdq');
  return { first, next, reset };
}
