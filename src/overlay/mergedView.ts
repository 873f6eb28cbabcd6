import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { CordonError } from '../base/errors.ts';

/** What an overlay looks like from inside, readable from here. Disposing takes it away. */
export interface MergedView extends AsyncDisposable {
  /** Host path below which the merged folder lies. Never follow a link in it: it would lead through the host's root. */
  readonly path: string;
}

/**
 * Mounts the overlay once more, read-only, in a namespace of its own, and reads it through `/proc`. Node cannot read
 * the extended attributes in which the kernel keeps what is opaque; the kernel's own view needs no knowledge of them,
 * costs about 6 ms, and knows nothing older than itself, so that no stale name is met. Throws `overlay.view`.
 */
export async function openMergedView(upper: string, lower: string): Promise<MergedView> {
  const child = spawn(
    'unshare',
    ['--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh', upper, lower],
    {
      // Not what the caller's PATH names: that may hold a folder of the workspace.
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => void (said += chunk.toString()));
  // Whether it ended is read from `close`; a write to what is gone is no news.
  child.stdin.on('error', () => {});
  const closed = new Promise<void>(resolve => child.once('close', () => resolve()));
  const started = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    createInterface(child.stdout).once('line', resolve);
    void closed.then(() => reject(new Error(said.trim() || 'it ended at once')));
  });
  try {
    const pid = await started;
    return {
      path: `/proc/${pid}/root${mountPoint}`,
      async [Symbol.asyncDispose]() {
        child.stdin.end();
        await closed;
      },
    };
  } catch (cause) {
    child.stdin.end();
    throw new CordonError(
      'overlay.view',
      `The changes of the session cannot be read (${cause instanceof Error ? cause.message : String(cause)}).`,
      'Run "cordon doctor": copy-on-write needs user namespaces, and overlayfs in them.',
      { cause },
    );
  }
}

// Any folder that exists everywhere: nothing else looks at it in that namespace.
const mountPoint = '/tmp';

// The folders are named by descriptors, since commas, colons and backslashes mean something in mount options. `cat`
// ends with the pipe to us, so the view never outlives this process.
const script = `exec 3<"$1" 4<"$2" &&
mount -c -t overlay overlay -o ro,userxattr,lowerdir=/proc/self/fd/3:/proc/self/fd/4 ${mountPoint} &&
echo $$ && exec cat`;
