// A change of every sort, made twice: as a folder before, and as the folder after it.
import { chmodSync, mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export function before(folder: string): void {
  const write = writer(folder);
  for (const each of ['src/deep', 'old/inner', 'turned', 'closed', 'kept'])
    mkdirSync(path.join(folder, each), { recursive: true });
  write('readme.md', 'one\ntwo\n');
  write('src/main.js', 'console.log(1)\n');
  write('src/deep/gone.js', 'gone\n');
  write('src/deep/stays.js', 'stays\n');
  write('old/a.txt', 'a\n');
  write('old/inner/b.txt', 'b\n');
  write('turned/was-in-a-folder.txt', 'x\n');
  write('becomes-folder', 'a file\n');
  write('tool.sh', '#!/bin/sh\n');
  write('read-only.txt', 'do not touch\n');
  write('closed/file.txt', 'in a folder that nobody may write\n');
  write('kept/same.txt', 'untouched\n');
  chmodSync(path.join(folder, 'read-only.txt'), 0o444);
  chmodSync(path.join(folder, 'closed'), 0o555);
  symlinkSync('readme.md', path.join(folder, 'link'));
}

export function change(folder: string): void {
  const write = writer(folder);
  write('readme.md', 'one\ntwo\nthree\n');
  write('src/main.js', 'console.log(2)\n');
  unlinkSync(path.join(folder, 'src/deep/gone.js'));
  rmSync(path.join(folder, 'old'), { recursive: true });
  rmSync(path.join(folder, 'turned'), { recursive: true });
  write('turned', 'now a file\n');
  unlinkSync(path.join(folder, 'becomes-folder'));
  mkdirSync(path.join(folder, 'becomes-folder/inner'), { recursive: true });
  write('becomes-folder/inner/file.txt', 'in a folder\n');
  chmodSync(path.join(folder, 'tool.sh'), 0o755);
  chmodSync(path.join(folder, 'read-only.txt'), 0o644);
  write('read-only.txt', 'touched\n');
  chmodSync(path.join(folder, 'read-only.txt'), 0o444);
  chmodSync(path.join(folder, 'closed'), 0o755);
  write('closed/file.txt', 'written all the same\n');
  write('closed/new.txt', 'and a new one\n');
  chmodSync(path.join(folder, 'closed'), 0o555);
  unlinkSync(path.join(folder, 'link'));
  symlinkSync('src/main.js', path.join(folder, 'link'));
  mkdirSync(path.join(folder, 'new/empty'), { recursive: true });
  write('new/file with space.txt', 'new\n');
}

function writer(folder: string): (file: string, text: string) => void {
  return (file, text) => writeFileSync(path.join(folder, file), text);
}
