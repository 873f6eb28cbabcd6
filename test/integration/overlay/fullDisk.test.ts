import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyChanges } from '../../../src/overlay/apply.ts';
import type { DesiredChange } from '../../../src/overlay/applySteps.ts';
import { readEntry } from '../../../src/overlay/entry.ts';
import { openTrash, type Trash } from '../../../src/store/trash.ts';
import { picture } from './operations.ts';
import { scratch } from './scratch.ts';

let root: string;
let trash: Trash;
let disk: string;
let unmount: () => Promise<unknown>;

/** A disk of 400 KB, in a namespace of its own and reached through it. */
beforeEach(async () => {
  root = scratch('full');
  trash = openTrash(path.join(root, 'trash'));
  const script = 'mount -t tmpfs -o size=400k tmpfs /mnt && echo $$ && exec cat';
  const child = spawn('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [pid] = (await once(child.stdout, 'data')) as [Buffer];
  disk = `/proc/${String(pid).trim()}/root/mnt`;
  unmount = () => {
    child.stdin.end();
    return once(child, 'exit');
  };
});
afterEach(async () => {
  trash[Symbol.dispose]();
  await unmount();
  rmSync(root, { recursive: true });
});

test('when the disk is full, nothing was changed, and it says so', async () => {
  const folder = path.join(disk, 'real');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'one'), 'one\n');
  writeFileSync(path.join(folder, 'two'), 'x'.repeat(100_000));
  const before = picture(folder);
  const free = statfsSync(folder).bavail;
  const change = (name: string, bytes: number): DesiredChange => ({
    path: name,
    expected: readEntry(path.join(folder, name)) ?? null,
    desired: { kind: 'file', mode: 0o644, content: Buffer.alloc(bytes, 97) },
  });
  const options = { journals: path.join(root, 'applies'), trash };
  const failed = applyChanges(
    folder,
    [change('one', 10), change('new', 250_000), change('two', 250_000)],
    options,
  );
  await expect(failed).rejects.toMatchObject({
    code: 'apply.diskFull',
    message: expect.stringContaining('Nothing was changed') as string,
  });
  expect(picture(folder)).toEqual(before);
  expect(statfsSync(folder).bavail).toBe(free);
  expect(trash.list()).toEqual([]);
  // With less of it, it goes.
  expect(await applyChanges(folder, [change('one', 10), change('new', 20_000)], options)).toMatchObject({
    kind: 'applied',
  });
});
