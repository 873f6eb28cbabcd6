import net, { type AddressInfo } from 'node:net';
import { once } from 'node:events';

export interface GatewayBridge extends Disposable {
  /** `http://127.0.0.1:PORT`, without trailing slash. */
  readonly origin: string;
}

/**
 * Lets ordinary HTTP clients reach the gateway's Unix socket: each connection to a loopback port of this process is
 * joined to a connection to the socket. The sandbox has a network of its own, so nobody else sees the port; the token
 * is checked by the gateway all the same.
 */
export async function openGatewayBridge(socketPath: string): Promise<GatewayBridge> {
  const server = net.createServer(incoming => {
    const gateway = net.connect(socketPath);
    incoming.pipe(gateway).pipe(incoming);
    // Whichever side ends or fails, so does the other, once it has passed on what it was given.
    incoming.on('error', () => gateway.destroy()).on('close', () => gateway.destroySoon());
    gateway.on('error', () => incoming.destroy()).on('close', () => incoming.destroySoon());
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void server.close() };
}
