import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Admission, Passage } from './admission.ts';
import { AnswerStream, type LongAnswer, type Taker } from './answer.ts';
import type { EgressLimits, EgressTarget } from './egressProxy.ts';
import { holdInput } from './heldInput.ts';
import { bracketed } from './hostName.ts';
import { forwardedHeaders, targetOf } from './httpTarget.ts';
import { refusals, statusOf, wordsOf, type Refusal } from './refusal.ts';
import { sendCounted, tunnel } from './tunnel.ts';

/**
 * The HTTP side of the proxy. Requests are read by Node's own strict parser and written anew, so that nobody behind
 * us can see another request in the same bytes; each one on a connection is decided about by itself.
 */
export class HttpFront {
  readonly #server: http.Server;
  /** Connections inside a tunnel: their host is settled. */
  readonly #settled = new WeakMap<Duplex, EgressTarget>();
  /** The connection to it that is there already, for the first request. */
  readonly #ready = new WeakMap<Duplex, Passage>();

  constructor(
    private readonly admission: Admission,
    private readonly limits: EgressLimits,
  ) {
    this.#server = http.createServer({
      maxHeaderSize: 32_768,
      insecureHTTPParser: false,
      // Ours to answer, in our words.
      requireHostHeader: false,
      keepAliveTimeout: limits.idle,
    });
    this.#server.on('request', (request, response) => void this.#forward(request, response));
    this.#server.on('connect', (request, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      void this.#connect(request, socket as Socket);
    });
    this.#server.on('upgrade', (request, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      void this.#upgrade(request, socket as Socket);
    });
  }

  /** Takes over a connection; with a target when it is one to that host alone, with a passage when that is open. */
  serve(client: Socket, target?: EgressTarget, passage?: Passage): void {
    if (target !== undefined) this.#settled.set(client, target);
    if (passage !== undefined) this.#ready.set(client, passage);
    this.#server.emit('connection', client);
    client.resume();
  }

  /** CONNECT host:port. */
  async #connect(request: IncomingMessage, client: Socket): Promise<void> {
    const [, host = '', port = ''] = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(request.url ?? '') ?? [];
    const held = holdInput(client);
    const answer = this.#settled.has(client)
      ? refusedHere(refusals.badRequest('a tunnel inside a tunnel'))
      : hasOtherHost(request, host, port)
        ? this.admission.refuseFrom(
            client,
            { host, port: Number(port) },
            refusals.mismatch(host, 'Host header', request.headers.host),
          )
        : await this.admission.admit({
            client,
            host,
            port: Number(port),
            hungUp: held.hungUp,
            use: 'bytes',
          });
    held.release();
    if (answer.kind === 'refused') {
      client.end(rawAnswer(answer.refusal, request.url ?? ''));
      return void client.resume();
    }
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    tunnel(client, answer, this.admission, this);
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const passage = await this.#admit(request, onClose(response), 'bytes');
    if (passage.kind === 'refused') return refuse(request, response, passage.refusal);
    let isTaken = false;
    const take = (answer: LongAnswer): Taker | undefined => {
      if (request.method === 'HEAD' || response.headersSent) return undefined;
      isTaken = true;
      response.writeHead(answer.status, answer.reason, forwardedHeaders(answer.rawHeaders));
      return {
        piece: (piece, done) => void response.write(piece, done),
        end: isWhole => void (isWhole ? response.end() : response.destroy()),
      };
    };
    const outgoing = this.#request(passage, request, false, take);
    response.on('close', () => outgoing.destroy());
    outgoing.on('error', () => {
      // Its client sees no answer then; we do.
      if (isTaken) return;
      if (response.headersSent) response.destroy();
      else
        refuse(
          request,
          response,
          refusals.unreachable(passage.target.host, passage.target.port, 'it sent no valid answer'),
        );
    });
    outgoing.on('response', answer => {
      response.writeHead(
        answer.statusCode ?? 502,
        answer.statusMessage ?? '',
        forwardedHeaders(answer.rawHeaders),
      );
      answer.on('error', () => response.destroy());
      answer.on('close', () => {
        if (!answer.complete) response.destroy();
      });
      answer.pipe(response);
    });
    request.on('data', (chunk: Buffer) => {
      if (this.admission.mayUpload(passage, chunk.length)) return;
      request.unpipe(outgoing);
      refuse(request, response, refusals.uploadLimit(passage.target.host, this.limits.uploadPerHost));
      outgoing.destroy();
    });
    request.pipe(outgoing);
  }

  /**
   * WebSockets without TLS: the handshake is compared like a request, then both sides speak freely. Other protocols
   * are not taken up (HTTP/2 could name another host then); such a request is answered as an ordinary one.
   */
  async #upgrade(request: IncomingMessage, client: Socket): Promise<void> {
    const held = holdInput(client);
    const hasBody =
      request.headers['transfer-encoding'] !== undefined ||
      Number(request.headers['content-length'] ?? 0) > 0;
    const passage = hasBody
      ? refusedHere(refusals.badRequest('a request with content that asks for another protocol'))
      : await this.#admit(request, held.hungUp, 'handshake');
    held.release();
    if (passage.kind === 'refused') {
      client.end(rawAnswer(passage.refusal, request.url ?? ''));
      return void client.resume();
    }
    const isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket';
    const outgoing = this.#request(passage, request, isWebSocket);
    outgoing.on('error', () => client.destroy());
    outgoing.on('response', answer => {
      // Not taken up. What the host says instead is passed on, and the connection ends with it.
      client.write(rawHead(answer, false));
      answer.pipe(client);
    });
    outgoing.on('upgrade', (answer, upstream, head) => {
      if (!isWebSocket) return void upstream.destroy();
      client.write(rawHead(answer, true));
      if (head.length > 0) client.write(head);
      upstream.pipe(client);
      client.once('close', () => upstream.destroy());
      upstream.once('close', () => client.destroySoon());
      sendCounted(client, passage, upstream, this.admission);
    });
    outgoing.end();
  }

  async #admit(request: IncomingMessage, hungUp: AbortSignal, use: 'bytes' | 'handshake') {
    const target = targetOf(request, this.#settled.get(request.socket));
    if (target.kind === 'refused') {
      if (target.target !== undefined)
        this.admission.refuseFrom(request.socket, target.target, target.refusal);
      return target;
    }
    const ready = this.#ready.get(request.socket);
    this.#ready.delete(request.socket);
    if (ready !== undefined && !ready.upstream.destroyed) {
      if (use === 'bytes') return ready;
      ready.upstream.destroy();
    }
    const { host, port } = target;
    return this.admission.admit({ client: request.socket, host, port, hungUp, use });
  }

  /** Not `http.request`: inside VS Code that may take another way than the connection that was checked. */
  #request(
    passage: Passage,
    request: IncomingMessage,
    isUpgrade: boolean,
    take: (answer: LongAnswer) => Taker | undefined = () => undefined,
  ): http.ClientRequest {
    const { upstream, target, downstream } = passage;
    const path = (request.url ?? '/').replace(/^[a-z]+:\/\/[^/?#]*/i, '').replace(/^(?!\/)/, '/');
    const authority =
      target.port === 80 ? bracketed(target.host) : `${bracketed(target.host)}:${target.port}`;
    const headers = [
      'Host',
      authority,
      ...forwardedHeaders(request.rawHeaders, ['host', 'expect']),
      ...(isUpgrade ? ['Connection', 'Upgrade', 'Upgrade', 'websocket'] : ['Connection', 'close']),
      ...(request.headers['transfer-encoding'] === undefined ? [] : ['Transfer-Encoding', 'chunked']),
    ];
    const outgoing = new http.ClientRequest({
      method: request.method ?? 'GET',
      path,
      headers,
      createConnection: () =>
        downstream === undefined ? upstream : new AnswerStream(upstream, downstream, take),
      maxHeaderSize: 65_536,
    });
    // A tunnel may have stopped reading it.
    outgoing.once('socket', () => upstream.resume());
    this.admission.mayUpload(passage, path.length + request.rawHeaders.join('').length);
    return outgoing;
  }
}

function refusedHere(refusal: Refusal) {
  return { kind: 'refused', refusal } as const;
}

/** A CONNECT request may carry a Host header; then it names the same place. */
function hasOtherHost(request: IncomingMessage, host: string, port: string): boolean {
  const named = request.headers.host;
  const hosts = request.rawHeaders.filter((each, at) => at % 2 === 0 && each.toLowerCase() === 'host');
  if (hosts.length > 1) return true;
  if (named === undefined || named === '') return false;
  return ![host, `${host}:${port}`].some(each => each.toLowerCase() === named.toLowerCase());
}

function onClose(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => controller.abort());
  return controller.signal;
}

