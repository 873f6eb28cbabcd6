import type { Socket } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Admission } from './admission.ts';
import { holdInput } from './heldInput.ts';
import type { HttpFront } from './httpFront.ts';
import { statusOf, type Refusal } from './refusal.ts';
import { tunnel } from './tunnel.ts';

/** Serves one SOCKS5 connection (RFC 1928): CONNECT only, no authentication. Never rejects. */
export async function serveSocks(client: Socket, admission: Admission, http: HttpFront): Promise<void> {
  try {
    const reader = new BytesOf(client);
    const [, methods = 0] = await reader.take(2);
    const offered = await reader.take(methods);
    if (!offered.includes(0)) return void client.end(Buffer.from([5, 0xff]));
    client.write(Buffer.from([5, 0]));
    const [version, command, , type] = await reader.take(4);
    const host = await readHost(reader, type);
    const port = (await reader.take(2)).readUInt16BE(0);
    if (version !== 5 || command !== 1 || host === undefined) return void client.end(answer(7));
    const held = holdInput(client);
    const admitted = await admission.admit({ client, host, port, hungUp: held.hungUp, use: 'bytes' });
    held.release();
    if (admitted.kind === 'refused') return void client.end(answer(codeOf(admitted.refusal)));
    client.write(answer(0));
    tunnel(client, admitted, admission, http);
  } catch {
    client.destroy();
  }
}

async function readHost(reader: BytesOf, type: number | undefined): Promise<string | undefined> {
  switch (type) {
    case 1:
      return ipaddr.fromByteArray([...(await reader.take(4))]).toString();
    case 3: {
      const [length = 0] = await reader.take(1);
      return (await reader.take(length)).toString('latin1');
    }
    case 4:
      return ipaddr.fromByteArray([...(await reader.take(16))]).toString();
    default:
      return undefined;
  }
}

/** "Not allowed by ruleset", or "host unreachable". */
function codeOf(refusal: Refusal): number {
  return statusOf(refusal) === 502 ? 4 : 2;
}

function answer(code: number): Buffer {
  return Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
}

/** Exactly as many bytes as the protocol says, leaving the rest in the socket. */
class BytesOf {
  constructor(private readonly socket: Socket) {}

  async take(count: number): Promise<Buffer> {
    if (count === 0) return Buffer.alloc(0);
    for (;;) {
      const bytes = this.socket.read(count) as Buffer | null;
      if (bytes !== null) {
        if (bytes.length < count) throw new Error('the connection ended');
        return bytes;
      }
      if (this.socket.destroyed || this.socket.readableEnded) throw new Error('the connection ended');
      await new Promise<void>(resolve => {
        const done = () => {
          this.socket.off('readable', done).off('end', done).off('close', done);
          resolve();
        };
        this.socket.on('readable', done).on('end', done).on('close', done);
      });
    }
  }
}
