import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findProgram } from '../../../sandbox/facts.ts';
import { openSandbox, type Sandbox } from '../../../sandbox/sandbox.ts';
import { openOverlay, type Overlay } from '../../../src/overlay/overlay.ts';
import { tasks, type Task } from './everydayTasks.ts';

// Ordinary work goes on inside, and what cannot is told why.

let root: string;
let overlay: Overlay;
let sandbox: Sandbox;

beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'cordon-everyday-')));
  const folders = [join(root, 'work')];
  mkdirSync(join(root, 'home'));
  mkdirSync(join(root, 'work'));
  writeFileSync(join(root, 'home/.gitconfig'), '[user]\n\tname = Somebody\n\temail = somebody@example.com\n');
  const bwrap = findProgram('bwrap', process.env['PATH'], []) ?? '';
  overlay = await openOverlay({ directory: join(root, 'view'), folders, bwrap, dropAtEnd: true });
  sandbox = await openSandbox({ folders, stateDirectory: join(root, 'state'), copyOnWrite: overlay.view });
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  await overlay[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

for (const [at, task] of tasks.entries()) {
  const missing = task.needs.filter(program => !isHere(program));
  test.skipIf(missing.length > 0)(
    `one can ${task.name}${missing.length > 0 ? ` (${missing.join(', ')} is not here)` : ''}`,
    async () => {
      const identity =
        'git config --global user.name Somebody; git config --global user.email somebody@example.com';
      const folder = join(root, 'work', `task-${at}`);
      mkdirSync(folder);
      if (task.before !== undefined)
        execFileSync('bash', ['-ec', task.before], { cwd: folder, env: hostEnvironment() });
      const started = await sandbox.launch({
        argv: ['bash', '-c', `${identity}; cd task-${at}; ${task.script}`],
        cwd: join(root, 'work'),
        writableFolders: [],
        view: 'system',
        stdin: 'ignore',
        timeout: 50_000,
      });
      const [output, errors] = await Promise.all([
        text(started.stdout),
        text(started.stderr),
        started.exited,
      ]);
      expect(`${output}${errors}`).toMatch(task.prints);
    },
  );
}

/** Nothing of who runs these tests. */
function hostEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: join(root, 'home'), GIT_CONFIG_NOSYSTEM: '1' };
}

/** What a view cannot do is told in the words of the programs that are here. */
const refusals: readonly (Omit<Task, 'prints'> & {
  /** What a failed command is explained by, in that folder. */
  readonly told: (folder: string) => unknown;
})[] = [
  {
    name: 'git renames a folder that was there before',
    needs: ['git'],
    before: `git init -q; mkdir d; echo 1 > d/f; git add .`,
    script: `git mv d e`,
    told: folder => ({ kind: 'notCopied', path: join(folder, 'd'), why: 'folder' }),
  },
  {
    name: 'node renames a folder that was there before',
    needs: ['node'],
    before: `mkdir d; echo 1 > d/f`,
    script: `node -e 'require("fs").renameSync("d", "e")'`,
    told: folder => ({ kind: 'notCopied', path: join(folder, 'd'), why: 'folder' }),
  },
  {
    name: 'git clones a repository that was there before',
    needs: ['git'],
    before: `git init -q r; git -C r -c user.name=A -c user.email=a@b.c commit -q --allow-empty -m one`,
    script: `git clone -q r s`,
    told: folder => ({ kind: 'notCopied', path: expect.stringContaining(folder), why: 'link' }),
  },
  {
    name: 'strace traces a program',
    needs: ['strace'],
    script: `strace -f true`,
    told: () => ({ kind: 'tracing' }),
  },
];

for (const [at, task] of refusals.entries()) {
  const missing = task.needs.filter(program => !isHere(program));
  test.skipIf(missing.length > 0)(`one is told why when ${task.name}`, async () => {
    const folder = join(root, 'work', `refusal-${at}`);
    mkdirSync(folder);
    if (task.before !== undefined)
      execFileSync('bash', ['-ec', task.before], { cwd: folder, env: hostEnvironment() });
    const request = { cwd: folder, writableFolders: [] };
    const started = await sandbox.launch({
      argv: ['bash', '-c', task.script],
      ...request,
      view: 'system',
      stdin: 'ignore',
      timeout: 50_000,
    });
    const [errors] = await Promise.all([text(started.stderr), text(started.stdout), started.exited]);
    const [told] = sandbox.explain?.(errors, request) ?? [];
    expect(told).toEqual(task.told(folder));
  });
}

function isHere(program: string): boolean {
  try {
    execFileSync('/bin/sh', ['-c', 'command -v "$1"', 'x', program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function text(stream: NodeJS.ReadableStream | null): Promise<string> {
  const chunks: string[] = [];
  for await (const chunk of stream ?? []) chunks.push(String(chunk));
  return chunks.join('');
}
