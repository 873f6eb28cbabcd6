import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSandbox, type LaunchRequest, type Sandbox } from '../../../sandbox/sandbox.ts';
import { openOverlay, type Overlay } from '../../../src/overlay/overlay.ts';

let root: string;
let workspace: string;
let overlay: Overlay | undefined;
let sandbox: Sandbox;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'cordon-late-')));
  workspace = join(root, 'workspace');
  put('deep/down/file', '');
});
afterEach(async () => {
  await sandbox[Symbol.asyncDispose]();
  await overlay?.[Symbol.asyncDispose]();
  overlay = undefined;
  rmSync(root, { recursive: true, force: true });
});

function put(name: string, content: string): void {
  mkdirSync(dirname(join(workspace, name)), { recursive: true });
  writeFileSync(join(workspace, name), content);
}

async function open(kind: 'copy-on-write' | 'direct'): Promise<void> {
  const folders = [workspace];
  if (kind === 'copy-on-write')
    overlay = await openOverlay({
      directory: join(root, 'view'),
      folders,
      bwrap: '/usr/bin/bwrap',
      dropAtEnd: true,
    });
  const copyOnWrite = overlay === undefined ? {} : { copyOnWrite: overlay.view };
  sandbox = await openSandbox({ folders, stateDirectory: join(root, 'state'), ...copyOnWrite });
}

function request(script: string, more: Partial<LaunchRequest> = {}): LaunchRequest {
  const argv: LaunchRequest['argv'] = ['bash', '-c', script];
  return { argv, cwd: workspace, writableFolders: [], view: 'system', stdin: 'ignore', ...more };
}

async function output(script: string, more: Partial<LaunchRequest> = {}): Promise<string> {
  const started = await sandbox.launch(request(script, more));
  const said = listen(started);
  await Promise.all([started.exited, said.ended]);
  return said.text();
}

function listen({ stdout, stderr }: Awaited<ReturnType<Sandbox['launch']>>) {
  let text = '';
  for (const stream of [stdout, stderr])
    stream?.on('data', (chunk: Buffer) => void (text += chunk.toString()));
  const until = async (pattern: RegExp) => {
    while (!pattern.test(text)) await new Promise(resolve => setTimeout(resolve, 10));
  };
  const ended = Promise.all([stdout, stderr].map(async stream => stream && (await once(stream, 'close'))));
  return { text: () => text, until, ended };
}

/** Reads a file over and over, as a server does that takes in its settings anew. */
const reader = (name: string) => `echo ready; while :; do cat ${name} 2>&1; sleep 0.02; done`;

describe.each(['copy-on-write', 'direct'] as const)('in a %s view, a running command', kind => {
  test.each([
    ['.env', ''],
    ['deep/down/server.pem', ''],
    ['new/folder/.env.local', ''],
    ['.env', 'there before'],
  ])('soon cannot read %s, made by the user (%s)', async (name, before) => {
    if (before !== '') put(name, before);
    await open(kind);
    const started = await sandbox.launch(
      request(before === '' ? `sleep 0.3; ${reader(name)}` : reader(name)),
    );
    const said = listen(started);
    await said.until(before === '' ? /^/ : /ready/);
    await new Promise(resolve => setTimeout(resolve, 150));
    // As editors save.
    put(`${name}~`, 'SECRET');
    renameSync(join(workspace, `${name}~`), join(workspace, name));
    await said.until(/Permission denied/);
    await new Promise(resolve => setTimeout(resolve, 300));
    const after = said.text().slice(said.text().lastIndexOf('Permission denied'));
    expect(after).not.toContain('SECRET');
    await started.kill();
  });

  test('hinders no other one that the user allowed the file by name', async () => {
    await open(kind);
    const started = await sandbox.launch(request(`sleep 0.3; ${reader('.env')}`));
    const said = listen(started);
    put('.env', 'SECRET');
    await said.until(/Permission denied/);
    const allowedPaths = [join(workspace, '.env')];
    expect(await output('cat .env', { allowedPaths })).toBe('SECRET');
    // And it is covered again afterwards.
    const length = said.text().length;
    await said.until(new RegExp(`^[^]{${length}}[^]*Permission denied`));
    await started.kill();
    expect(await output('cat .env', { allowedPaths })).toBe('SECRET');
    expect(await output('cat .env')).toContain('Permission denied');
  });
});

