import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket as Datagrams } from 'node:dgram';
import type { Server } from 'node:net';
import { findNsenter } from './holder.ts';
import { sandboxErrors } from './sandboxErrors.ts';

/**
 * Opens a listening socket on 127.0.0.1 of another network, that of the process `pid`, and hands it to this process:
 * a socket belongs to the network it was made in, whoever holds it. So nothing runs inside and nothing is relayed
 * twice; what connects there is answered here. Rejects with `sandbox.noNetwork`.
 */
export async function openLoopbackDoor(pid: number, ports: readonly number[]): Promise<LoopbackDoor> {
  // Not its mount namespace: what lies in a workspace there may be the agent's own, Node included.
  const args = ['--target', String(pid), '--user', '--net', '--preserve-credentials', '--'];
  const child = spawn(findNsenter(), [...args, process.execPath, '-e', script, ...ports.map(String)], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', ELECTRON_RUN_AS_NODE: '1' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  try {
    const handed = await handedOver(child);
    const [server] = handed.servers;
    const address = server?.address();
    if (server === undefined || address === null || typeof address !== 'object')
      throw sandboxErrors.noNetwork('no port was given');
    // Either side may end its sending and go on reading.
    for (const each of handed.servers) Object.assign(each, { allowHalfOpen: true });
    return { ...handed, port: address.port };
  } finally {
    child.kill('SIGKILL');
  }
}

export interface LoopbackDoor {
  /** Already listening; connections come from the other network. First that of the service's own port. */
  readonly servers: readonly Server[];
  /** Where names are asked for (UDP port 53), if it could be had. */
  readonly names: Datagrams | undefined;
  /** The service's own. */
  readonly port: number;
}

// One thing after the other, each handed over with its name. The well-known ports are a convenience: another process
// that keeps the same session may have them already.
const script = `
const hand = (name, handle) => new Promise(done => process.send(name, handle, () => { handle && handle.close(); done(); }));
const listen = (port, host) => new Promise((resolve, reject) => {
  const server = require('node:net').createServer();
  server.once('error', reject).listen(port, host, () => resolve(server));
});
const names = () => new Promise((resolve, reject) => {
  const socket = require('node:dgram').createSocket('udp4');
  socket.once('error', reject).bind(53, '127.0.0.1', () => resolve(socket));
});
(async () => {
  await hand('server', await listen(0, '127.0.0.1'));
  for (const port of process.argv.slice(1))
    await listen(Number(port), '0.0.0.0').then(server => hand('server', server), () => undefined);
  await names().then(socket => hand('names', socket), () => undefined);
  await hand('done');
})().catch(error => { console.error(error.message); process.exit(1); });
setTimeout(() => process.exit(1), 60000);
`;

type Handed = Pick<LoopbackDoor, 'servers' | 'names'>;

function handedOver(child: ChildProcess): Promise<Handed> {
  return new Promise((resolve, reject) => {
    const servers: Server[] = [];
    let names: Datagrams | undefined;
    let said = '';
    let isDone = false;
    const fail = (why: string, cause?: unknown) => {
      if (isDone) return;
      for (const each of servers) each.close();
      names?.close();
      reject(sandboxErrors.noNetwork(why, cause));
    };
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(0, 1_000);
    });
    child.on('message', (message, handle) => {
      if (message === 'server') servers.push(handle as Server);
      else if (message === 'names') names = handle as Datagrams;
      else {
        isDone = true;
        resolve({ servers, names });
      }
    });
    child.once('error', cause => fail(cause.message, cause));
    child.once('exit', code => fail(said.trim() || `its helper ended with ${String(code)}`));
  });
}
