import { execFileSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import { accessSync, closeSync, constants, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyInput, followInput } from './copiedInput.ts';
import { passInput } from './passedInput.ts';
import { passOutput } from './passedOutput.ts';

type Streams = Exclude<StdioOptions, string>;

/**
 * Puts something else in the place of each standard stream that a program would inherit and that is a file of this
 * user's: whoever holds a file open, if only to read, may open it anew to write, or give it other permissions, by
 * `/proc/self/fd`, whatever is mounted. A small input becomes a copy without a name; a large one, and what is printed,
 * goes through a pipe.
 * Call `started` once the program has its streams.
 */
export function coverStreams(streams: Streams): {
  readonly streams: Streams;
  readonly started: (child: ChildProcess) => void;
} {
  const files = [0, 1, 2].filter(descriptor => streams[descriptor] === 'inherit' && isOwnFile(descriptor));
  if (files.length === 0) return { streams, started: () => undefined };
  const covered = [...streams];
  const folder = mkdtempSync(join(tmpdir(), 'cordon-streams-'));
  const handed: number[] = [];
  const begin: ((child: ChildProcess) => void)[] = [];
  try {
    for (const descriptor of files) {
      const same = files.find(each => each > 0 && each < descriptor && isSameFile(each, descriptor));
      if (same !== undefined) {
        // What goes to one file stays in order.
        covered[descriptor] = covered[same];
        continue;
      }
      if (descriptor === 0 && isSmall(0)) {
        const theirs = copyInput(0, join(folder, 'input'));
        covered[0] = theirs;
        begin.push(child => followInput(0, theirs, child));
        continue;
      }
      const pipe = join(folder, String(descriptor));
      execFileSync('mkfifo', ['--mode=600', pipe], { env: { PATH: '/usr/bin:/bin' }, stdio: 'ignore' });
      // Not blocking, or it would wait for a writer.
      const reading = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
      const writing = openSync(pipe, constants.O_WRONLY);
      if (descriptor === 0) {
        const theirs = openSync(pipe, constants.O_RDONLY);
        handed.push(theirs);
        covered[0] = theirs;
        begin.push(child => passInput(0, { reading, writing }, child));
      } else {
        handed.push(writing);
        covered[descriptor] = writing;
        begin.push(() => passOutput(reading, descriptor));
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    streams: covered,
    started(child) {
      for (const each of handed) closeSync(each);
      for (const each of begin) each(child);
    },
  };
}

/** A pipe that was filled and closed cannot be opened anew (`/dev/stdin`); a large file does not fit into it at once. */
function isSmall(descriptor: number): boolean {
  const stat = fstatSync(descriptor);
  return stat.isFile() && stat.size <= mostCopied;
}

/** Bytes. */
const mostCopied = 2 ** 22;

/** One without a name any more is nobody's: shells keep what is typed into a command that way. */
function isOwnFile(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile() && !stat.isBlockDevice()) return false;
    return stat.nlink > 0 && (stat.uid === process.getuid?.() || mayWrite(descriptor));
  } catch {
    // It is closed.
    return false;
  }
}

function mayWrite(descriptor: number): boolean {
  try {
    accessSync(`/proc/self/fd/${descriptor}`, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function isSameFile(one: number, other: number): boolean {
  const [a, b] = [one, other].map(each => fstatSync(each, { bigint: true }));
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}
