import { expect, test } from 'vitest';
import { enterAs, holderArguments } from '../../../sandbox/holder.ts';

const mounts = [{ control: '/state/layers/a', folder: '/home/ann/project' }];

test('a holder is root in namespaces of its own, and mounts what it is given', () => {
  const args = holderArguments(mounts, false);
  const [script] = args.splice(args.indexOf('-c') + 1, 1);
  expect(args).toEqual(
    [
      ['--unshare-user', '--uid', '0', '--gid', '0', '--cap-add', 'ALL', '--unshare-net'],
      ['--dev-bind', '/', '/', '--die-with-parent', '--'],
      ['/bin/sh', '-c', 'holder', '/state/layers/a', '/home/ann/project', ''],
    ].flat(),
  );
  expect(script).toContain('mount -t overlay');
});

test('one for others waits until all users have a name, and has a place to show them things', () => {
  const [own, others] = [holderArguments(mounts, false), holderArguments(mounts, true)];
  const [network, root] = [own.indexOf('--unshare-net') + 1, own.indexOf('--die-with-parent')];
  expect(others).toEqual([
    ...own.slice(0, network),
    '--info-fd',
    '3',
    '--userns-block-fd',
    '4',
    ...own.slice(network, root),
    '--perms',
    '0711',
    '--size',
    '1048576',
    '--tmpfs',
    '/sys/kernel',
    ...own.slice(root),
  ]);
});

test('another user joins as that user, without privileges; where there is no holder, nobody does', () => {
  const join = ['/usr/bin/nsenter', '--target', '12', '--user', '--mount', '--net'];
  const enter = [...join, '--preserve-credentials', '--'];
  expect(enterAs(enter, { uid: 1000, gid: 100 })).toEqual([
    ...join,
    '--setuid',
    '1000',
    '--setgid',
    '100',
    '--',
  ]);
  expect(() => enterAs([], { uid: 1000, gid: 100 })).toThrow(/no holder/);
});
