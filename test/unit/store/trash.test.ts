import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodePath } from '../../../src/base/fileName.ts';
import { openTrash, type Trash, type TrashBounds } from '../../../src/store/trash.ts';

let root: string;
const open: Trash[] = [];
beforeEach(() => void (root = mkdtempSync(path.join(tmpdir(), 'cordon-trash-'))));
afterEach(() => {
  for (const trash of open.splice(0)) trash[Symbol.dispose]();
  rmSync(root, { recursive: true });
});

function opened(bounds?: TrashBounds): Trash {
  const trash = openTrash(path.join(root, 'trash'), bounds);
  open.push(trash);
  return trash;
}

function throwAway(trash: Trash, batch: string, name: string, text: string): void {
  const file = path.join(root, name);
  writeFileSync(encodePath(file), text);
  trash.note(batch, [
    { folder: root, path: name, why: 'deleted', kind: 'file', mode: 0o644, ...trash.store(file) },
  ]);
}

test('a batch counts when it is kept, and is in no list when it is not', () => {
  const trash = opened();
  throwAway(trash, 'one', 'a', 'text of a');
  throwAway(trash, 'two', 'raw\uDCFF', 'text of b');
  expect(trash.list()).toEqual([]);
  trash.keep('two');
  trash.forget('one');
  const [item] = opened().list(root);
  expect(item).toMatchObject({ batch: 'two', path: 'raw\uDCFF', folder: root, size: 9 });
  expect(item && readFileSync(trash.contentPath(item), 'utf8')).toBe('text of b');
  expect(trash.list('/elsewhere')).toEqual([]);
});

test('what is kept is for nobody else to read', () => {
  const trash = opened();
  throwAway(trash, 'one', 'a', 'secret');
  trash.keep('one');
  const [item] = trash.list();
  const modes = [path.join(root, 'trash', 'index.db'), item ? trash.contentPath(item) : ''].map(
    file => statSync(file).mode & 0o777,
  );
  expect(modes).toEqual([0o600, 0o600]);
});

test('a link is not followed into the trash', () => {
  writeFileSync(path.join(root, 'secret'), 'secret');
  symlinkSync('secret', path.join(root, 'link'));
  expect(() => opened().store(path.join(root, 'link'))).toThrow(/ELOOP|too many symbolic links/);
});

test('the oldest go when there is too much, and what is too old goes; the newest batch stays, however large', () => {
  const trash = opened({ maxBytes: 25, maxAge: 1_000_000 });
  for (const [batch, text] of Object.entries({
    one: 'x'.repeat(10),
    two: 'y'.repeat(10),
    three: 'z'.repeat(10),
  })) {
    throwAway(trash, batch, batch, text);
    trash.keep(batch);
  }
  expect(trash.list().map(({ batch }) => batch)).toEqual(['three', 'two']);
  throwAway(trash, 'four', 'large', 'w'.repeat(100));
  trash.keep('four');
  expect(trash.list().map(({ batch }) => batch)).toEqual(['four']);
  expect(trash.prune(Date.now() + 2_000_000)).toBe(1);
  expect(trash.list()).toEqual([]);
});
