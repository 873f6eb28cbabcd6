import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDoor } from '../../workbench/door.mjs';

const token = 'the-token-of-this-test';
const folder = mkdtempSync(path.join(tmpdir(), 'cordon-door-'));
const behind = http.createServer((request, response) =>
  response.end(`behind: ${request.method} ${request.url}`),
);
let door: Awaited<ReturnType<typeof openDoor>>;
let origin: string;

beforeAll(async () => {
  const socket = path.join(folder, 'behind.sock');
  behind.on('upgrade', (_, connection) => {
    connection.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n`);
    connection.pipe(connection);
  });
  await new Promise<void>(resolve => {
    behind.listen(socket, resolve);
  });
  door = await openDoor({ socket, port: 0, token, home: '/?folder=%2Fhome' });
  ({ origin } = new URL(door.address));
});
afterAll(() => {
  door.close();
  behind.close();
  rmSync(folder, { recursive: true });
});

test('the address with the token leads home, with a cookie that scripts cannot read', async () => {
  const answer = await fetch(door.address, { redirect: 'manual' });

  expect(answer.status).toBe(302);
  expect(answer.headers.get('location')).toBe('/?folder=%2Fhome');
  expect(answer.headers.get('set-cookie')).toBe(
    `cordon-${new URL(origin).port}=${token}; Path=/; HttpOnly; SameSite=Strict`,
  );
});

test('the cookie opens everything behind the door', async () => {
  const answer = await fetch(`${origin}/some/path?a=b`, {
    method: 'POST',
    body: 'x',
    headers: { cookie: cookie(token) },
  });

  expect([answer.status, await answer.text()]).toEqual([200, 'behind: POST /some/path?a=b']);
});

test.each([
  ['nothing', '/', {}],
  ['a wrong token', '/?tkn=the-token-of-another', {}],
  ['a token on another path', `/static/x?tkn=${token}`, {}],
  ['a wrong cookie', '/', { cookie: 'wrong' }],
])('%s does not open it', async (_, place, { cookie: value }: { cookie?: string }) => {
  const answer = await fetch(origin + place, {
    redirect: 'manual',
    headers: value === undefined ? {} : { cookie: cookie(value) },
  });

  expect(answer.status).toBe(403);
  expect(await answer.text()).not.toContain(token);
});

test('another host name for this machine does not open it, even with the cookie', async () => {
  const answer = await raw(
    `GET / HTTP/1.1\r\nHost: evil.example\r\nCookie: ${cookie(token)}\r\nConnection: close\r\n\r\n`,
  );

  expect(answer).toMatch(/^HTTP\/1\.1 403 /);
});

test('a web socket passes with the cookie and is cut off without', async () => {
  const upgrade = (value: string) =>
    `GET /socket HTTP/1.1\r\nHost: ${new URL(origin).host}\r\nCookie: ${cookie(value)}\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n`;

  expect(await raw(upgrade(token), 'said and echoed')).toMatch(/^HTTP\/1\.1 101 [\s\S]*said and echoed$/);
  expect(await raw(upgrade('wrong'))).toBe('');
});

function cookie(value: string): string {
  return `other=1; cordon-${new URL(origin).port}=${value}`;
}

/** Sends bytes, then `more` once something came back; resolves to all that came until then or until the end. */
function raw(bytes: string, more?: string): Promise<string> {
  return new Promise(resolve => {
    let received = '';
    const connection = net.connect(Number(new URL(origin).port), '127.0.0.1', () => connection.write(bytes));
    connection.setEncoding('utf8').on('data', text => {
      if (received === '' && more !== undefined) connection.write(more);
      received += text;
      if (more !== undefined && received.endsWith(more)) connection.destroy();
    });
    connection.once('error', () => {}).once('close', () => resolve(received));
  });
}
