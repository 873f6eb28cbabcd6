import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CommandPolicy } from '../../../src/policy/policy.ts';
import type { Programs } from '../../../src/session/session.ts';
import { buildPrograms, Stage, temporaryFolder } from './harness.ts';

let programs: Programs;
const built = temporaryFolder();
beforeAll(async () => void (programs = await buildPrograms(built)));
afterAll(() => rmSync(built, { recursive: true }));

const allowing: CommandPolicy = {
  decide: () => ({ decision: 'allow', risk: 0, reasons: [{ code: 't', message: 'Allowed.', span: [0, 1] }] }),
  propose: () => [],
};

async function opened(): Promise<Stage> {
  return await new Stage(programs).openOverlaid({ policy: () => allowing });
}

test('what the agent writes stays in its copy until the user accepts it', async () => {
  await using stage = await opened();
  await stage.session.prompt('write: docs/new.md Hello');
  await stage.session.prompt('run: cat docs/new.md; echo more >> README.md');
  expect([stage.exists('docs/new.md'), stage.lastCall?.output, stage.conversation.approvals]).toEqual([
    false,
    'Hello\n',
    [],
  ]);

  const [review] = await stage.copy.changes.review();
  expect(review?.changes.map(({ path, kind, added, removed }) => [path, kind, added, removed])).toEqual([
    ['README.md', 'modified', 1, 0],
    ['docs', 'added', undefined, undefined],
    ['docs/new.md', 'added', 1, 0],
  ]);

  const outcome = await stage.copy.changes.accept([{ folder: stage.workspace, path: 'docs/new.md' }]);
  expect(outcome).toMatchObject({ kind: 'accepted', merged: [] });
  expect(readFileSync(path.join(stage.workspace, 'docs/new.md'), 'utf8')).toBe('Hello\n');
  const [rest] = await stage.copy.changes.review();
  expect(rest?.changes.map(change => change.path)).toEqual(['README.md']);
});
