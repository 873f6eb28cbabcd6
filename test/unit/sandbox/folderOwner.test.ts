import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mayUse, otherOwner, ownershipNote, ownershipOf, wayTo } from '../../../sandbox/folderOwner.ts';

// Whose folders are whose takes root to arrange.
const isRoot = process.getuid?.() === 0;
const ann = { uid: 4242, gid: 4343 };
const ben = { uid: 5252, gid: 5353 };

let root: string;
beforeEach(() => {
  root = mkdtempSync('/tmp/cordon-owner-');
  chmodSync(root, 0o755);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function folder(name: string, owner?: { uid: number; gid: number }, mode = 0o755): string {
  const made = path.join(root, name);
  mkdirSync(made, { recursive: true });
  chmodSync(made, mode);
  if (owner) chownSync(made, owner.uid, owner.gid);
  return made;
}

test('one’s own folder is one’s own', () => {
  expect([ownershipOf([root]), otherOwner([root]), ownershipNote([root], 'bubblewrap')]).toEqual([
    { kind: 'own' },
    undefined,
    undefined,
  ]);
});

describe.skipIf(!isRoot)('to root', () => {
  test('the folders of one other user are that user’s, with a group that is not root’s', () => {
    expect([
      otherOwner([folder('a', ann), folder('b', ann)]),
      otherOwner([folder('c', { uid: ann.uid, gid: 0 })]),
      ownershipNote([folder('a')], 'bubblewrap'),
    ]).toEqual([{ ...ann, name: 'user' }, { uid: 4242, gid: 4242, name: 'user' }, undefined]);
  });

  test('folders of several users, and one whose owner cannot be told, are said to be so', () => {
    const kinds = [
      [folder('a', ann), folder('b', ben)],
      [folder('a'), folder('own')],
      [folder('n', { uid: 65_534, gid: 65_534 })],
    ];
    expect(kinds.map(each => ownershipOf(each).kind)).toEqual(['unclear', 'unclear', 'unclear']);
    expect(ownershipNote([path.join(root, 'n')], 'bubblewrap')).toBe(
      `${root}/n belongs to a user who is not known here. So commands in the sandbox cannot change what is not root’s.`,
    );
  });

  test('with Podman, and where another folder may be written, it is said what cannot be', () => {
    const [theirs, other] = [folder('a', ann), folder('other')];
    expect([ownershipNote([theirs], 'podman'), ownershipNote([theirs], 'bubblewrap', [other])]).toEqual([
      expect.stringMatching(/^\S+\/a belongs to user \(number 4242\), and Podman/),
      expect.stringMatching(/^\S+\/other does not belong to user/),
    ]);
  });

  test('a path is open, or in closed folders of root’s alone, or where somebody else could lead root astray', () => {
    folder('open', ann);
    folder('closed', undefined, 0o700);
    folder('closed/inner');
    folder('ben', ben, 0o700);
    folder('ben/inner');
    folder('shared', undefined, 0o777);
    folder('shared/closed', undefined, 0o700);
    folder('group', { uid: 0, gid: ann.gid }, 0o750);
    symlinkSync(path.join(root, 'closed/inner'), path.join(root, 'link'));
    const paths = ['open/x', 'closed', 'closed/inner', 'ben/inner', 'shared/closed/x', 'group/x', 'link'];
    for (const name of ['open/x', 'shared/closed/x', 'group/x']) writeFileSync(path.join(root, name), '');
    expect(paths.map(each => [each, wayTo(path.join(root, each), ann)])).toEqual([
      ['open/x', 'open'],
      ['closed', 'open'],
      ['closed/inner', 'shown'],
      ['ben/inner', 'closed'],
      ['shared/closed/x', 'closed'],
      ['group/x', 'open'],
      ['link', 'shown'],
    ]);
  });

  test('what they may use is told by its permissions', () => {
    const file = path.join(root, 'file');
    writeFileSync(file, '');
    const modes = [0o644, 0o640, 0o600].map(mode => {
      chmodSync(file, mode);
      return mayUse(file, ann);
    });
    expect([
      ...modes,
      mayUse(folder('closed', undefined, 0o700), ann),
      mayUse(path.join(root, 'none'), ann),
    ]).toEqual([true, false, false, false, false]);
  });
});
