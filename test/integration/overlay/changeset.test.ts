import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readChangeset, type Changeset } from '../../../src/overlay/changeset.ts';
import { closeSelection } from '../../../src/overlay/selection.ts';
import { liveOverlay, type LiveOverlay } from './liveOverlay.ts';

let overlay: LiveOverlay;
const agent = (name: string) => path.join(overlay.merged, name);

beforeEach(async () => {
  overlay = await liveOverlay(lower => {
    const write = (name: string, text: string) => writeFileSync(path.join(lower, name), text);
    for (const folder of ['src', 'old/inner', 'dist', '.git/objects'])
      mkdirSync(path.join(lower, folder), { recursive: true });
    for (const name of ['a', 'b', 'c', 'd', 'e']) write(`src/${name}.js`, `text of ${name}\n`.repeat(3));
    write('old/one', 'one\n');
    write('old/inner/two', 'two\n');
    write('dist/out.js', 'built\n');
    write('.git/config', '[core]\n');
    write('.gitignore', 'dist/\n*.log\n!keep.log\n');
    write('picture', 'PNG\0\x01');
    symlinkSync('src/a.js', path.join(lower, 'link'));
  });
});
afterEach(() => overlay[Symbol.asyncDispose]());

function lines({ changes, groups }: Changeset): string[] {
  return [
    ...changes.map(({ path, kind, before, after, binary, renamed }) =>
      [
        kind,
        path,
        `${before?.kind ?? 'nothing'} → ${after?.kind ?? 'nothing'}`,
        binary ? 'binary' : '',
        renamed ?? '',
      ]
        .filter(part => part !== '')
        .join(' '),
    ),
    ...groups.map(({ kind, name, paths, files }) => `(${kind} ${name}: ${paths.join(' ')}, ${files})`),
  ];
}

test('every sort of change is told for what it is', async () => {
  appendFileSync(agent('src/a.js'), 'more\n');
  chmodSync(agent('src/b.js'), 0o755);
  unlinkSync(agent('src/c.js'));
  renameSync(agent('src/d.js'), agent('src/moved.js'));
  unlinkSync(agent('src/e.js'));
  mkdirSync(agent('src/e.js'));
  writeFileSync(agent('src/e.js/index.js'), 'now a folder\n');
  rmSync(agent('old'), { recursive: true });
  writeFileSync(agent('picture'), 'PNG\0\x02');
  unlinkSync(agent('link'));
  symlinkSync('src/b.js', agent('link'));
  mkdirSync(agent('empty'));
  // Neither is a change: only the times differ.
  utimesSync(agent('.gitignore'), 1, 1);
  expect(lines(await readChangeset(overlay.folder))).toEqual([
    'added empty nothing → directory',
    'modified link symlink → symlink',
    'deleted old directory → nothing',
    'deleted old/inner directory → nothing',
    'deleted old/inner/two file → nothing',
    'deleted old/one file → nothing',
    'modified picture file → file binary',
    'modified src/a.js file → file',
    'mode src/b.js file → file',
    'deleted src/c.js file → nothing',
    'deleted src/d.js file → nothing src/moved.js',
    'replaced src/e.js file → directory',
    'added src/e.js/index.js nothing → file',
    'added src/moved.js nothing → file src/d.js',
  ]);
});

test('outputs, the repository and what is no file are counted, not listed, unless asked for', async () => {
  mkdirSync(agent('dist/sub'));
  for (const name of ['dist/out.js', 'dist/sub/1', 'dist/sub/2', 'x.log', 'src/y.log', 'keep.log'])
    writeFileSync(agent(name), 'new\n');
  writeFileSync(agent('.git/config'), 'evil\n');
  execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', agent('pipe')]);
  expect(lines(await readChangeset(overlay.folder))).toEqual([
    'added keep.log nothing → file',
    '(repository .git: .git, 1)',
    '(ignored dist/: dist, 3)',
    '(special pipe: pipe, 1)',
    '(ignored *.log: src/y.log x.log, 2)',
  ]);
  expect(lines(await readChangeset(overlay.folder, { include: ['dist/sub', 'x.log', '.git'] }))).toEqual([
    'added dist/sub nothing → directory',
    'added dist/sub/1 nothing → file',
    'added dist/sub/2 nothing → file',
    'added keep.log nothing → file',
    'added x.log nothing → file',
    '(repository .git: .git, 1)',
    '(ignored dist/: dist/out.js, 1)',
    '(special pipe: pipe, 1)',
    '(ignored *.log: src/y.log, 1)',
  ]);
});

