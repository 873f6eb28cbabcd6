import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GrantedFolder } from '../../../sandbox/grantedFolders.ts';
import { openSandbox, type Sandbox } from '../../../sandbox/sandbox.ts';

// Beside the project, not below /tmp: there a grant is shown only beside a workspace folder.
const cache = path.join(process.cwd(), '.vscode-test');
mkdirSync(cache, { recursive: true });
const root = realpathSync(mkdtempSync(path.join(cache, 'grants-')));
const repository = path.join(root, 'repository');
const workspace = path.join(repository, 'packages/app');
const other = path.join(root, 'other');
let sandbox: Sandbox;

beforeAll(async () => {
  for (const folder of [
    `${workspace}/src`,
    `${repository}/docs`,
    `${repository}/private`,
    `${other}/.git/hooks`,
  ])
    mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(repository, 'README'), 'the whole\n');
  writeFileSync(path.join(repository, '.env'), 'TOKEN=secret\n');
  writeFileSync(path.join(repository, 'private/diary'), 'dear diary\n');
  writeFileSync(path.join(workspace, 'src/a'), 'mine\n');
  sandbox = await openSandbox({ folders: [workspace], stateDirectory: path.join(root, 'state') });
});
afterAll(async () => {
  await sandbox?.[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

async function run(
  command: string,
  grantedFolders: readonly GrantedFolder[],
  writableFolders: readonly string[] = [],
): Promise<string> {
  const started = await sandbox.launch({
    argv: ['/bin/bash', '-c', `exec 2>&1; ${command}`],
    cwd: workspace,
    writableFolders,
    grantedFolders,
    view: 'system',
    stdin: 'ignore',
  });
  const [said] = await Promise.all([started.stdout === null ? '' : text(started.stdout), started.exited]);
  return said;
}

const read = (folder: string): GrantedFolder => ({ path: folder, access: 'read' });

test('nothing outside is there without a grant', async () => {
  expect(await run(`cat ${repository}/README; ls ${root}`, [])).toMatch(/No such file[^]*repository\n$/);
});

test('the repository around the workspace can be read without its secrets, and the workspace in it is as it was', async () => {
  const granted: GrantedFolder[] = [read(repository), { path: `${repository}/private`, access: 'none' }];
  expect(
    await run(
      `cat ${repository}/README src/a; cat ${repository}/.env 2>/dev/null; ls -A ${repository}/private`,
      granted,
    ),
  ).toBe('the whole\nmine\n');
  expect(await run('touch ../new; echo changed > src/a; cat src/a', granted, [workspace])).toBe(
    "touch: cannot touch '../new': Read-only file system\nchanged\n",
  );
});

test('a grant for writing around the workspace is only for reading: another mount stands on it', async () => {
  expect(await run(`touch ${repository}/new`, [{ path: repository, access: 'write' }])).toContain(
    'Read-only',
  );
});

test('a folder for writing is written at once, but not what can run code later, and nothing is left behind', async () => {
  const said = await run(
    `cd ${other}; echo fine > plain; echo evil > .git/hooks/pre-commit; echo evil > .envrc; mv .git gone`,
    [{ path: other, access: 'write' }],
  );
  expect(said.match(/Read-only file system|Is a directory|Device or resource busy/g)).toHaveLength(3);
  expect([
    readFileSync(`${other}/plain`, 'utf8'),
    existsSync(`${other}/.git/hooks/pre-commit`),
    existsSync(`${other}/.envrc`),
  ]).toEqual(['fine\n', false, false]);
});

test('a folder that is a link by now, or is gone, is left out', async () => {
  symlinkSync(`${repository}/private`, `${root}/link`);
  const said = await run(`ls ${root}/link/ ${root}/gone`, [read(`${root}/link`), read(`${root}/gone`)]);
  expect(said).not.toContain('diary');
});