function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  if (response.headersSent || response.destroyed) return;
  request.resume();
  response.writeHead(statusOf(refusal), {
    'content-type': 'text/plain; charset=utf-8',
    'x-cordon-denied': deniedHeader(refusal, request.headers.host ?? ''),
    connection: 'close',
  });
  response.end(wordsOf(refusal));
}

function rawAnswer(refusal: Refusal, asked: string): string {
  const words = wordsOf(refusal);
  const status = statusOf(refusal);
  return [
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? ''}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(words)}`,
    `X-Cordon-Denied: ${deniedHeader(refusal, asked)}`,
    'Connection: close',
    '',
    words,
  ].join('\r\n');
}

function deniedHeader({ code, grant }: Refusal, asked: string): string {
  return `${grant ?? asked.replace(/[^\x21-\x7e]/g, '').slice(0, 300)}; ${code}`;
}

function rawHead(answer: IncomingMessage, isUpgrade: boolean): string {
  const headers = forwardedHeaders(answer.rawHeaders);
  const lines = headers.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${headers[at + 1] ?? ''}`] : []));
  const connection = isUpgrade
    ? ['Connection: Upgrade', `Upgrade: ${answer.headers.upgrade ?? ''}`]
    : ['Connection: close'];
  return [
    `HTTP/1.1 ${answer.statusCode ?? 502} ${answer.statusMessage ?? ''}`,
    ...lines,
    ...connection,
    '',
    '',
  ].join('\r\n');
}
