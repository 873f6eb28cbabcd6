import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { takeOver, type UnsavedEditor } from '../../../src/host/review/takeOver.ts';
import type { CommandPolicy } from '../../../src/policy/policy.ts';
import type { ReviewedChange } from '../../../src/session/changes/changesEngine.ts';
import type { Programs } from '../../../src/session/session.ts';
import { buildPrograms, Stage, temporaryFolder } from './harness.ts';

let programs: Programs;
const built = temporaryFolder();
beforeAll(async () => void (programs = await buildPrograms(built)));
afterAll(() => rmSync(built, { recursive: true }));

test('accepting all takes what it can: protected files are left out, conflicts stay, the rest is there', async () => {
  await using stage = await opened();
  await stage.session.prompt(
    `run: echo {} > package.json; mkdir .vscode; echo {} > .vscode/tasks.json; echo theirs > README.md; mkdir docs; echo new > docs/a.md; rm -r notes`,
  );
  await reviewed(stage);
  stage.write('README.md', 'mine\n');

  const all = await reviewed(stage);
  const outcome = await takeOver(
    options(stage, all),
    all.map(change => ({ change })),
  );

  expect(outcome.leftOut.map(({ path }) => path)).toEqual(['.vscode', '.vscode/tasks.json', 'package.json']);
  expect(outcome.obstructions.map(({ path, kind }) => [path, kind])).toEqual([['README.md', 'conflict']]);
  expect([stage.exists('docs/a.md'), stage.exists('notes'), stage.exists('.vscode')]).toEqual([
    true,
    false,
    false,
  ]);
  expect(text(stage, 'README.md')).toBe('mine\n');
  expect((await reviewed(stage)).map(({ path }) => path)).toEqual([
    '.vscode',
    '.vscode/tasks.json',
    'README.md',
    'package.json',
  ]);
});

test('a protected file is asked about by itself, once, and the folder around it comes with it', async () => {
  await using stage = await opened();
  await stage.session.prompt(
    'run: mkdir -p .github/workflows; echo a > .github/workflows/ci.yml; echo b > .envrc',
  );
  const all = await reviewed(stage);
  const asked: string[] = [];
  const confirm = async ({ path: own }: { path: string }, because: string) => {
    asked.push(`${own} ${because}`);
    return own !== '.envrc';
  };
  const files = all.filter(({ is }) => is === 'file').map(change => ({ change }));

  const outcome = await takeOver({ ...options(stage, all), confirm }, files);

  expect(asked).toEqual([
    '.envrc is run when a shell starts or enters this folder',
    '.github/workflows/ci.yml is run by a continuous-integration service with its credentials',
  ]);
  expect(outcome.leftOut.map(({ path }) => path)).toEqual(['.envrc']);
  expect([text(stage, '.github/workflows/ci.yml'), stage.exists('.envrc')]).toEqual(['a\n', false]);
});

test('a file with unsaved edits is joined in its editor, never on the disk', async () => {
  await using stage = await opened();
  const before = text(stage, 'README.md');
  await stage.session.prompt(`run: echo 'by the agent' >> README.md`);
  const [change] = await reviewed(stage);
  if (!change) throw new Error('nothing changed');
  const editor = new Editor(`mine\n${before}`);

  const outcome = await takeOver({ ...options(stage, [change]), unsavedEditor: () => editor }, [{ change }]);

  expect(outcome.inEditors.map(({ path }) => path)).toEqual(['README.md']);
  expect([editor.text, text(stage, 'README.md')]).toEqual([`mine\n${before}by the agent\n`, before]);
  expect(await reviewed(stage)).toEqual([]);
});

test('one hunk goes into the editor with unsaved edits, and the other one still waits', async () => {
  await using stage = await opened();
  const before = text(stage, 'README.md');
  await stage.session.prompt(`run: sed -i -e '1s/^/first\\n/' -e '$a last' README.md`);
  const [change] = await reviewed(stage);
  if (!change) throw new Error('nothing changed');
  const editor = new Editor(before.replace('Field notes', 'My notes'));

  const wanted = [{ change, hunks: [1] }];
  const outcome = await takeOver({ ...options(stage, [change]), unsavedEditor: () => editor }, wanted);

  expect(outcome.inEditors.map(({ path }) => path)).toEqual(['README.md']);
  expect(editor.text).toBe(`${before.replace('Field notes', 'My notes')}last\n`);
  expect((await reviewed(stage)).map(({ added }) => added)).toEqual([2]);
});

