// A generated repository and ways to measure what is done to it, for the benchmarks of changes.
import { execFileSync } from 'node:child_process';
import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';

/** Folders of 100 files of about 1 KB each. */
export function generate(lower: string, files: number): void {
  for (let number = 0; number < files; number++) {
    const folder = path.join(lower, folderOf(number));
    if (number % 100 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, `file${number}.txt`), `${number}\n`.repeat(200));
  }
  git(lower, 'init', '--quiet');
  git(lower, 'add', '--all');
  git(lower, '-c', 'user.name=B', '-c', 'user.email=b@b', 'commit', '--quiet', '--message=All');
}

function folderOf(number: number): string {
  return `part${Math.floor(number / 1_000)}/folder${Math.floor(number / 100)}`;
}

/** Ten edits, five new files, five deleted, all over the place. `round` makes each time differ from the last. */
export function change(root: string, round: number): void {
  const files = readCount(root);
  const pick = (index: number) => Math.floor((index * files) / 20);
  const at = (number: number, name = `file${number}.txt`) => path.join(root, folderOf(number), name);
  for (let index = 0; index < 10; index++) writeFileSync(at(pick(index)), `edited ${round} ${index}\n`);
  for (let index = 10; index < 15; index++) writeFileSync(at(pick(index), `new${index}`), `new ${round}\n`);
  for (let index = 15; index < 20; index++) if (round === 0) unlinkSync(at(pick(index)));
}

export const counts = new Map<string, number>();
export function readCount(root: string): number {
  const known = counts.get(root);
  if (known !== undefined) return known;
  const found = execFileSync('sh', ['-c', "find . -path ./.git -prune -o -name 'file*.txt' -print | wc -l"], {
    cwd: root,
  });
  counts.set(root, Number(String(found)));
  return Number(String(found));
}

export function git(folder: string, ...args: string[]): void {
  execFileSync('git', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

export function median(times: number, work: () => void): number {
  return middle(Array.from({ length: times }, () => timed(work)));
}

export function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

export async function timedAsync(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function middle(times: readonly number[]): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0;
}
