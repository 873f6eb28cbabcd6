import { expect, test } from 'vitest';
import { parseProcesses, ProcessFamily, type ProcessSeen } from '../../../sandbox/processFamily.ts';

const seen = (pid: number, parent: number, more: Partial<ProcessSeen> = {}): ProcessSeen => ({
  pid,
  parent,
  group: pid,
  memory: 0,
  started: 'then',
  ...more,
});
const numbers = (found: readonly ProcessSeen[]) => found.map(({ pid }) => pid);

test('lines of ps are read, with the mark where the environment stands behind the command', () => {
  const text = [
    '  501     1   501  2048 Sat Nov  7 08:01:02 2026',
    '99999 501 501 12 Sat Nov 21 19:17:52 2026 node a b=c HOME=/x CORDON_COMMAND=0a1b PATH=/bin',
    '7 1 7 12 Sat Nov 21 19:17:52 2026 echo XCORDON_COMMAND=ffff',
    'garbage',
    '',
  ].join('\n');
  expect(parseProcesses(text)).toEqual([
    { pid: 501, parent: 1, group: 501, memory: 2_097_152, started: 'Sat Nov 7 08:01:02 2026' },
    {
      pid: 99_999,
      parent: 501,
      group: 501,
      memory: 12_288,
      started: 'Sat Nov 21 19:17:52 2026',
      mark: '0a1b',
    },
    { pid: 7, parent: 1, group: 7, memory: 12_288, started: 'Sat Nov 21 19:17:52 2026' },
  ]);
});

test('children and grandchildren belong to it, also when their parents are gone', () => {
  const family = new ProcessFamily(10, 'm');
  expect(numbers(family.update([seen(1, 0), seen(10, 1), seen(11, 10), seen(12, 11), seen(20, 1)]))).toEqual([
    10, 11, 12,
  ]);
  expect(numbers(family.update([seen(1, 0), seen(12, 1), seen(13, 12), seen(20, 1)]))).toEqual([12, 13]);
});

test('a process of one of its groups belongs to it', () => {
  const family = new ProcessFamily(10, 'm');
  family.update([seen(10, 1), seen(11, 10)]);
  expect(numbers(family.update([seen(15, 1, { group: 11 }), seen(16, 1, { group: 99 })]))).toEqual([15]);
});

test('a process with its mark belongs to it, whoever its parent is', () => {
  const family = new ProcessFamily(10, 'm');
  expect(numbers(family.update([seen(30, 1, { mark: 'm' }), seen(31, 1, { mark: 'n' })]))).toEqual([30]);
});

test('a number that came again is a stranger’s, and so are its children and its group', () => {
  const family = new ProcessFamily(10, 'm');
  family.update([seen(10, 1), seen(11, 10)]);
  const again = seen(11, 1, { started: 'now' });
  expect(family.update([again, seen(12, 11), seen(13, 1, { group: 11 })])).toEqual([]);
});
