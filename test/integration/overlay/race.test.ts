import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyChanges } from '../../../src/overlay/apply.ts';
import type { DesiredChange } from '../../../src/overlay/applySteps.ts';
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
