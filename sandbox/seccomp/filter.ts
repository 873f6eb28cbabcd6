import { constants } from 'node:os';
import { assemble, call, keepBits, load, unless, verdict, when, type Instruction } from './classicBpf.ts';
import { judgedCalls, refusedCalls, type Numbers } from './systemCalls.ts';

export type Architecture = 'x64' | 'arm64';

/** What a filter is for. */
export interface FilterPurpose {
  /**
   * What is written lies in the user's own folders: then no file may be made that runs as its owner, whoever starts it.
   * (What is accepted from a copy loses that right on the way.)
   */
  readonly writesUsersFiles: boolean;
}

/** The filter for Bubblewrap's `--seccomp`, or undefined where we know no system call numbers. */
export function seccompFilter(architecture: string, purpose: FilterPurpose): Buffer | undefined {
  return architecture === 'x64' || architecture === 'arm64'
    ? assemble(filterProgram(architecture, purpose))
    : undefined;
}

/**
 * Allows what is not refused: the walls are the namespaces; this takes away calls that reach around them or into little
 * tried parts of the kernel. A refused call fails with an error that programs know how to report.
 */
export function filterProgram(
  architecture: Architecture,
  { writesUsersFiles }: FilterPurpose = { writesUsersFiles: false },
): Instruction[] {
  const column = architecture === 'x64' ? 0 : 1;
  const number = (numbers: Numbers) => numbers[column];
  const on = (numbers: Numbers, block: readonly Instruction[]) => {
    const wanted = number(numbers);
    return wanted === undefined ? [] : when('equal', wanted, block);
  };
  return [
    // 1. Another architecture's numbers mean other calls, so none of them is let through.
    load(call.architecture),
    ...unless(auditArchitecture[architecture], [verdict(kill)]),
    load(call.number),
    // 2. The x32 table is a second set of numbers for the same calls.
    ...(architecture === 'x64' ? when('atLeast', 0x4000_0000, [verdict(fail(constants.errno.ENOSYS))]) : []),
    // 3. Refused whatever the arguments are.
    ...Object.values(refusedCalls).flatMap(numbers => on(numbers, [verdict(fail(constants.errno.EPERM))])),
    // 4. Judged by arguments; each block ends in a verdict.
    ...on(judgedCalls.clone, namespaceRule(0, newNamespaces)),
    // Its flags lie in memory, where a filter cannot look. The C library falls back to clone.
    ...on(judgedCalls.clone3, [verdict(fail(constants.errno.ENOSYS))]),
    ...on(judgedCalls.unshare, namespaceRule(0, newNamespaces | newTimeNamespace)),
    ...on(judgedCalls.ioctl, terminalRule),
    ...on(judgedCalls.socket, socketRule),
    ...on(judgedCalls.socketpair, pairRule),
    ...(writesUsersFiles ? plainModes.flatMap(([numbers, rule]) => on(numbers, rule)) : []),
    verdict(allow),
  ];
}

const allow = 0x7fff_0000;
const kill = 0x8000_0000;

function fail(errno: number): number {
  return 0x0005_0000 | errno;
}

const auditArchitecture: Record<Architecture, number> = { x64: 0xc000_003e, arm64: 0xc000_00b7 };

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const newNamespaces = 0x7e02_0000;
/** CLONE_NEWTIME: in clone(2) the same bit is part of the exit signal. */
const newTimeNamespace = 0x80;

function namespaceRule(argument: number, flags: number): Instruction[] {
  return [
    load(call.argument(argument)),
    ...when('anyBit', flags, [verdict(fail(constants.errno.EPERM))]),
    verdict(allow),
  ];
}

/** TIOCSTI types into the terminal that started us; TIOCLINUX pastes into a console. */
const terminalRule: readonly Instruction[] = [
  load(call.argument(1)),
  ...[0x5412, 0x541c].flatMap(request => when('equal', request, [verdict(fail(constants.errno.EPERM))])),
  verdict(allow),
];

const family = { unix: 1, inet: 2, inet6: 10, netlink: 16 };
const socketRaw = 3;
const netlinkRoute = 0;

/** Unix, TCP and UDP sockets, and the netlink socket that lists interfaces. Nothing raw, nothing rare. */
const socketRule: readonly Instruction[] = [
  load(call.argument(0)),
  ...when('equal', family.unix, [verdict(allow)]),
  ...when('equal', family.netlink, [
    load(call.argument(2)),
    ...when('equal', netlinkRoute, [verdict(allow)]),
    verdict(fail(constants.errno.EPERM)),
  ]),
  ...[family.inet, family.inet6].flatMap(each =>
    when('equal', each, [
      load(call.argument(1)),
      keepBits(0xf),
      ...when('equal', socketRaw, [verdict(fail(constants.errno.EPERM))]),
      verdict(allow),
    ]),
  ),
  verdict(fail(constants.errno.EAFNOSUPPORT)),
];

/** A pair of other families is of no use, but making one loads and tries their parts of the kernel. */
const pairRule: readonly Instruction[] = [
  load(call.argument(0)),
  ...when('equal', family.unix, [verdict(allow)]),
  verdict(fail(constants.errno.EAFNOSUPPORT)),
];

const setUserId = 0o4000;
/** O_CREAT, __O_TMPFILE: without them the mode that is passed means nothing. */
const makesFile = 0o100 | 0o20000000;

function modeRule(argument: number): Instruction[] {
  return [
    load(call.argument(argument)),
    ...when('anyBit', setUserId, [verdict(fail(constants.errno.EPERM))]),
    verdict(allow),
  ];
}

function openRule(flags: number): Instruction[] {
  return [load(call.argument(flags)), ...when('anyBit', makesFile, modeRule(flags + 1)), verdict(allow)];
}

/** Calls that give a file its mode, and where they carry it. */
const plainModes: readonly (readonly [Numbers, readonly Instruction[]])[] = [
  [judgedCalls.chmod, modeRule(1)],
  [judgedCalls.fchmod, modeRule(1)],
  [judgedCalls.fchmodat, modeRule(2)],
  [judgedCalls.fchmodat2, modeRule(2)],
  [judgedCalls.creat, modeRule(1)],
  [judgedCalls.mknod, modeRule(1)],
  [judgedCalls.mknodat, modeRule(2)],
  [judgedCalls.open, openRule(1)],
  [judgedCalls.openat, openRule(2)],
  // Its mode lies in memory. Programs fall back on openat.
  [judgedCalls.openat2, [verdict(fail(constants.errno.ENOSYS))]],
];
