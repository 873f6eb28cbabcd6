import { execa } from 'execa';
import esbuild from 'esbuild';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { removeTree } from '../../../src/base/removeTree.ts';
import { picture } from './operations.ts';

let built: string;
let program: string;
let root: string;
let workspace: string;

beforeAll(async () => {
  // Inside node_modules, so that the bundle finds the native module as an installed extension would.
  const cache = path.resolve('node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  built = mkdtempSync(path.join(cache, 'changes-'));
  program = path.join(built, 'cli.cjs');
  await esbuild.build({
    entryPoints: ['src/cli/main.ts'],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    // Its main file is UMD, which a bundler cannot follow.
    alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
    external: ['better-sqlite3', '@vscode/ripgrep'],
    define: { 'import.meta.url': '__importMetaUrl' },
    banner: { js: "const __importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
    logLevel: 'error',
  });
});
afterAll(() => rmSync(built, { recursive: true, force: true }));

beforeEach(() => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), 'cordon-changes-')));
  workspace = path.join(root, 'work space');
  mkdirSync(path.join(workspace, 'src'), { recursive: true });
  writeFileSync(path.join(workspace, 'src/slug.js'), 'one\ntwo\nthree\n');
  writeFileSync(path.join(workspace, 'old.txt'), 'a text that moves\n');
  writeFileSync(path.join(workspace, 'package.json'), '{}\n');
  writeFileSync(path.join(workspace, '.gitignore'), 'node_modules/\n');
});
afterEach(() => removeTree(root));

async function cordon(...words: string[]) {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [program, ...words], {
    cwd: workspace,
    env: { ...process.env, XDG_STATE_HOME: path.join(root, 'state') },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
  });
  return { exitCode, stdout, stderr };
}

/** What an agent would do: an edit, a rename, a protected file, ignored outputs. */
async function work(session = 'demo'): Promise<void> {
  const script = `sed -i s/two/TWO/ src/slug.js
    mv old.txt new.txt
    echo '{"scripts":{"test":"evil"}}' > package.json
    mkdir -p node_modules/x && touch node_modules/x/1 node_modules/x/2
    mkdir .vscode && echo '{}' > .vscode/tasks.json`;
  const done = await cordon('sandbox', '--session', session, '--', 'sh', '-c', script);
  expect(done).toEqual({ exitCode: 0, stdout: '', stderr: '' });
}

test('a session is reviewed, applied without what is protected, and undone from the trash', async () => {
  const before = picture(workspace);
  await work();
  expect(picture(workspace)).toEqual(before);

  const review = await cordon('review');
  expect(review).toEqual({
    exitCode: 0,
    stderr: '',
    stdout: `Session demo, ${workspace}: 6 changes
! added     .vscode/
            protected: it can make the editor run a task, a debugger or another program. Name it by itself to apply it.
! added     .vscode/tasks.json  (+1 −0)
            protected: it can make the editor run a task, a debugger or another program. Name it by itself to apply it.
  added     new.txt  (was old.txt)
  deleted   old.txt  (moved to new.txt)
! modified  package.json  (+1 −1)
            protected: it holds scripts that package managers run. Name it by itself to apply it.
  modified  src/slug.js  (+1 −1)
  stays     node_modules/  (2 files; outputs; name them to apply them)`,
  });
  expect((await cordon('review', 'src')).stdout).toContain('-two\n+TWO\n');

  expect(await cordon('apply')).toMatchObject({ exitCode: 2 });
  expect(picture(workspace)).toEqual(before);

  const applied = await cordon('apply', '--yes', '--json');
  expect(applied).toMatchObject({ exitCode: 0, stderr: '' });
  expect(JSON.parse(applied.stdout)).toMatchObject({
    session: 'demo',
    folder: workspace,
    applied: ['new.txt', 'old.txt', 'src/slug.js'],
    conflicts: [],
    heldBack: [{ path: '.vscode' }, { path: '.vscode/tasks.json' }, { path: 'package.json' }],
  });
  const text = (file: string) => readFileSync(path.join(workspace, file), 'utf8');
  expect([text('src/slug.js'), text('new.txt'), text('package.json')]).toEqual([
    'one\nTWO\nthree\n',
    'a text that moves\n',
    '{}\n',
  ]);

  // What is left is only what was held back; named by itself, it is applied.
  const left = JSON.parse((await cordon('review', '--json')).stdout) as {
    folders: { changes: { path: string }[] }[];
  };
  expect(left.folders[0]?.changes.map(change => change.path)).toEqual([
    '.vscode',
    '.vscode/tasks.json',
    'package.json',
  ]);
  expect(await cordon('apply', '--yes', 'package.json')).toMatchObject({
    exitCode: 0,
    stdout: `Applied 1 change to ${workspace}.`,
  });
  expect(text('package.json')).toContain('evil');

  const trash = JSON.parse((await cordon('trash', 'list', '--json')).stdout) as {
    id: number;
    path: string;
  }[];
  expect(trash.map(item => item.path).sort()).toEqual(['old.txt', 'package.json', 'src/slug.js']);
  expect(await cordon('trash', 'restore', '--yes', 'src/slug.js', 'package.json')).toMatchObject({
    exitCode: 0,
  });
  expect([text('src/slug.js'), text('package.json')]).toEqual(['one\ntwo\nthree\n', '{}\n']);
  // And that can be undone.
  const again = JSON.parse((await cordon('trash', 'list', '--json')).stdout) as {
    id: number;
    path: string;
  }[];
  const newest = again.find(item => item.path === 'src/slug.js');
  expect(await cordon('trash', 'restore', '--yes', String(newest?.id))).toMatchObject({ exitCode: 0 });
  expect(text('src/slug.js')).toBe('one\nTWO\nthree\n');
});

