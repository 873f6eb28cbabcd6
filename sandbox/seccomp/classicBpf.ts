// Just enough of the kernel's classic BPF to judge a system call: load a word of the call, compare it, return a verdict.
// See Documentation/userspace-api/seccomp_filter.rst and include/uapi/linux/filter.h.

/** One instruction: 16-bit operation, two 8-bit relative jumps, 32-bit operand. */
export interface Instruction {
  readonly code: number;
  readonly ifTrue: number;
  readonly ifFalse: number;
  readonly operand: number;
}

/** Instructions as the kernel wants them: 8 bytes each, little-endian (x86-64 and arm64 both are). */
export function assemble(program: readonly Instruction[]): Buffer {
  // BPF_MAXINSNS; the kernel refuses a longer one.
  if (program.length > 4_096)
    throw new RangeError(`A filter has at most 4096 instructions, not ${program.length}.`);
  const bytes = Buffer.alloc(program.length * 8);
  for (const [at, { code, ifTrue, ifFalse, operand }] of program.entries()) {
    const last = at + 1 + Math.max(ifTrue, ifFalse);
    if (last > program.length - 1 && code !== operations.return)
      throw new RangeError(`Instruction ${at} jumps past the end.`);
    bytes.writeUInt16LE(code, at * 8);
    bytes.writeUInt8(ifTrue, at * 8 + 2);
    bytes.writeUInt8(ifFalse, at * 8 + 3);
    bytes.writeUInt32LE(operand >>> 0, at * 8 + 4);
  }
  return bytes;
}

/** BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, …|BPF_JGE, …|BPF_JSET, BPF_ALU|BPF_AND|BPF_K, BPF_RET|BPF_K. */
export const operations = {
  load: 0x20,
  equal: 0x15,
  atLeast: 0x35,
  anyBit: 0x45,
  and: 0x54,
  return: 0x06,
} as const;

/** Offsets in struct seccomp_data. Of an argument only the low half: the kernel ignores the other in these calls. */
export const call = { number: 0, architecture: 4, argument: (at: number) => 16 + 8 * at } as const;

/** Loads a 32-bit word of the call. */
export function load(offset: number): Instruction {
  return { code: operations.load, ifTrue: 0, ifFalse: 0, operand: offset };
}

/** Keeps these bits of what was loaded. */
export function keepBits(bits: number): Instruction {
  return { code: operations.and, ifTrue: 0, ifFalse: 0, operand: bits };
}

/** Ends with a verdict. */
export function verdict(value: number): Instruction {
  return { code: operations.return, ifTrue: 0, ifFalse: 0, operand: value };
}

type Test = 'equal' | 'atLeast' | 'anyBit';

/** Runs the block when what was loaded passes the test; else skips it. A block has at most 255 instructions. */
export function when(test: Test, operand: number, block: readonly Instruction[]): Instruction[] {
  if (block.length > 255) throw new RangeError('A block has at most 255 instructions.');
  return [{ code: operations[test], ifTrue: 0, ifFalse: block.length, operand }, ...block];
}

/** Runs the block when what was loaded is another value; else skips it. */
export function unless(operand: number, block: readonly Instruction[]): Instruction[] {
  if (block.length > 255) throw new RangeError('A block has at most 255 instructions.');
  return [{ code: operations.equal, ifTrue: block.length, ifFalse: 0, operand }, ...block];
}
