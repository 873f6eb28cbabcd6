import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A service that answers whatever the test wants: a real HTTP server on loopback. */
export interface AnyProvider extends Disposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** What came, in order. */
  readonly asked: { url: string | undefined; headers: IncomingMessage['headers']; body: string }[];
  /** Called for each request with how many there were. */
  answer: (outgoing: ServerResponse, times: number) => void;
}

export async function anyProvider(): Promise<AnyProvider> {
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { url, headers } = incoming;
      provider.asked.push({ url, headers, body: Buffer.concat(chunks).toString() });
      provider.answer(outgoing, provider.asked.length);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const provider: AnyProvider = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    answer: outgoing => outgoing.destroy(),
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
  return provider;
}

export const sse = { 'content-type': 'text/event-stream' };
