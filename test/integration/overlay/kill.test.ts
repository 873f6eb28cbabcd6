import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import esbuild from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { applyChanges, recoverApplies } from '../../../src/overlay/apply.ts';
import type { DesiredChange } from '../../../src/overlay/applySteps.ts';
import { readChangeset } from '../../../src/overlay/changeset.ts';
import { desiredFor } from '../../../src/overlay/desired.ts';
import { openTrash } from '../../../src/store/trash.ts';
import { liveOverlay, type LiveOverlay } from './liveOverlay.ts';
import { openUp, picture } from './operations.ts';
import * as scene from './scene.ts';
import { scratch } from './scratch.ts';

let overlay: LiveOverlay;
let desired: DesiredChange[];
let cut: string[];
let whole: string[];
let root: string;
let count = 0;

beforeAll(async () => {
  overlay = await liveOverlay(scene.before);
  scene.change(overlay.merged);
  whole = picture(overlay.merged);
  cut = picture(overlay.folder.lower);
  const { changes } = await readChangeset(overlay.folder);
  desired = changes.map(change => desiredFor(overlay.folder, change));
});
afterAll(() => overlay[Symbol.asyncDispose]());
beforeEach(() => void (root = scratch('kill')));
afterEach(() => {
  openUp(root);
  rmSync(root, { recursive: true, force: true });
});

/** A new user's folder as it was before, and changes that expect just that one. */
async function again(): Promise<{ folder: string; state: string; changes: DesiredChange[] }> {
  const [folder, state] = [path.join(root, `real${++count}`), path.join(root, `state${count}`)];
  mkdirSync(folder);
  scene.before(folder);
  const { changes } = await readChangeset({ lower: folder, upper: overlay.folder.upper });
  const again = changes.map(change => desiredFor(overlay.folder, change));
  expect(again.map(each => each.path)).toEqual(desired.map(each => each.path));
  return { folder, state, changes: again };
}

class Killed extends Error {}

/** Lets so many effects happen; then nothing happens any more, as if the process had been killed. */
function killedAfter(effects: number): { before: () => void; count: () => number } {
  let seen = 0;
  return {
    before: () => {
      if (++seen > effects) throw new Killed();
    },
    count: () => seen,
  };
}

function options(state: string, before?: () => void) {
  const trash = openTrash(path.join(state, 'trash'));
  return { journals: path.join(state, 'applies'), trash, ...(before ? { before } : {}) };
}

function strays(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.includes('.cordon-'));
}

test('an apply that is killed before any of its effects is finished or undone at the next start', async () => {
  const ends = { cut: 0, whole: 0 };
  for (let effects = 0; ; effects++) {
    const { folder, state, changes } = await again();
    const killed = killedAfter(effects);
    const first = options(state, killed.before);
    const result = await applyChanges(folder, changes, first).catch((error: unknown) => error);
    first.trash[Symbol.dispose]();
    using next = options(state).trash;
    await recoverApplies({ journals: path.join(state, 'applies'), trash: next });
    const found = picture(folder);
    expect([cut, whole]).toContainEqual(found);
    expect(strays(folder)).toEqual([]);
    expect(readdirSync(path.join(state, 'applies'))).toEqual(['lock.db']);
    // What was overwritten or deleted is in the trash just when it was.
    const isWhole = found.join() === whole.join();
    expect(next.list().length > 0).toBe(isWhole);
    ends[isWhole ? 'whole' : 'cut']++;
    if (!(result instanceof Error)) break;
  }
  expect(ends.cut).toBeGreaterThan(20);
  expect(ends.whole).toBeGreaterThan(40);
}, 240_000);

test('a recovery that is killed as well is taken up by the one after it', async () => {
  for (let effects = 30; effects < 90; effects += 7) {
    for (let more = 0; more < 40; more += 5) {
      const { folder, state, changes } = await again();
      for (const kill of [effects, more]) {
        const killed = options(state, killedAfter(kill).before);
        await (kill === effects ? applyChanges(folder, changes, killed) : recoverApplies(killed)).catch(
          (error: unknown) => error,
        );
        killed.trash[Symbol.dispose]();
      }
      const last = options(state);
      await recoverApplies(last);
      last.trash[Symbol.dispose]();
      expect([cut, whole]).toContainEqual(picture(folder));
      expect(strays(folder)).toEqual([]);
      openUp(folder);
      rmSync(folder, { recursive: true });
    }
  }
}, 240_000);

test('a process that is really killed, at any moment, leaves nothing half done', async () => {
  const cache = path.resolve('node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  // Inside node_modules, so that the bundle finds the native module as an installed extension would.
  const built = mkdtempSync(path.join(cache, 'apply-'));
  const program = path.join(built, 'applier.mjs');
  await esbuild.build({
    entryPoints: ['test/integration/overlay/applier.ts'],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['better-sqlite3'],
    logLevel: 'error',
  });
  try {
    const signals: (string | null)[] = [];
    const points = Number(process.env['CORDON_KILLS'] ?? 24);
    for (let point = 0; point < points; point++) {
      const { folder, state } = await again();
      const args = [
        program,
        folder,
        overlay.folder.upper,
        state,
        String(1 + Math.floor((point * 130) / points)),
      ];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
      const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
      const last = options(state);
      await recoverApplies(last);
      last.trash[Symbol.dispose]();
      expect([cut, whole]).toContainEqual(picture(folder));
      expect(strays(folder)).toEqual([]);
      signals.push(signal);
    }
    // The last points lie behind the end of a whole apply.
    expect(signals.filter(signal => signal === 'SIGKILL').length).toBeGreaterThan(points / 2);
  } finally {
    rmSync(built, { recursive: true });
  }
}, 240_000);
