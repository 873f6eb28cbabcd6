import { constants } from 'node:os';
import type { Architecture } from './seccomp/filter.ts';
import { judgedCalls, refusedCalls } from './seccomp/systemCalls.ts';

/** A seccomp profile in the form that container runtimes read. */
export interface SeccompProfile {
  readonly defaultAction: 'SCMP_ACT_ALLOW';
  readonly architectures: readonly string[];
  readonly syscalls: readonly SeccompRule[];
}

interface SeccompRule {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ERRNO';
  readonly errnoRet: number;
  readonly args?: readonly SeccompCondition[];
}

interface SeccompCondition {
  readonly index: number;
  readonly op: 'SCMP_CMP_NE' | 'SCMP_CMP_EQ' | 'SCMP_CMP_GT' | 'SCMP_CMP_MASKED_EQ';
  readonly value: number;
  /** Compared after masking with `value`. */
  readonly valueTwo?: number;
}

/**
 * What the filter for Bubblewrap refuses, from the same table, in a container runtime's words. Only the machine's own
 * architecture is named: the numbers of another one mean other calls, and the runtime ends a program that uses them.
 */
export function seccompProfile(architecture: Architecture): SeccompProfile {
  const column = architecture === 'x64' ? 0 : 1;
  const refused = Object.entries(refusedCalls).flatMap(([name, numbers]) =>
    numbers[column] === undefined ? [] : [name],
  );
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: [architecture === 'x64' ? 'SCMP_ARCH_X86_64' : 'SCMP_ARCH_AARCH64'],
    syscalls: [
      refuse(refused),
      // Each new namespace by itself: a rule can ask for bits that are all set, not for any of them.
      ...newNamespaces.map(bit => refuse(['clone'], [hasBits(0, bit)])),
      ...[...newNamespaces, newTimeNamespace].map(bit => refuse(['unshare'], [hasBits(0, bit)])),
      // Its flags lie in memory, where a filter cannot look. The C library falls back to clone.
      refuse(['clone3'], undefined, constants.errno.ENOSYS),
      // The kernel reads 32 bits of the request; comparing more would let one through with a bit set above them.
      ...[tiocsti, tioclinux].map(request => refuse(['ioctl'], [isMasked(1, 0xffff_ffff, request)])),
      // Unix, TCP and UDP sockets, and the netlink socket that lists interfaces. Nothing raw, nothing rare.
      ...rareFamilies.map(family => refuse(['socket'], [is(0, family)], constants.errno.EAFNOSUPPORT)),
      refuse(['socket'], [{ index: 0, op: 'SCMP_CMP_GT', value: netlink }], constants.errno.EAFNOSUPPORT),
      ...[inet, inet6].map(family => refuse(['socket'], [is(0, family), isMasked(1, 0xf, socketRaw)])),
      refuse(['socket'], [is(0, netlink), { index: 2, op: 'SCMP_CMP_NE', value: netlinkRoute }]),
      refuse(['socketpair'], [{ index: 0, op: 'SCMP_CMP_NE', value: unix }], constants.errno.EAFNOSUPPORT),
    ],
  };
}

// The table names them; a rule that misses one of these would say so when it compiles.
judgedCalls satisfies Record<'clone' | 'clone3' | 'unshare' | 'ioctl' | 'socket' | 'socketpair', unknown>;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const newNamespaces = [
  0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
];
/** CLONE_NEWTIME: in clone(2) the same bit is part of the exit signal. */
const newTimeNamespace = 0x80;
const tiocsti = 0x5412;
const tioclinux = 0x541c;
const unix = 1;
const inet = 2;
const inet6 = 10;
const netlink = 16;
const netlinkRoute = 0;
const socketRaw = 3;
/** Every family up to netlink but Unix (1) and the two of the internet. */
const rareFamilies = [0, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15];

function refuse(
  names: readonly string[],
  args?: readonly SeccompCondition[],
  errnoRet: number = constants.errno.EPERM,
): SeccompRule {
  return { names, action: 'SCMP_ACT_ERRNO', errnoRet, ...(args === undefined ? {} : { args }) };
}

function is(index: number, value: number): SeccompCondition {
  return { index, op: 'SCMP_CMP_EQ', value };
}

function hasBits(index: number, bits: number): SeccompCondition {
  return isMasked(index, bits, bits);
}

function isMasked(index: number, mask: number, value: number): SeccompCondition {
  return { index, op: 'SCMP_CMP_MASKED_EQ', value: mask, valueTwo: value };
}
