import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assemble, load, verdict, when, type Instruction } from '../../../sandbox/seccomp/classicBpf.ts';
import { filterProgram, seccompFilter, type Architecture } from '../../../sandbox/seccomp/filter.ts';
import { judgedCalls, refusedCalls } from '../../../sandbox/seccomp/systemCalls.ts';

const audit = { x64: 0xc000003e, arm64: 0xc00000b7 };
const column = { x64: 0, arm64: 1 } as const;
const architectures: Architecture[] = ['x64', 'arm64'];

/** What the kernel does with a filter, in the few operations that we use. */
function judge(
  program: readonly Instruction[],
  number: number,
  args: readonly number[] = [],
  architecture = audit.x64,
): string {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number, 0);
  data.writeUInt32LE(architecture, 4);
  for (const [at, value] of args.entries()) data.writeUInt32LE(value >>> 0, 16 + 8 * at);
  let word = 0;
  for (let at = 0; ;) {
    const { code, ifTrue, ifFalse, operand } = program[at] as Instruction;
    at += 1;
    const jump = (isTrue: boolean) => (at += isTrue ? ifTrue : ifFalse);
    if (code === 0x20) word = data.readUInt32LE(operand);
    else if (code === 0x54) word = (word & operand) >>> 0;
    else if (code === 0x15) jump(word === operand >>> 0);
    else if (code === 0x35) jump(word >= operand >>> 0);
    else if (code === 0x45) jump((word & operand) !== 0);
    else if (code === 0x06) return named(operand >>> 0);
    else throw new Error(`unknown operation ${code}`);
  }
}

function named(value: number): string {
  if (value === 0x7fff0000) return 'allow';
  if (value === 0x80000000) return 'kill';
  const [name] = Object.entries(constants.errno).find(([, number]) => number === (value & 0xffff)) ?? [];
  return name ?? String(value);
}

describe.each(architectures)('the filter for %s', architecture => {
  const program = filterProgram(architecture);
  const decide = (number: number, ...args: number[]) => judge(program, number, args, audit[architecture]);
  const numberOf = (name: keyof typeof judgedCalls): number => judgedCalls[name][column[architecture]] ?? -1;

  test('refuses every call on the list with an error that programs can report', () => {
    const verdicts = Object.values(refusedCalls)
      .map(numbers => numbers[column[architecture]])
      .filter(number => number !== undefined)
      .map(number => decide(number, 0, 0, 0));
    expect(new Set(verdicts)).toEqual(new Set(['EPERM']));
    expect(verdicts.length).toBeGreaterThan(45);
  });

  test('lets all other calls through', () => {
    const special = new Set(
      [...Object.values(refusedCalls), ...Object.values(judgedCalls)].map(each => each[column[architecture]]),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 600 }),
        fc.array(fc.integer(), { maxLength: 6 }),
        (number, args) => {
          fc.pre(!special.has(number));
          expect(decide(number, ...args)).toBe('allow');
        },
      ),
    );
  });

  test('kills a process that speaks with the numbers of another architecture', () => {
    expect(
      [0x40000003, 0xc00000b7, 0xc000003e, 0]
        .filter(each => each !== audit[architecture])
        .map(each => judge(program, 1, [], each)),
    ).toEqual(['kill', 'kill', 'kill']);
  });

  test('lets threads and processes be made, but no namespaces, whichever other flags are set', () => {
    const namespaces = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000];
    fc.assert(
      fc.property(fc.constantFrom(...namespaces), fc.integer({ min: 0, max: 0x1ffff }), (flag, others) => {
        expect([
          decide(numberOf('clone'), flag | others),
          decide(numberOf('unshare'), flag | others),
        ]).toEqual(['EPERM', 'EPERM']);
      }),
    );
    // The flags with which the C library makes a thread.
    expect(decide(numberOf('clone'), 0x3d0f00)).toBe('allow');
    expect(decide(numberOf('clone'), 17)).toBe('allow');
    expect(decide(numberOf('unshare'), 0x400)).toBe('allow');
    expect(decide(numberOf('unshare'), 0x80)).toBe('EPERM');
    expect(decide(numberOf('clone3'), 0)).toBe('ENOSYS');
  });

  test('refuses to type into terminals, whatever the upper half of the request holds', () => {
    expect([0x5412, 0x541c, 0x5401, 0x5413].map(request => decide(numberOf('ioctl'), 0, request))).toEqual([
      'EPERM',
      'EPERM',
      'allow',
      'allow',
    ]);
  });

  test('knows ordinary sockets from raw and rare ones', () => {
    const cloexec = 0x80000;
    const verdicts = [
      [1, 1, 0],
      [2, 1 | cloexec, 0],
      [10, 2, 17],
      [16, 3, 0], // unix, TCP, UDP, route
      [2, 3, 1],
      [10, 3 | cloexec, 58],
      [16, 3, 9],
      [17, 3, 0],
      [40, 1, 0],
      [38, 5, 0], // raw, audit, packet, vsock, crypto
    ].map(args => decide(numberOf('socket'), ...args));
    expect(verdicts.join(' ')).toBe(
      'allow allow allow allow EPERM EPERM EPERM EAFNOSUPPORT EAFNOSUPPORT EAFNOSUPPORT',
    );
  });

  test('makes pairs of Unix sockets only', () => {
    expect([1, 2, 30, 40].map(family => decide(numberOf('socketpair'), family, 1, 0))).toEqual([
      'allow',
      'EAFNOSUPPORT',
      'EAFNOSUPPORT',
      'EAFNOSUPPORT',
    ]);
  });

  test("lets no file of the user's run as its owner, whoever starts it", () => {
    const strict = filterProgram(architecture, { writesUsersFiles: true });
    const verdictOf = (name: keyof typeof judgedCalls, ...args: number[]) => {
      const number = numberOf(name);
      return number < 0 ? 'absent' : judge(strict, number, args, audit[architecture]);
    };
    const absent = architecture === 'arm64';
    const creating = 0o101;
    const unnamed = 0o20200001;
    expect([
      verdictOf('chmod', 0, 0o4755),
      verdictOf('fchmod', 3, 0o4755),
      verdictOf('fchmodat', 3, 0, 0o6755),
      verdictOf('fchmodat2', 3, 0, 0o4000, 0),
      verdictOf('creat', 0, 0o4755),
      verdictOf('mknod', 0, 0o104755),
      verdictOf('mknodat', 3, 0, 0o104755),
      verdictOf('open', 0, creating, 0o4755),
      verdictOf('openat', 3, 0, creating, 0o4755),
      verdictOf('openat', 3, 0, unnamed, 0o4755),
      verdictOf('openat2', 3, 0, 0, 24),
    ]).toEqual([
      ...(absent ? ['absent'] : ['EPERM']),
      'EPERM',
      'EPERM',
      'EPERM',
      ...(absent ? ['absent', 'absent', 'EPERM', 'absent'] : ['EPERM', 'EPERM', 'EPERM', 'EPERM']),
      'EPERM',
      'EPERM',
      'ENOSYS',
    ]);
    expect([
      verdictOf('fchmodat', 3, 0, 0o2755),
      verdictOf('openat', 3, 0, creating, 0o644),
      // Without a file to make, the mode is whatever lay in the register.
      verdictOf('openat', 3, 0, 0, 0o4755),
      decide(numberOf('fchmodat'), 3, 0, 0o4755),
    ]).toEqual(['allow', 'allow', 'allow', 'allow']);
  });
});

