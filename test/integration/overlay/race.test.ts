import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyChanges } from '../../../src/overlay/apply.ts';
import type { DesiredChange } from '../../../src/overlay/applySteps.ts';
import { readChangeset } from '../../../src/overlay/changeset.ts';
import { Checkpoints } from '../../../src/overlay/checkpoints.ts';
import { readUpper } from '../../../src/overlay/content.ts';
import { desiredFor } from '../../../src/overlay/desired.ts';
import { openOverlayRecord } from '../../../src/overlay/overlayRecord.ts';
import { readEntry } from '../../../src/overlay/entry.ts';
import { openTrash, type Trash } from '../../../src/store/trash.ts';
import { scratch } from './scratch.ts';

// A user who saves all the time: in place, as most editors do, and by renaming, as the others do. Each save says its
// number before and after; the last number is the one that must not be lost.
const saver = `
const fs = require('node:fs');
const [file, style] = process.argv.slice(1);
let number = 0, going = true;
process.stdin.on('data', () => { going = false; });
const save = () => {
  number++;
  const text = 'user ' + number + '\\n';
  if (style === 'in place') fs.writeFileSync(file, text);
  else { fs.writeFileSync(file + '.tmp', text); fs.renameSync(file + '.tmp', file); }
  if (number === 1) console.log('saving');
  if (!going) { console.log(number); process.exit(0); }
  // Bursts, and pauses in which an apply may come through.
  setTimeout(save, number % 5 === 0 ? 60 : 0);
};
save();`;

let root: string;
let trash: Trash;
beforeEach(() => {
  root = scratch('race');
  trash = openTrash(path.join(root, 'trash'));
});
afterEach(() => {
  trash[Symbol.dispose]();
  rmSync(root, { recursive: true });
});

test.each(['in place', 'by renaming'])('a save %s is never lost to an apply', async style => {
  const folder = path.join(root, 'real');
  mkdirSync(folder);
  const file = path.join(folder, 'file.txt');
  const ends = { applied: 0, blocked: 0 };
  for (let round = 0; round < 12; round++) {
    writeFileSync(file, 'before\n');
    writeFileSync(path.join(folder, 'other.txt'), 'before\n');
    const user = spawn(process.execPath, ['-e', saver, file, style], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface(user.stdout);
    await once(lines, 'line');
    for (let attempt = 0; attempt < 8; attempt++) {
      const change = (name: string): DesiredChange => ({
        path: name,
        expected: readEntry(path.join(folder, name)) ?? null,
        desired: { kind: 'file', mode: 0o644, content: Buffer.from(`agent ${attempt}\n`) },
      });
      const both = [change('file.txt'), change('other.txt')];
      const result = await applyChanges(folder, both, { journals: path.join(root, 'applies'), trash });
      ends[result.kind]++;
      // Of two files that are changed together, never one alone.
      const other = readFileSync(path.join(folder, 'other.txt'), 'utf8');
      expect(other === `agent ${attempt}\n`).toBe(result.kind === 'applied');
    }
    const last = once(lines, 'line');
    user.stdin.write('stop');
    const [number] = (await last) as [string];
    const wanted = `user ${number}\n`;
    const thrown = trash.list(folder).find(item => item.path === 'file.txt');
    const kept = [readFileSync(file, 'utf8'), thrown ? readFileSync(trash.contentPath(thrown), 'utf8') : ''];
    expect(kept).toContain(wanted);
  }
  expect(ends.applied + ends.blocked).toBe(96);
});

// An agent that swaps a folder for a link to the user's secrets, and back, without a pause. In the upper layer itself,
// where it is quicker than it could be through the overlay.
const swapper = `
const fs = require('node:fs');
const [upper, secrets] = process.argv.slice(1);
fs.symlinkSync(secrets, upper + '/link');
process.stdout.write('ready');
for (;;) {
  try { fs.renameSync(upper + '/folder', upper + '/aside'); } catch {}
  try { fs.renameSync(upper + '/link', upper + '/folder'); } catch {}
  try { fs.renameSync(upper + '/folder', upper + '/link'); } catch {}
  try { fs.renameSync(upper + '/aside', upper + '/folder'); } catch {}
}`;

test('a folder that the agent swaps for a link never shows what lies outside', async () => {
  const secrets = path.join(root, 'secrets');
  const [lower, upper] = [path.join(root, 'lower'), path.join(root, 'layers/upper')];
  for (const each of [secrets, lower, path.join(upper, 'folder')]) mkdirSync(each, { recursive: true });
  writeFileSync(path.join(secrets, 'key'), 'TOP SECRET\n');
  for (const name of ['key', 'a', 'b']) writeFileSync(path.join(upper, 'folder', name), 'harmless\n');
  const attacker = spawn(process.execPath, ['-e', swapper, upper, secrets], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(attacker.stdout, 'data');
  const folder = { lower, upper };
  const record = openOverlayRecord(upper);
  let seen = 0;
  try {
    for (let time = 0; time < 120; time++) {
      const { changes } = await readChangeset(folder).catch(() => ({ changes: [] }));
      const listed = changes.filter(change => change.after && change.path.endsWith('/key'));
      seen += listed.length;
      for (const change of listed) {
        expect(change.after).toMatchObject({ size: 9 });
        const content = await readUpper(folder, change.path).catch(() => undefined);
        expect(String(content ?? 'harmless\n')).toBe('harmless\n');
      }
      if (time % 30 > 0) continue;
      await new Checkpoints(folder, record).take('t').catch(() => undefined);
      const desired = changes.map(change => desiredFor(folder, change));
      const options = { journals: path.join(root, 'applies'), trash };
      await applyChanges(lower, desired, options).catch(() => undefined);
    }
    expect(seen).toBeGreaterThan(0);
    const kept = execFileSync('grep', ['-rlc', 'TOP SECRET', lower, path.join(root, 'layers/contents')], {
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString();
    expect(kept).toBe('');
  } catch (error) {
    // `grep` says with status 1 that it found nothing.
    if ((error as { status?: number }).status !== 1) throw error;
  } finally {
    attacker.kill('SIGKILL');
    await once(attacker, 'exit');
    record[Symbol.dispose]();
  }
});
