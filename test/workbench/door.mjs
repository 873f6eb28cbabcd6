import { createHash, timingSafeEqual } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';

/**
 * A guarded entrance to a server on a Unix socket. On a shared machine every local user can reach a loopback port,
 * and a workbench is as good as a shell; so the port answers only to whoever has the token: once in the address,
 * from then on in a cookie.
 *
 * @param {object} options
 * @param {string} options.socket what is behind it
 * @param {number} options.port on 127.0.0.1; 0 for any that is free
 * @param {string} options.token
 * @param {string} options.home where the address with the token leads
 * @returns {Promise<{ address: string, close: () => void }>} rejects when the port is taken
 */
export async function openDoor({ socket, port, token, home }) {
  const server = http.createServer();
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(undefined));
  });
  const bound = /** @type {net.AddressInfo} */ (server.address()).port;
  // Cookies are shared by all ports of a host, so the name tells ours from a neighbour's.
  const cookie = `cordon-${bound}`;

  server.on('request', (request, response) => {
    if (!isOurHost(request, bound)) return refuse(response);
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (request.method === 'GET' && url.pathname === '/' && same(url.searchParams.get('tkn') ?? '', token)) {
      response.writeHead(302, {
        location: home,
        'set-cookie': `${cookie}=${token}; Path=/; HttpOnly; SameSite=Strict`,
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      });
      response.end();
      return;
    }
    if (!same(cookieOf(request, cookie), token)) return refuse(response);
    const inner = http.request({
      socketPath: socket,
      method: request.method,
      path: request.url,
      headers: request.headers,
    });
    inner.once('response', answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    inner.once('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    response.once('close', () => inner.destroy());
    request.pipe(inner);
  });

  server.on('upgrade', (request, outer, head) => {
    if (!isOurHost(request, bound) || !same(cookieOf(request, cookie), token)) {
      outer.destroy();
      return;
    }
    const inner = net.connect(socket, () => {
      const headers = request.rawHeaders
        .map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`))
        .join('');
      inner.write(`${request.method} ${request.url} HTTP/1.1\r\n${headers}\r\n`);
      inner.write(head);
      inner.pipe(outer).pipe(inner);
    });
    for (const [one, other] of [
      [inner, outer],
      [outer, inner],
    ]) {
      one?.once('error', () => other?.destroy()).once('close', () => other?.destroy());
    }
  });

  return {
    address: `http://127.0.0.1:${bound}/?tkn=${token}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * Against names that are made to point at 127.0.0.1 by somebody else's web page.
 *
 * @param {http.IncomingMessage} request
 * @param {number} port
 */
function isOurHost(request, port) {
  return request.headers.host === `127.0.0.1:${port}` || request.headers.host === `localhost:${port}`;
}

/** @param {http.ServerResponse} response */
function refuse(response) {
  response.writeHead(403, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(
    'This is the workbench of `npm start`. Open the whole address that it printed, with the token.\n',
  );
}

/**
 * @param {http.IncomingMessage} request
 * @param {string} name
 */
function cookieOf(request, name) {
  const pairs = (request.headers.cookie ?? '').split(';').map(pair => pair.trim());
  return pairs.find(pair => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
}

/**
 * Compares in a time that tells nothing about where they differ.
 *
 * @param {string} given
 * @param {string} wanted
 */
function same(given, wanted) {
  const digest = (/** @type {string} */ text) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
