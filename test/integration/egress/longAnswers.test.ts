import { createHash, randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Internet, Walls } from './internet.ts';

const site = '93.184.216.34';
const odd = '151.101.1.69';
const content = randomBytes(5_000_000);
const digest = createHash('sha256').update(content).digest('hex');
const begun = content.subarray(0, 300_000);
let internet: Internet;
let walls: Walls;

const answer: RequestListener = (request, response) => {
  switch (request.url) {
    case '/chunked':
      response.write(content.subarray(0, 1_000_000));
      return response.end(content.subarray(1_000_000));
    case '/small':
      return response.end('small\n');
    case '/gone':
      response.setHeader('content-length', content.length);
      response.write(begun);
      return setTimeout(() => response.destroy(), 200);
    default:
      response.setHeader('content-length', content.length);
      return response.end(content);
  }
};

beforeAll(async () => {
  internet = new Internet(['docs.example.com']);
  internet.name('docs.example.com', [site]).name('odd.example.com', [odd]).name('other.example.com', [site]);
  await internet.web(site, 80, answer);
  // Says more than it announced: what follows would be the answer to somebody else's request.
  await internet.service(odd, 80, socket => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n');
      socket.end(Buffer.concat([begun, Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nFORGED')]));
    });
  });
  walls = await Walls.open(internet, ['docs.example.com', 'odd.example.com']);
});
afterAll(async () => {
  await walls?.[Symbol.asyncDispose]();
  await internet?.[Symbol.asyncDispose]();
});

test.each(['/long', '/chunked'])('%s arrives byte for byte', async path => {
  const { out } = await walls.run(`curl -sS http://docs.example.com${path} | sha256sum`);
  expect(out).toBe(`${digest}  -\n`);
});

test('many at once arrive byte for byte', async () => {
  const { out } = await walls.run(
    'for i in 1 2 3 4 5 6 7 8; do curl -sS http://docs.example.com/long | sha256sum & done; wait',
  );
  expect(out).toBe(`${digest}  -\n`.repeat(8));
});

test('a connection to the proxy goes on after a long answer, and each request on it is decided about', async () => {
  const { out } = await walls.run(
    'curl -sS -o a -o b -o c -o d -w "%{http_code} %{num_connects}\\n" http://docs.example.com/long http://docs.example.com/small http://other.example.com/long http://docs.example.com/long; sha256sum < a; sha256sum < d; cat b c',
  );
  expect(out.split('\n').slice(0, 4)).toEqual(['200 1', '200 0', '403 0', expect.stringMatching(/^200 /)]);
  expect(out.match(new RegExp(digest, 'g'))?.length).toBe(2);
  expect(out).toContain('small\n');
  expect(out).toContain('other.example.com:80 is not allowed');
});

test('a slow reader loses nothing, and the proxy does not gather what is not read', async () => {
  const before = process.memoryUsage().rss;
  const { out } = await walls.run('curl -sS --limit-rate 4M http://docs.example.com/long | sha256sum');
  expect(out).toBe(`${digest}  -\n`);
  expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
});

test('an answer that breaks off is not passed off as whole', async () => {
  const outcome = await walls.run(
    'curl -sS -o part http://docs.example.com/gone; echo "exit $?"; wc -c < part',
  );
  expect(outcome.out).toBe(`exit 18\n${begun.length}\n`);
});

test('what a host says beyond the length that it gave is dropped', async () => {
  const { out } = await walls.run(
    'curl -sS -o a -o b http://odd.example.com/ http://docs.example.com/small; grep -c FORGED a b; wc -c < a; cat b',
  );
  expect(out).toBe('a:0\nb:0\n300000\nsmall\n');
});

test('only the head of a long answer is told to who asks for the head', async () => {
  const { out } = await walls.run('curl -sS -I http://docs.example.com/long; echo over');
  expect(out).toContain(`ontent-length: ${content.length}`);
  expect(out.endsWith('over\n')).toBe(true);
});