describe('a running command that asked for a file before it was there', () => {
  /** Asks over and over, and tells what it is told: without another program between, so that no moment is missed. */
  const asking = (...names: string[]) =>
    `while :; do for name in ${names.join(' ')}; do if read -r line < "$name"; then echo "got $line"; ` +
    'elif [ -e "$name" ]; then echo "there: $name"; fi; done; echo round; done 2> /dev/null';

  test.each(['.env', 'deep/down/server.pem', 'new/folder/.env.local'])(
    'never sees %s: a view that knows of none is made to look, and nobody runs until it is covered',
    async name => {
      await open('copy-on-write');
      const started = await sandbox.launch(request(asking(name)));
      const said = listen(started);
      await said.until(/round/);
      // Whether by a watch, when there is one by now, or by the first look.
      await new Promise(resolve => setTimeout(resolve, 200));
      put(name, 'SECRET\n');
      await said.until(/there/);
      expect(said.text()).not.toContain('got');
      await started.kill();
    },
  );

  test('never sees it when the view is brought up to date at that very moment', async () => {
    await open('copy-on-write');
    const names = Array.from({ length: 12 }, (_, at) => `.env.${at}`);
    const started = await sandbox.launch(request(asking(...names)));
    const said = listen(started);
    for (const name of names) {
      // It has asked for all of them since the view was brought up to date.
      await said.until(new RegExp(`^[^]{${said.text().length}}[^]*round[^]*round`));
      put(name, 'SECRET\n');
      await overlay?.view.refresh.refresh([workspace]);
    }
    for (const name of names) await said.until(new RegExp(`there: ${name}`));
    expect(said.text()).not.toContain('got');
    await started.kill();
  });

  test('sees it where the user allowed it by name', async () => {
    await open('copy-on-write');
    const allowedPaths = [join(workspace, '.env')];
    const started = await sandbox.launch(request(asking('.env'), { allowedPaths }));
    const said = listen(started);
    await said.until(/round/);
    put('.env', 'SECRET\n');
    await overlay?.view.refresh.refresh([workspace]);
    await said.until(/got/);
    expect(said.text()).toContain('got SECRET\n');
    await started.kill();
  });

  test('and that the view hides by something else in spite of it, is left alone', async () => {
    await open('copy-on-write');
    await output('rm -rf deep');
    const started = await sandbox.launch(request(asking('deep/down/.env')));
    const said = listen(started);
    await said.until(/round/);
    put('deep/down/.env', 'SECRET\n');
    await overlay?.view.refresh.refresh([workspace]);
    await overlay?.view.refresh.refresh([workspace]);
    expect(await output('ls -A')).toBe('');
    expect(said.text()).not.toMatch(/there|got/);
    await started.kill();
  });
});

describe('what a command made itself', () => {
  test('stays readable to it in a copy-on-write view, also when the user makes one of the same name', async () => {
    await open('copy-on-write');
    const started = await sandbox.launch(request(`echo mine > .env; sleep 0.3; ${reader('.env')}`));
    const said = listen(started);
    await said.until(/mine/);
    put('.env', 'SECRET');
    await new Promise(resolve => setTimeout(resolve, 400));
    expect(said.text()).not.toMatch(/SECRET|denied/);
    await started.kill();
  });

  test('is no guard that stands where a protected path must not come to be', async () => {
    await open('direct');
    const started = await sandbox.launch(request('sleep 1; echo still here'));
    const said = listen(started);
    await output('ls -d .envrc; sleep 0.3', { writableFolders: [workspace] });
    await said.ended;
    expect([await started.exited, said.text()]).toEqual([{ code: 0, signal: null }, 'still here\n']);
  });

  test('stays readable to it where it may write to the folder itself', async () => {
    await open('direct');
    const script = `sleep 0.2; echo mine > .env; sleep 0.3; cat .env`;
    expect(await output(script, { writableFolders: [workspace] })).toBe('mine\n');
  });
});

test('a folder that nobody may enter for a while hides its secrets all the same', async () => {
  put('deep/down/.env', 'SECRET');
  await open('copy-on-write');
  await output('chmod 000 deep');
  expect(await output('chmod 755 deep; cat deep/down/.env')).toMatch(/Permission denied/);
});

describe('a secret where the view has something else', () => {
  test('leaves no stray file behind', async () => {
    await open('copy-on-write');
    await output('rm -rf deep');
    put('deep/down/.env', 'SECRET');
    expect(await output('cat deep/down/.env; ls -A')).not.toContain('SECRET');
    expect(readdirSync(overlay?.changes.get(workspace) ?? '')).toEqual(['deep']);
    expect(existsSync(join(overlay?.changes.get(workspace) ?? '', 'deep/down'))).toBe(false);
  });

  test.each([
    ['', ''],
    [', in a folder that nobody may enter', '; chmod 000 deep'],
  ])('is not sought through a link that a command left%s', async (_, more) => {
    await open('copy-on-write');
    const outside = join(root, 'outside');
    mkdirSync(outside);
    await output(`rm -rf deep/down; ln -s /oldroot${outside} deep/down${more}`);
    put('deep/down/.env', 'SECRET');
    expect(await output('echo done')).toBe('done\n');
    expect(readdirSync(outside)).toEqual([]);
  });
});