test('a part is discarded and the rest stays; then all of it', async () => {
  const before = picture(workspace);
  await work('first');
  await work('second');
  expect(await cordon('discard', '--session', 'first', 'package.json', 'node_modules')).toMatchObject({
    exitCode: 0,
    stdout: 'Discarded 2 changes.',
  });
  const review = await cordon('review', '--session', 'first');
  expect(review.stdout).toContain('5 changes');
  expect(review.stdout).not.toContain('package.json');
  expect(review.stdout).not.toContain('node_modules');
  expect(await cordon('discard', '--session', 'first')).toMatchObject({ exitCode: 0 });
  expect((await cordon('review', '--session', 'first')).stdout).toBe(
    `Session first, ${workspace}: 0 changes`,
  );
  expect((await cordon('review', '--session', 'second')).stdout).toContain('6 changes');
  expect(picture(workspace)).toEqual(before);
  // The session goes on from there.
  const shown = await cordon('sandbox', '--session', 'first', '--', 'cat', 'src/slug.js');
  expect(shown).toMatchObject({ exitCode: 0, stdout: 'one\ntwo\nthree' });
});

test('a file that the user changed as well is not overwritten', async () => {
  await work();
  writeFileSync(path.join(workspace, 'src/slug.js'), 'one\nzwei\nthree\n');
  const applied = await cordon('apply', '--yes');
  expect(applied).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringContaining(
      'conflict  src/slug.js  (you changed it too, in the same lines)',
    ) as string,
  });
  expect(readFileSync(path.join(workspace, 'src/slug.js'), 'utf8')).toBe('one\nzwei\nthree\n');
  expect(await cordon('apply', '--yes', 'new.txt')).toMatchObject({ exitCode: 0 });
});

test('a folder that was deleted comes back whole from the trash, by the id of its apply', async () => {
  const folder = path.join(workspace, 'tree');
  mkdirSync(path.join(folder, 'empty/inner'), { recursive: true });
  writeFileSync(path.join(folder, 'tool.sh'), '#!/bin/sh\n', { mode: 0o755 });
  symlinkSync('tool.sh', path.join(folder, 'link'));
  chmodSync(path.join(folder, 'empty'), 0o700);
  const before = picture(workspace);
  await cordon('sandbox', '--session', 'demo', '--', 'rm', '-r', 'tree');
  const { stdout } = await cordon('apply', '--yes', '--json');
  const { trash, applied } = JSON.parse(stdout) as { trash: string; applied: string[] };
  expect(applied).toEqual(['tree', 'tree/empty', 'tree/empty/inner', 'tree/link', 'tree/tool.sh']);
  expect(existsSync(folder)).toBe(false);
  expect(await cordon('trash', 'restore', '--yes', trash)).toMatchObject({ exitCode: 0 });
  expect(picture(workspace)).toEqual(before);
});

test('a session or path that is not there is said plainly', async () => {
  expect(await cordon('review')).toMatchObject({
    exitCode: 1,
    stderr: `cordon: No session of ${workspace} was kept. Those of "cordon run" and of "cordon sandbox --session ID" are kept.`,
  });
  await work();
  expect(await cordon('review', '--session', 'other')).toMatchObject({
    exitCode: 1,
    stderr: 'cordon: There is no session "other" of this workspace. There is: demo.',
  });
  expect(await cordon('apply', '--yes', 'src/nothing.js')).toMatchObject({
    exitCode: 1,
    stderr: 'cordon apply: nothing was changed at src/nothing.js.',
  });
  expect(await cordon('trash', 'restore', '--yes', 'nothing')).toMatchObject({ exitCode: 1 });
});
