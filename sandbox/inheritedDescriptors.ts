import { spawn, type ChildProcess, type SpawnOptions, type StdioOptions } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { coverStreams } from './coveredStreams.ts';

/** Starts a program that inherits nothing but the streams it is given, and of these no file of the user's. */
export function spawnCovered(
  file: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'cwd' | 'env' | 'detached'>,
  streams: Exclude<StdioOptions, string>,
): ChildProcess {
  const nothing = openSync('/dev/null', 'r+');
  try {
    const covered = coverStreams(streams);
    const stdio = [...covered.streams];
    for (const descriptor of inheritedDescriptors()) {
      while (stdio.length < descriptor) stdio.push('ignore');
      if (stdio.length === descriptor) stdio.push(nothing);
      else if (descriptor >= streams.length) stdio[descriptor] = nothing;
    }
    const child = spawn(file, args, { ...options, stdio });
    covered.started(child);
    return child;
  } finally {
    closeSync(nothing);
  }
}

/**
 * Descriptors of this process that a child would inherit: whoever started us left them open, and Node closes only the
 * first of them. An open file or folder is a way around every wall, so each is covered when a child is started.
 */
export function inheritedDescriptors(): number[] {
  return readdirSync('/proc/self/fdinfo')
    .map(Number)
    .filter(descriptor => descriptor > 2 && !closesOnExec(descriptor));
}

/** Whether one of the standard streams is a folder: through it a program reaches all that lies around it. */
export function hasFolderForStream(): boolean {
  return [0, 1, 2].some(descriptor => {
    try {
      return fstatSync(descriptor).isDirectory();
    } catch {
      return false;
    }
  });
}

function closesOnExec(descriptor: number): boolean {
  try {
    const flags =
      /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1] ?? '0';
    // O_CLOEXEC, which the kernel shows among the flags in octal.
    return (Number.parseInt(flags, 8) & 0o2000000) !== 0;
  } catch {
    // Closed in the meantime: it was the one with which we looked.
    return true;
  }
}