test("an ignore rule of the agent's own hides what it made, and no change to a file of the user's", async () => {
  appendFileSync(agent('.gitignore'), 'src/\nbuild/\n*.txt\n');
  writeFileSync(agent('src/a.js'), 'changed\n');
  writeFileSync(agent('src/new.js'), 'new\n');
  mkdirSync(agent('build'));
  writeFileSync(agent('build/1'), 'new\n');
  mkdirSync(agent('packages/one/node_modules'), { recursive: true });
  writeFileSync(agent('packages/one/node_modules/1'), 'new\n');
  unlinkSync(agent('src/b.js'));
  expect(lines(await readChangeset(overlay.folder))).toEqual([
    'modified .gitignore file → file',
    'added packages nothing → directory',
    'added packages/one nothing → directory',
    'modified src/a.js file → file',
    'deleted src/b.js file → nothing',
    '(ignored build/: build, 1)',
    '(ignored node_modules/: packages/one/node_modules, 1)',
    '(ignored src/: src/new.js, 1)',
  ]);
});

test('a folder that is replaced as a whole is seen as what it hides', async () => {
  rmSync(agent('src'), { recursive: true });
  mkdirSync(agent('src'));
  writeFileSync(agent('src/a.js'), 'text of a\n'.repeat(3));
  writeFileSync(agent('src/f.js'), 'new\n');
  const wanted = [
    ...['b', 'c', 'd', 'e'].map(name => `deleted src/${name}.js file → nothing`),
    'added src/f.js nothing → file',
  ];
  expect(lines(await readChangeset(overlay.folder))).toEqual(wanted);
  // The same with nothing mounted, and through the view that is.
  expect(lines(await readChangeset(overlay.folder, { merged: overlay.merged }))).toEqual(wanted);
  await overlay.unmount();
  expect(lines(await readChangeset(overlay.folder))).toEqual(wanted);
});

test('what a chosen change needs is chosen with it', async () => {
  mkdirSync(agent('new/inner'), { recursive: true });
  writeFileSync(agent('new/inner/file'), 'x\n');
  writeFileSync(agent('new/other'), 'x\n');
  rmSync(agent('old'), { recursive: true });
  renameSync(agent('src/d.js'), agent('src/moved.js'));
  const { changes } = await readChangeset(overlay.folder);
  const chosen = (...paths: string[]) => closeSelection(changes, new Set(paths)).map(({ path }) => path);
  expect([chosen('new/inner/file'), chosen('old'), chosen('old/one'), chosen('src/moved.js')]).toEqual([
    ['new', 'new/inner', 'new/inner/file'],
    ['old', 'old/inner', 'old/inner/two', 'old/one'],
    ['old/one'],
    ['src/d.js', 'src/moved.js'],
  ]);
});

test('an odd place is no hindrance', async () => {
  await using odd = await liveOverlay(lower => writeFileSync(path.join(lower, 'a,b:c\\d'), 'x\n'));
  writeFileSync(path.join(odd.merged, 'a,b:c\\d'), 'y\n');
  expect(lines(await readChangeset(odd.folder))).toEqual(['modified a,b:c\\d file → file']);
});

test.skipIf(process.getuid?.() === 0)(
  'what may not be read is said to be so (not as root, who may)',
  async () => {
    chmodSync(agent('src/a.js'), 0);
    mkdirSync(agent('closed'));
    chmodSync(agent('closed'), 0);
    expect(lines(await readChangeset(overlay.folder))).toEqual([
      '(unreadable closed: closed, 1)',
      '(unreadable src/a.js: src/a.js, 1)',
    ]);
    chmodSync(agent('closed'), 0o700);
  },
);
