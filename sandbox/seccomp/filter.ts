import { constants } from 'node:os';
import { assemble, call, keepBits, load, unless, verdict, when, type Instruction } from './classicBpf.ts';
import { judgedCalls, refusedCalls, type Numbers } from './systemCalls.ts';

export type Architecture = 'x64' | 'arm64';

/** The filter for Bubblewrap's `--seccomp`, or undefined where we know no system call numbers. */
export function seccompFilter(architecture: string): Buffer | undefined {
  return architecture === 'x64' || architecture === 'arm64'
    ? assemble(filterProgram(architecture))
    : undefined;
}

/**
 * Allows what is not refused: the walls are the namespaces; this takes away calls that reach around them or into little
 * tried parts of the kernel. A refused call fails with an error that programs know how to report.
 */
export function filterProgram(architecture: Architecture): Instruction[] {
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
