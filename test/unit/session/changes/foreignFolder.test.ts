import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { foreignFolder } from '../../../../src/session/changes/foreignFolder.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'cordon-own-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a folder of another user or group is found, whatever stands before it; one of the own is not', () => {
  const { uid, gid } = statSync(folder);
  const me = { uid: uid + 1, gid };
  expect([
    foreignFolder([folder], me),
    foreignFolder([folder], { uid: uid + 1, gid: gid + 1 }),
    foreignFolder([], me),
    foreignFolder([folder], { uid, gid }),
    // Root may map whom it likes.
    foreignFolder([folder], { uid: 0, gid: gid + 1 }),
  ]).toEqual([folder, folder, undefined, undefined, undefined]);
});