test('where unsaved edits are in the same lines, or the file is deleted, nothing is done and it is said', async () => {
  await using stage = await opened();
  await stage.session.prompt(`run: sed -i '1s/.*/theirs/' README.md; rm AGENTS.md notes/frost.md`);
  const all = (await reviewed(stage)).filter(({ protectedBecause }) => protectedBecause === undefined);
  const editor = new Editor(text(stage, 'README.md').replace('# Field notes', 'mine'));
  const unsaved = editor.text;

  const outcome = await takeOver(
    { ...options(stage, all), unsavedEditor: () => editor },
    all.map(change => ({ change })),
  );

  expect(outcome.obstructions.map(({ path, kind, words }) => [path, kind, words])).toEqual([
    ['README.md', 'conflict', 'your unsaved edits are in the same lines'],
    ['notes/frost.md', 'conflict', 'you have unsaved edits in it'],
  ]);
  expect([editor.text, stage.exists('notes/frost.md')]).toEqual([unsaved, true]);
});

test('what moved on since it was looked at is not put into an editor either', async () => {
  await using stage = await opened();
  await stage.session.prompt(`run: echo one >> README.md`);
  const [change] = await reviewed(stage);
  if (!change) throw new Error('nothing changed');
  await stage.session.prompt(`run: echo two >> README.md`);
  const editor = new Editor('mine\n');

  const outcome = await takeOver({ ...options(stage, [change]), unsavedEditor: () => editor }, [{ change }]);

  expect([outcome.obstructions.map(({ kind }) => kind), editor.text]).toEqual([['changed'], 'mine\n']);
});

test('hunks are taken beside what the user changed elsewhere in the file, and that stays to the end', async () => {
  await using stage = await opened();
  const before = text(stage, 'README.md');
  await stage.session.prompt(`run: sed -i -e '1s/^/first\\n/' -e '$a last' README.md`);
  await reviewed(stage);
  stage.write('README.md', before.replace('There is nothing to install.', 'Mine.'));
  const take = async (hunk: number) => {
    const [change] = await reviewed(stage);
    if (!change) throw new Error('nothing changed');
    return await takeOver(options(stage, [change]), [{ change, hunks: [hunk] }]);
  };

  // The user's own line shows as the second of three.
  expect((await take(1)).obstructions.map(({ kind }) => kind)).toEqual(['conflict']);
  expect((await take(2)).accepted.map(({ path }) => path)).toEqual(['README.md']);
  const mine = before.replace('There is nothing to install.', 'Mine.');
  expect(text(stage, 'README.md')).toBe(`${mine}last\n`);

  const [rest] = await reviewed(stage);
  if (!rest) throw new Error('nothing left');
  const outcome = await takeOver(options(stage, [rest]), [{ change: rest }]);
  expect(outcome.merged.map(({ path }) => path)).toEqual(['README.md']);
  expect(text(stage, 'README.md')).toBe(`first\n${mine}last\n`);
});

const allowing: CommandPolicy = {
  decide: () => ({ decision: 'allow', risk: 0, reasons: [{ code: 't', message: 'Allowed.', span: [0, 1] }] }),
  propose: () => [],
};

async function opened(): Promise<Stage> {
  return await new Stage(programs).openOverlaid({ policy: () => allowing });
}

async function reviewed(stage: Stage): Promise<readonly ReviewedChange[]> {
  return (await stage.copy.changes.review()).flatMap(({ changes }) => changes);
}

function options(stage: Stage, waiting: readonly ReviewedChange[]) {
  return { changes: stage.copy.changes, waiting: () => waiting, unsavedEditor: () => undefined };
}

function text(stage: Stage, name: string): string {
  return readFileSync(path.join(stage.workspace, name), 'utf8');
}

class Editor implements UnsavedEditor {
  readonly isUtf8 = true;
  constructor(public text: string) {}
  async put(text: string): Promise<boolean> {
    this.text = text;
    return true;
  }
}
