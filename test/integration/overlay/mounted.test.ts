import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import esbuild from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { removeTree } from '../../../src/base/removeTree.ts';
import { openOverlayCopy } from '../../../src/session/changes/openOverlayCopy.ts';
import type { WorkingCopy } from '../../../src/session/changes/workingCopy.ts';
import { openUp, picture } from './operations.ts';
import * as scene from './scene.ts';
import { scratch } from './scratch.ts';

// The engine as conversations use it: on its thread, over a view that stays mounted.

let built: string;
let worker: string;
beforeAll(async () => {
  const cache = path.resolve('node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  // Inside node_modules, so that the bundles find the native module as an installed extension would.
  built = mkdtempSync(path.join(cache, 'mounted-'));
  execFileSync(process.execPath, ['esbuild.mjs', '--only', 'changes-worker', '--out', path.join(built, 'w')]);
  worker = path.join(built, 'w/changes-worker.cjs');
  await esbuild.build({
    entryPoints: ['test/integration/overlay/copyBroker.ts'],
    outfile: path.join(built, 'broker.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['better-sqlite3'],
    logLevel: 'error',
  });
});
afterAll(() => rmSync(built, { recursive: true }));

let root: string;
beforeEach(() => void (root = scratch('mounted')));
afterEach(() => {
  openUp(root);
  removeTree(root);
});

function opened(lower: string, state: string): Promise<WorkingCopy> {
  return openOverlayCopy({
    directory: path.join(state, 'copy'),
    folders: [lower],
    bwrap: '/usr/bin/bwrap',
    journals: path.join(state, 'applies'),
    trash: path.join(state, 'trash'),
    worker,
  });
}

// Counts up in a file, in place or by renaming, until it is told to stop; then says how far it came.
const counter = `
const fs = require('node:fs');
const [file, style, who] = process.argv.slice(1);
let number = 0, going = true;
process.stdin.on('data', () => { going = false; });
const save = () => {
  number++;
  const text = who + ' ' + number + '\\n';
  if (style === 'in place') fs.writeFileSync(file, text);
  else { fs.writeFileSync(file + '.tmp', text); fs.renameSync(file + '.tmp', file); }
  if (number === 1) console.log('saving');
  if (!going) { console.log(number); process.exit(0); }
  setTimeout(save, number % 7 === 0 ? 12 : 0);
};
save();`;

function startCounting(file: string, style: string, who: string) {
  const child = spawn(process.execPath, ['-e', counter, file, style, who], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout);
  return {
    saving: once(lines, 'line'),
    async stop(): Promise<string> {
      const last = once(lines, 'line');
      child.stdin.write('stop');
      const [number] = (await last) as [string];
      await once(child, 'exit');
      return `${who} ${number}\n`;
    },
  };
}

test.each(['in place', 'by renaming'])(
  'what commands write %s while it is accepted is not lost, and neither is what the user saves',
  async style => {
    const [lower, state] = [path.join(root, 'real'), path.join(root, 'state')];
    for (const each of [lower, state]) mkdirSync(each);
    for (const name of ['agent.txt', 'user.txt', 'steady.txt'])
      writeFileSync(path.join(lower, name), 'before\n');
    await using copy = await opened(lower, state);
    const merged = `/proc/${copy.view?.holder}/root${lower}`;
    const real = (name: string) => readFileSync(path.join(lower, name), 'utf8');
    const ends = { accepted: 0, obstructed: 0 };
    for (let round = 0; round < 6; round++) {
      await copy.refresh();
      const agent = startCounting(path.join(merged, 'agent.txt'), style, `agent ${round}`);
      const user = startCounting(path.join(lower, 'user.txt'), style, `user ${round}`);
      await Promise.all([agent.saving, user.saving]);
      writeFileSync(path.join(merged, 'steady.txt'), `steady ${round}\n`);
      for (let attempt = 0; attempt < 6; attempt++) {
        const choices = ['agent.txt', 'steady.txt'].map(name => ({ folder: lower, path: name }));
        ends[(await copy.changes.accept(choices)).kind]++;
      }
      const [written, saved] = await Promise.all([agent.stop(), user.stop()]);
      // The view holds what was written last, whatever was taken over on the way, and through a refresh.
      expect(readFileSync(path.join(merged, 'agent.txt'), 'utf8')).toBe(written);
      await copy.refresh();
      expect(readFileSync(path.join(merged, 'agent.txt'), 'utf8')).toBe(written);
      const [review] = await copy.changes.review();
      const waiting = (review?.changes ?? []).map(({ folder, path: inner }) => ({ folder, path: inner }));
      expect(await copy.changes.accept(waiting)).toMatchObject({ kind: 'accepted' });
      expect([real('agent.txt'), real('user.txt'), real('steady.txt')]).toEqual([
        written,
        saved,
        `steady ${round}\n`,
      ]);
    }
    expect(ends.accepted + ends.obstructed).toBe(36);
  },
  120_000,
);

test('a broker that is killed while it accepts leaves nothing half done, and what was not taken over waits', async () => {
  const ends = { cut: 0, whole: 0 };
  const whole = path.join(root, 'whole');
  mkdirSync(whole);
  scene.before(whole);
  const cutPicture = picture(whole);
  scene.change(whole);
  const wholePicture = picture(whole);
  for (let point = 0; point < 14; point++) {
    const [lower, state] = [path.join(root, `real${point}`), path.join(root, `state${point}`)];
    for (const each of [lower, state]) mkdirSync(each);
    scene.before(lower);
    await wait(15);
    const broker = spawn(process.execPath, [path.join(built, 'broker.mjs'), lower, state, worker, 'first'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exit = once(broker, 'exit');
    await once(createInterface(broker.stdout), 'line');
    await wait(point * 12);
    broker.kill('SIGKILL');
    await exit;

    // Opening the copy brings the apply to its end before anything is read.
    const again = await opened(lower, state);
    const [review] = await again.changes.review();
    const found = picture(lower);
    expect([cutPicture, wholePicture]).toContainEqual(found);
    const isWhole = found.join() === wholePicture.join();
    ends[isWhole ? 'whole' : 'cut']++;
    expect((review?.changes ?? []).length > 0).toBe(!isWhole);
    const choices = (review?.changes ?? []).map(({ folder, path: inner }) => ({
      folder,
      path: inner,
      isConfirmed: true,
    }));
    expect(await again.changes.accept(choices)).toMatchObject({ kind: 'accepted' });
    expect(picture(lower)).toEqual(wholePicture);
    await again[Symbol.asyncDispose]();
    const strays = readdirSync(lower, { recursive: true, encoding: 'utf8' });
    expect(strays.filter(name => name.includes('.cordon-'))).toEqual([]);
    expect(existsSync(path.join(state, 'applies'))).toBe(true);
  }
  expect(ends.cut + ends.whole).toBe(14);
}, 240_000);
