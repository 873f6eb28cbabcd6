import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { containersConf, podmanOptions } from './podman.ts';

/**
 * Podman's records of one session, in a folder of its own: no container of the user's is known there, and none of ours
 * elsewhere. A container outlives the podman that started it, so a keeper waits on a pipe that closes with this
 * process, however that ends, and then removes every container that the records know, and the records.
 */
export class PodmanRecords implements AsyncDisposable {
  readonly directory: string;
  /** For podman itself: nothing of the user's settings. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #keeper: ChildProcess;
  readonly #gone: Promise<void>;

  /** `enter` joins the namespaces that Podman runs in, if any. */
  constructor(
    podman: string,
    readonly enter: readonly string[],
  ) {
    this.directory = mkdtempSync(join(runtimeDirectory(), 'cordon-p-'));
    for (const name of ['s', 'r', 't', 'o', 'h', 'v', 'x', 'l'])
      mkdirSync(join(this.directory, name), { mode: 0o700 });
    writeFileSync(join(this.directory, 'storage.conf'), this.#storage(), { mode: 0o600 });
    writeFileSync(join(this.directory, 'containers.conf'), containersConf(this.directory, {}), {
      mode: 0o600,
    });
    this.environment = {
      PATH: '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LC_ALL: 'C',
      HOME: join(this.directory, 'x'),
      XDG_RUNTIME_DIR: join(this.directory, 'x'),
      CONTAINERS_STORAGE_CONF: join(this.directory, 'storage.conf'),
      CONTAINERS_CONF: join(this.directory, 'containers.conf'),
    };
    const [file = '', ...args] = [
      ...enter,
      '/bin/sh',
      '-c',
      script,
      'keeper',
      this.directory,
      podman,
      ...podmanOptions(this),
    ];
    // In a session of its own: what ends the broker's process group does not end its keeper.
    this.#keeper = spawn(file, args, {
      cwd: '/',
      env: { ...this.environment },
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#keeper.stdin?.on('error', () => undefined);
    this.#gone = new Promise(resolve => {
      this.#keeper.once('exit', () => resolve());
      this.#keeper.once('error', () => resolve());
    });
  }

  lives(): boolean {
    return (
      this.#keeper.pid !== undefined && this.#keeper.exitCode === null && this.#keeper.signalCode === null
    );
  }

  /** A folder for one launch: what it is made with. */
  launchDirectory(): string {
    const directory = mkdtempSync(join(this.directory, 'l', 'l-'));
    // Made beforehand, so that they belong to the user and can be removed.
    for (const name of ['dev', 'etc', 'proc', 'run', 'sys'])
      mkdirSync(join(directory, 'root', name), { recursive: true });
    return directory;
  }

  /** What cannot be removed at once goes with the records. */
  dropLaunchDirectory(directory: string): void {
    try {
      rmSync(directory, { recursive: true, force: true });
    } catch {
      // Podman is still at it.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#keeper.stdin?.end();
    await this.#gone;
  }

  #storage(): string {
    return `[storage]\ndriver = "vfs"\nrunroot = "${this.directory}/r"\ngraphroot = "${this.directory}/s"\n`;
  }
}

// Podman keeps a process that holds its user namespace; it ends with the records that it belongs to.
const script = `
cat > /dev/null
directory=$1
shift
"$@" rm --all --force --time=0 > /dev/null 2>&1
for file in "$directory"/x/libpod/tmp/pause.pid "$directory"/t/pause.pid; do
  [ -s "$file" ] && kill -KILL "$(cat "$file")"
done
# What Podman left running to clear away may still write.
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf "$directory"
  sleep 0.05
  [ -e "$directory" ] || break
done
`;

/** Where the user's own short-lived files are; Podman refuses a path of more than 50 characters. */
function runtimeDirectory(): string {
  const named = process.env['XDG_RUNTIME_DIR'];
  if (named === undefined || !/^\/[\w./-]{1,30}$/.test(named)) return '/tmp';
  const stat = statSync(named, { throwIfNoEntry: false });
  return stat?.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0 ? named : '/tmp';
}
