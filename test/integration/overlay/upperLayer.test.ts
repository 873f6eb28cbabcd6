import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UpperLayer } from '../../../src/overlay/upperLayer.ts';

let root: string;
let outside: string;
let upper: string;
let layer: UpperLayer;

beforeEach(() => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), 'cordon-upper-')));
  [outside, upper] = [path.join(root, 'outside'), path.join(root, 'layers/upper')];
  const lower = path.join(root, 'workspace');
  for (const folder of [outside, upper, lower, path.join(outside, 'folder')])
    mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(outside, 'file'), 'mine', { mode: 0o640 });
  writeFileSync(path.join(outside, 'folder/inner'), 'mine');
  layer = new UpperLayer({ lower, upper });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const seen = () => [
  new Set(readdirSync(outside, { recursive: true, encoding: 'utf8' })),
  readFileSync(path.join(outside, 'file'), 'utf8'),
  (statSync(path.join(outside, 'file')).mode & 0o777).toString(8),
];

function codeOf(attempt: () => void): unknown {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return Reflect.get(Object(error), 'code');
  }
}

describe('with a link in the place of a folder, as a command may put it there meanwhile,', () => {
  const attempts: Record<string, () => void> = {
    'nothing is removed': () => layer.remove('swapped/file'),
    'no folder is removed': () => layer.remove('swapped/folder'),
    'nothing is written over': () => layer.write('swapped/file', Buffer.from('theirs'), 0o777),
    'nothing is hidden': () => layer.hide('swapped/new'),
    'no folder is made': () => layer.makeFolder('swapped/new', 0o777),
    'no link is made': () => layer.makeLink('swapped/new', '/'),
    'nothing is moved there': () => {
      writeFileSync(path.join(root, 'made'), 'theirs');
      layer.move(path.join(root, 'made'), 'swapped/file');
    },
    'no permission is given': () => layer.setMode('swapped/file', 0o777),
    'no folder is made anew': () => layer.makePlain('swapped/folder'),
    'and a link itself gives no permission to what it names': () => layer.setMode('swapped', 0o700),
  };
  test.each(Object.keys(attempts))('%s', name => {
    symlinkSync(outside, path.join(upper, 'swapped'));
    const before = seen();
    const code = codeOf(() => attempts[name]?.());
    expect([undefined, 'overlay.moved']).toContain(code);
    expect(seen()).toEqual(before);
  });
});

test('removes a link, and what it names stays', () => {
  symlinkSync(outside, path.join(upper, 'link'));
  const before = seen();
  layer.remove('link');
  expect([existsSync(path.join(upper, 'link')), seen()]).toEqual([false, before]);
});

test('removes a tree with folders that are closed and links that lead out', () => {
  mkdirSync(path.join(upper, 'tree/closed/deep'), { recursive: true });
  writeFileSync(path.join(upper, 'tree/closed/deep/file'), 'a');
  symlinkSync(outside, path.join(upper, 'tree/closed/link'));
  layer.setMode('tree/closed', 0);
  const before = seen();
  layer.remove('tree');
  layer.remove('never/there');
  expect([readdirSync(upper), seen()]).toEqual([[], before]);
});

test('makes and moves what it is asked for', () => {
  layer.makeFolder('folder', 0o750);
  layer.makeLink('folder/link', 'somewhere');
  layer.write('folder/file', Buffer.from('text'), 0o640);
  layer.makePlain('folder');
  const folder = path.join(upper, 'folder');
  expect({
    mode: (statSync(folder).mode & 0o777).toString(8),
    link: readlinkSync(path.join(folder, 'link')),
    file: readFileSync(path.join(folder, 'file'), 'utf8'),
  }).toEqual({ mode: '750', link: 'somewhere', file: 'text' });
});
