import { execFile } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { promisify } from 'node:util';
import type { NetworkService } from './sandbox.ts';
import { sandboxErrors } from './sandboxErrors.ts';

/**
 * The service of the broker's on this machine's own loopback, where sandboxed programs have no network of their own.
 * Every program of the machine can knock there, so each connection is looked up first, and only those that a command
 * of the session made are let in: no token has to be handed to programs that might not pass it on.
 */
export interface HostDoor extends Disposable {
  readonly port: number;
}

/** `isOurs` tells whether a process belongs to a command that runs. Rejects with `sandbox.noNetwork`. */
export async function openHostDoor(
  service: Pick<NetworkService, 'accept'>,
  isOurs: (pid: number) => Promise<boolean>,
): Promise<HostDoor> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, connection => {
    open.add(connection);
    connection.once('close', () => open.delete(connection));
    const ignore = () => undefined;
    connection.on('error', ignore);
    void mayEnter(connection, isOurs).then(may => {
      if (!may || connection.destroyed) return void connection.destroy();
      service.accept(connection);
      connection.off('error', ignore);
    });
  });
  server.maxConnections = mostConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', cause => reject(sandboxErrors.noNetwork(cause.message, cause)));
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: portOf(server),
    [Symbol.dispose]() {
      server.close();
      for (const each of open) each.destroy();
    },
  };
}

/** False wherever it cannot be told. */
async function mayEnter(connection: Socket, isOurs: (pid: number) => Promise<boolean>): Promise<boolean> {
  try {
    for (const pid of await clientsOf(connection)) if (await isOurs(pid)) return true;
  } catch {
    // What cannot be looked up is not let in.
  }
  return false;
}

/** The processes that hold the other end of a connection on loopback, as lsof(8) tells. */
export async function clientsOf({
  remotePort,
  localPort,
}: Pick<Socket, 'remotePort' | 'localPort'>): Promise<number[]> {
  const args = ['-nP', '-w', '-a', `-iTCP@127.0.0.1:${remotePort}`, '-F', 'pn'];
  const { stdout } = await promisify(execFile)('lsof', args, {
    cwd: '/',
    env: { PATH: '/usr/sbin:/usr/bin', LC_ALL: 'C' },
    timeout: 10_000,
    maxBuffer: 2 ** 22,
  });
  return parseClients(stdout, `n127.0.0.1:${remotePort}->127.0.0.1:${localPort}`);
}

/** Fields one a line: `p` a process, then `n` each of its sockets. Pure. */
export function parseClients(fields: string, wanted: string): number[] {
  const found = new Set<number>();
  let pid = 0;
  for (const line of fields.split('\n')) {
    if (line.startsWith('p')) pid = Number(line.slice(1));
    else if (line === wanted && Number.isInteger(pid) && pid > 1) found.add(pid);
  }
  return [...found];
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw sandboxErrors.noNetwork('no port was given');
  return address.port;
}

/** Of all commands of a session together. */
const mostConnections = 512;
