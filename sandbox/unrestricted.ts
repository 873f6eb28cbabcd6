import { spawn } from 'node:child_process';
import type { LaunchRequest, ProcessExit, Sandbox, SandboxedProcess } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';
import { startedClock } from './wallClock.ts';

/**
 * Commands without walls, for the mode that the user confirms each time. Only what runs in the `system` view is let out:
 * the agent itself and the file writer stay inside. Credentials and VS Code's own variables are left out of the
 * environment all the same. A program that makes itself a daemon of another process group outlives `kill`; inside the
 * walls it would not.
 */
export function unrestrictedSandbox(walls: Sandbox, host: NodeJS.ProcessEnv = process.env): Sandbox {
  const running = new Set<SandboxedProcess>();
  let isClosed = false;
  return {
    // What is let out needs nothing shown elsewhere.
    ...(walls.showsInPlace === undefined ? {} : { showsInPlace: walls.showsInPlace }),
    ...(walls.owner === undefined ? {} : { owner: walls.owner }),
    async launch(request) {
      if (request.view === 'bare') return walls.launch(request);
      if (isClosed) throw sandboxErrors.closed();
      const started = await start(request, hostEnvironment(host, request.environment));
      running.add(started);
      void started.exited.then(() => running.delete(started));
      if (isClosed) await started.kill();
      return started;
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      await Promise.all([...running].map(each => each.kill()));
      await walls[Symbol.asyncDispose]();
    },
  };
}

/** The host's environment without what gives access or steers VS Code and Node. Pure. */
export function hostEnvironment(
  host: Readonly<Record<string, string | undefined>>,
  added: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const kept = Object.entries(host).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !withheld.test(entry[0]),
  );
  return { ...Object.fromEntries(kept), ...added };
}

const withheld =
  /^(?:VSCODE_|ELECTRON_|CORDON_|LD_|DYLD_|NODE_OPTIONS$|BASH_ENV$|GIT_ASKPASS$)|(?:TOKEN|KEY|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(?:_|$)/i;

function start(request: LaunchRequest, env: Record<string, string>): Promise<SandboxedProcess> {
  const [file, ...args] = request.argv;
  const output = request.output ?? 'pipe';
  // A process group of its own, so that the whole of it can be ended.
  const child = spawn(file, args, {
    cwd: request.cwd,
    env,
    detached: true,
    stdio: [request.stdin, output, output],
  });
  const { pid } = child;
  let limit: string | undefined;
  const end = () => signalGroup(pid, 'SIGKILL');
  const clock = startedClock(request.timeout, message => {
    limit = message;
    end();
  });
  const exited = new Promise<ProcessExit>(resolve => {
    child.once('exit', (code, signal) => {
      clock?.end();
      // What it left behind in its group ends with it, as inside the walls.
      end();
      resolve(limit === undefined ? { code, signal } : { code, signal, limit });
    });
  });
  // A program that ends without reading must not end us.
  child.stdin?.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    child.once('error', cause => reject(sandboxErrors.didNotStart(cause.message, cause)));
    child.once('spawn', () =>
      resolve({
        pid: pid ?? 0,
        programPid: pid,
        stdin: child.stdin,
        stdout: child.stdout,
        stderr: child.stderr,
        exited,
        signal: name => signalGroup(pid, name),
        async kill() {
          end();
          await exited;
        },
      }),
    );
  });
}

function signalGroup(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // The group is gone already.
  }
}
