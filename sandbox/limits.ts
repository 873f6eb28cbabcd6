import { totalmem } from 'node:os';

/** What one process tree may use. */
export interface Limits {
  /** Processes and threads at once. */
  readonly processes: number;
  /** Bytes of data memory of one process. */
  readonly memory: number;
  /** Open files of one process. */
  readonly openFiles: number;
  /** Bytes written to standard output and error together, where they are pipes. */
  readonly output: number;
  /** Bytes of one file written. */
  readonly fileSize: number;
  /**
   * Bytes of a core file. 1 is the kernel's word for: do not even tell the machine's own handler, which would look at
   * the dead process from outside, as root. 0 where 1 would be refused.
   */
  readonly core?: 0 | 1;
  /** Bytes that a session's commands may leave on disk: in the copy of the workspace, /tmp and HOME together. */
  readonly diskSpace: number;
}

export const defaultLimits: Limits = {
  processes: 4_096,
  memory: Math.max(2 ** 31, Math.floor(totalmem() * 0.75)),
  openFiles: 65_536,
  output: 256 * 2 ** 20,
  fileSize: 64 * 2 ** 30,
  diskSpace: 20 * 2 ** 30,
};

/** Sentences for what a limit ended; each names the setting. */
export const limitMessages = {
  wallTime: (milliseconds: number) =>
    `It was ended because it ran longer than ${milliseconds / 1000} s (setting "cordon.limits.wallTime").`,
  processes: (count: number) =>
    `It was ended because it ran more than ${count} processes (setting "cordon.limits.processes").`,
  memory: (bytes: number) =>
    `It was ended because one of its processes used more than ${Math.floor(bytes / 2 ** 20)} MB of memory (setting "cordon.limits.memory").`,
  output: (bytes: number) =>
    `It was ended because it printed more than ${Math.floor(bytes / 2 ** 20)} MB (setting "cordon.limits.output").`,
  diskSpace: (bytes: number) =>
    `It was ended because the commands here wrote more than ${Math.floor(bytes / 2 ** 20)} MB to disk, counting the copy of the workspace, /tmp and HOME (setting "cordon.limits.diskSpace").`,
  diskFull: () =>
    'It was ended because less than 5 % of the disk was left, which Cordon keeps free; how much commands may write at all is the setting "cordon.limits.diskSpace".',
};

/** Options for prlimit(1) in front of Bubblewrap. */
export function outerLimitOptions(limits: Limits): string[] {
  return [
    `--nofile=${limits.openFiles}:${limits.openFiles}`,
    `--data=${limits.memory}:${limits.memory}`,
    `--fsize=${limits.fileSize}:${limits.fileSize}`,
    `--core=${limits.core ?? 0}:${limits.core ?? 0}`,
  ];
}

/**
 * Options for prlimit(1) inside. Only there can processes be limited: they are counted in the sandbox's own user
 * namespace, while outside all that the user runs would count, and Bubblewrap itself could not start.
 */
export function innerLimitOptions(limits: Limits): string[] {
  return [...outerLimitOptions(limits), `--nproc=${limits.processes}:${limits.processes}`];
}
