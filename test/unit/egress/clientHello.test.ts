import net from 'node:net';
import tls from 'node:tls';
import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readGreeting } from '../../../src/egress/clientHello.ts';

/** What Node's own TLS says first. */
async function greetingOf(options: tls.ConnectionOptions): Promise<Buffer> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = tls.connect({
    ...options,
    host: '127.0.0.1',
    port: (server.address() as net.AddressInfo).port,
  });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

describe('the host that a TLS greeting names', () => {
  test.each([
    ['TLS 1.3', {}],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
    ['protocols', { ALPNProtocols: ['h2', 'http/1.1'] }],
  ] as const)('is read from %s', async (_, options) => {
    const bytes = await greetingOf({ ...options, servername: 'docs.example.com' });
    expect(readGreeting(bytes)).toEqual({ kind: 'hello', serverName: 'docs.example.com' });
  });

  test('is absent when there is none', async () => {
    expect(readGreeting(await greetingOf({}))).toEqual({ kind: 'hello', serverName: undefined });
  });

  test('is found however the greeting is cut into records and packets', async () => {
    const bytes = await greetingOf({ servername: 'docs.example.com' });
    const message = bytes.subarray(5);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: message.length - 1 })), cuts => {
        const places = [0, ...new Set(cuts.toSorted((a, b) => a - b)), message.length];
        const records = places.slice(1).map((end, index) => record(message.subarray(places[index], end)));
        const all = Buffer.concat(records);
        expect(readGreeting(all)).toEqual({ kind: 'hello', serverName: 'docs.example.com' });
        for (let length = 0; length < all.length; length += 7)
          expect(readGreeting(all.subarray(0, length))).toEqual({ kind: 'incomplete' });
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ['two names in one list', hello([[0, list(name('a.example'), name('b.example'))]])],
    [
      'the extension twice',
      hello([
        [0, list(name('a.example'))],
        [0, list(name('b.example'))],
      ]),
    ],
    [
      'another extension twice',
      hello([
        [5, Buffer.alloc(0)],
        [5, Buffer.alloc(0)],
      ]),
    ],
    ['an empty name', hello([[0, list(name(''))]])],
    ['an empty list', hello([[0, list()]])],
    ['another kind of name', hello([[0, list(Buffer.from([1, 0, 1, 0x61]))]])],
    ['a name with a zero byte', hello([[0, list(name('a.example\0.b'))]])],
    ['a name that is not ASCII', hello([[0, list(name('ä.example'))]])],
    ['bytes after the list', hello([[0, Buffer.concat([list(name('a.example')), Buffer.from([0])])]])],
    ['more in the record than the greeting', record(Buffer.from([1, 0, 0, 0, 9]))],
    ['something that is not a greeting', record(Buffer.from([2, 0, 0, 0]))],
    ['an empty record', Buffer.from([0x16, 3, 1, 0, 0])],
    ['a record too long', Buffer.from([0x16, 3, 1, 0xff, 0xff])],
    ['a greeting too long', record(Buffer.from([1, 0xff, 0xff, 0xff]))],
    ['another version', Buffer.from([0x16, 2, 1, 0, 5])],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('%s is invalid', (_, bytes) => {
    expect(readGreeting(bytes)).toEqual({ kind: 'invalid' });
  });

  test('any bytes at all get an answer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (bytes, framed) => {
        const input = framed && bytes.length > 0 ? record(Buffer.from(bytes)) : Buffer.from(bytes);
        expect(['incomplete', 'invalid', 'hello']).toContain(readGreeting(input).kind);
      }),
      { numRuns: 3_000 },
    );
  });
});

function record(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x16, 3, 1]), sized(payload, 2)]);
}

function hello(extensions: readonly (readonly [number, Buffer])[]): Buffer {
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    sized(Buffer.alloc(0), 1),
    sized(Buffer.from([0x13, 0x01]), 2),
    sized(Buffer.from([0]), 1),
    sized(
      Buffer.concat(
        extensions.flatMap(([type, data]) => [Buffer.from([type >> 8, type & 255]), sized(data, 2)]),
      ),
      2,
    ),
  ]);
  return record(Buffer.concat([Buffer.from([1]), sized(body, 3)]));
}

function list(...names: Buffer[]): Buffer {
  return sized(Buffer.concat(names), 2);
}

function name(text: string): Buffer {
  return Buffer.concat([Buffer.from([0]), sized(Buffer.from(text), 2)]);
}

function sized(bytes: Buffer, size: number): Buffer {
  const length = Buffer.alloc(size);
  length.writeUIntBE(bytes.length, 0, size);
  return Buffer.concat([length, bytes]);
}
