import { spawn, type ChildProcess } from 'node:child_process';
import type { Server } from 'node:net';
import { findNsenter } from './holder.ts';
import { sandboxErrors } from './sandboxErrors.ts';

/**
 * Opens a listening socket on 127.0.0.1 of another network, that of the process `pid`, and hands it to this process:
 * a socket belongs to the network it was made in, whoever holds it. So nothing runs inside and nothing is relayed
 * twice; what connects there is answered here. Rejects with `sandbox.noNetwork`.
 */
export async function openLoopbackDoor(pid: number): Promise<LoopbackDoor> {
  // Not its mount namespace: what lies in a workspace there may be the agent's own, Node included.
  const args = ['--target', String(pid), '--user', '--net', '--preserve-credentials', '--'];
  const child = spawn(findNsenter(), [...args, process.execPath, '-e', script], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', ELECTRON_RUN_AS_NODE: '1' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  try {
    const server = await listening(child);
    // Either side may end its sending and go on reading.
    Object.assign(server, { allowHalfOpen: true });
    const address = server.address();
    if (address === null || typeof address === 'string') throw sandboxErrors.noNetwork('no port was given');
    return { server, port: address.port };
  } finally {
    child.kill('SIGKILL');
  }
}

export interface LoopbackDoor {
  /** Already listening. Connections to it come from the other network. */
  readonly server: Server;
  readonly port: number;
}

const script = `
const server = require('node:net').createServer();
server.on('error', error => { console.error(error.message); process.exit(1); });
server.listen(0, '127.0.0.1', () => process.send('listening', server));
setTimeout(() => process.exit(1), 60000);
`;

function listening(child: ChildProcess): Promise<Server> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(0, 1_000);
    });
    child.once('message', (_, server) => {
      if (server === undefined) reject(sandboxErrors.noNetwork('no socket was handed over'));
      else resolve(server as Server);
    });
    child.once('error', cause => reject(sandboxErrors.noNetwork(cause.message, cause)));
    child.once('exit', code =>
      reject(sandboxErrors.noNetwork(said.trim() || `its helper ended with ${String(code)}`)),
    );
  });
}