test('the second table of numbers on x86-64 is closed', () => {
  expect(judge(filterProgram('x64'), 0x40000000 + 101)).toBe('ENOSYS');
});

test('there is no filter for an architecture whose numbers we do not know', () => {
  expect(seccompFilter('riscv64', { writesUsersFiles: false })).toBeUndefined();
});

test('instructions are eight bytes, little-endian', () => {
  expect(
    assemble([load(4), ...when('equal', 0xc000003e, [verdict(0x7fff0000)]), verdict(0)]).toString('hex'),
  ).toBe('2000000004000000150000013e0000c0060000000000ff7f0600000000000000');
});

test('a jump past the end and a block that is too long are refused', () => {
  expect(() => assemble(when('equal', 1, [verdict(0)]))).toThrow(RangeError);
  expect(() =>
    when(
      'equal',
      1,
      Array.from({ length: 256 }, () => verdict(0)),
    ),
  ).toThrow(RangeError);
});

const header = '/usr/include/x86_64-linux-gnu/asm/unistd_64.h';
test.skipIf(!existsSync(header))("the numbers are those of this machine's kernel headers", () => {
  const text = readFileSync(header, 'utf8');
  const known = Object.entries({ ...refusedCalls, ...judgedCalls }).flatMap(([name, [number]]) => {
    const real = new RegExp(`__NR_${name} (\\d+)`).exec(text)?.[1];
    return real === undefined || number === undefined ? [] : [[name, number, Number(real)] as const];
  });
  expect(known.filter(([, ours, real]) => ours !== real)).toEqual([]);
  expect(known.length).toBeGreaterThan(50);
});

test.skipIf(!existsSync('/usr/include/asm-generic/unistd.h') || !existsSync('/usr/bin/gcc'))(
  'the arm64 numbers are those of the generic kernel headers',
  () => {
    const text = execFileSync(
      '/usr/bin/gcc',
      [
        '-E',
        '-dM',
        '-D__BITS_PER_LONG=64',
        '-include',
        '/usr/include/asm-generic/unistd.h',
        '-x',
        'c',
        '/dev/null',
      ],
      { encoding: 'utf8' },
    );
    const known = Object.entries({ ...refusedCalls, ...judgedCalls }).flatMap(([name, [, number]]) => {
      const real = new RegExp(`__NR_${name} (\\d+)`).exec(text)?.[1];
      return real === undefined || number === undefined ? [] : [[name, number, Number(real)] as const];
    });
    expect(known.filter(([, ours, real]) => ours !== real)).toEqual([]);
    expect(known.length).toBeGreaterThan(40);
  },
);
