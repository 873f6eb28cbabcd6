import { expect, test } from 'vitest';
import { planSteps, type DesiredChange, type Facts } from '../../../src/overlay/applySteps.ts';
import type { Entry, Stamp } from '../../../src/overlay/entry.ts';

const stamp = (identity: string): Stamp => ({ identity, modifiedAt: 0n, changedAt: 0n, createdAt: 0n });
const file = (identity: string, mode = 0o644): Entry => ({
  kind: 'file',
  mode,
  size: 1,
  stamp: stamp(identity),
});
const folder = (mode = 0o755): Entry => ({ kind: 'directory', mode, stamp: stamp('folder') });
const content = Buffer.from('new');
const put = (path: string, expected: Entry | null = null): DesiredChange => ({
  path,
  expected,
  desired: { kind: 'file', mode: 0o644, content },
});
const drop = (path: string, expected: Entry): DesiredChange => ({
  path,
  expected,
  desired: { kind: 'nothing' },
});

function facts(entries: Record<string, Entry>, more: Partial<Facts> = {}): Facts {
  return { entries: new Map(Object.entries(entries)), names: new Map(), ignoresCase: false, ...more };
}

test('what goes away comes first, then folders from the outside in, then files, then permissions', () => {
  const changes: DesiredChange[] = [
    put('new/inner/file'),
    { path: 'new', expected: null, desired: { kind: 'directory', mode: 0o755 } },
    { path: 'new/inner', expected: null, desired: { kind: 'directory', mode: 0o500 } },
    put('edited', file('1')),
    drop('gone', file('2')),
    { path: 'tool', expected: file('3'), desired: { kind: 'mode', mode: 0o755 } },
  ];
  const plan = planSteps(changes, facts({ edited: file('1'), gone: file('2'), tool: file('3') }), 'id');
  expect(plan).toEqual({
    steps: [
      {
        do: 'putAway',
        path: 'gone',
        temporary: '.cordon-id-2.old',
        identities: { '': 'file 2' },
        replaced: false,
      },
      { do: 'makeFolder', path: 'new', mode: 0o755 },
      { do: 'makeFolder', path: 'new/inner', mode: 0o700 },
      {
        do: 'putAway',
        path: 'edited',
        temporary: '.cordon-id-0.old',
        identities: { '': 'file 1' },
        replaced: true,
      },
      { do: 'place', path: 'edited', temporary: '.cordon-id-1.new', desired: 'file' },
      { do: 'place', path: 'new/inner/file', temporary: '.cordon-id-3.new', desired: 'file' },
      { do: 'setMode', path: 'tool', from: 0o644, to: 0o755 },
    ],
    loosened: [],
    emptied: [],
    folderModes: [
      { path: 'new/inner', mode: 0o500 },
      { path: 'new', mode: 0o755 },
    ],
    done: [],
    obstacles: [],
  });
});

test('a folder that goes whole is moved away at once; one that keeps something is emptied', () => {
  const entries = { old: folder(), 'old/a': file('1'), 'old/b': file('2') };
  const names = new Map([['old', ['a', 'b']]]);
  const whole = [drop('old', folder()), drop('old/a', file('1')), drop('old/b', file('2'))];
  expect(planSteps(whole, facts(entries, { names }), 'id').steps).toEqual([
    {
      do: 'putAway',
      path: 'old',
      temporary: '.cordon-id-0.old',
      identities: { '': 'directory', a: 'file 1', b: 'file 2' },
      replaced: false,
    },
  ]);
  const part = planSteps(whole.slice(0, 2), facts(entries, { names }), 'id');
  expect([part.steps.map(step => step.path), part.emptied]).toEqual([['old/a'], ['old']]);
});

test('a folder that nobody may write is opened for the time, and closed again', () => {
  const plan = planSteps(
    [put('closed/file', file('1'))],
    facts({ closed: folder(0o555), 'closed/file': file('1') }),
    'id',
  );
  expect([plan.loosened, plan.folderModes]).toEqual([
    [{ path: 'closed', mode: 0o555 }],
    [{ path: 'closed', mode: 0o555 }],
  ]);
});

test('every way in which the disk is not what was expected is an obstacle', () => {
  const plan = planSteps(
    [
      put('changed', file('1')),
      put('appeared'),
      put('vanished', file('1')),
      put('missing/file'),
      put('kept', folder()),
      drop('went already', file('1')),
      drop('changed too', file('1')),
    ],
    facts(
      {
        changed: file('2'),
        appeared: file('2'),
        kept: folder(),
        'kept/more': file('3'),
        'changed too': file('2'),
      },
      { names: new Map([['kept', ['more']]]) },
    ),
    'id',
  );
  expect([plan.obstacles, plan.done]).toEqual([
    [
      { path: 'changed', kind: 'changed' },
      { path: 'appeared', kind: 'exists' },
      { path: 'vanished', kind: 'vanished' },
      { path: 'missing/file', kind: 'noFolder' },
      { path: 'changed too', kind: 'changed' },
      { path: 'kept', kind: 'occupied' },
    ],
    ['went already'],
  ]);
});

test('where the file system ignores case, two new names that differ by case alone are refused, and a rename is not', () => {
  const ignoresCase = true;
  const both = planSteps([put('Readme'), put('README'), put('other')], facts({}, { ignoresCase }), 'id');
  expect(both.obstacles).toEqual([{ path: 'README', kind: 'sameName' }]);
  const renamed = planSteps(
    [drop('readme', file('1')), put('README', file('1'))],
    // There, one file is found under both names.
    facts({ readme: file('1'), README: file('1') }, { ignoresCase }),
    'id',
  );
  expect(renamed.obstacles).toEqual([]);
});
