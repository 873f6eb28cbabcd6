import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Internet, Walls } from './internet.ts';

const allowed = '93.184.216.34';
const other = '151.101.1.69';
let internet: Internet;
let walls: Walls;
beforeAll(async () => {
  internet = new Internet(['docs.example.com', 'other.example.com']);
  internet
    .name('docs.example.com', [allowed])
    .name('other.example.com', [other])
    // Both on one machine, as with large hosters.
    .name('neighbour.example.com', [allowed])
    .name('inside.example.com', ['10.0.0.5'])
    .name('loop.example.com', ['127.0.0.1'])
    .name('loop6.example.com', ['::1'])
    .name('mapped.example.com', ['::ffff:127.0.0.1'])
    .name('translated.example.com', ['64:ff9b::7f00:1'])
    .name('metadata.example.com', ['169.254.169.254'])
    .name('partly.example.com', ['169.254.169.254', allowed])
    .name('mixed.example.com', ['10.0.0.5', allowed])
    .name('nowhere.example.com', [])
    .name('silent.example.com', ['9.9.9.9']);
  for (const address of [allowed, other, '10.0.0.5', '127.0.0.1', '169.254.169.254']) {
    await internet.web(address, 80);
    await internet.web(address, 8080);
    await internet.secureWeb(address, 443);
  }
  walls = await Walls.open(internet, [
    'docs.example.com',
    ...[
      'inside',
      'loop',
      'loop6',
      'mapped',
      'translated',
      'metadata',
      'partly',
      'mixed',
      'nowhere',
      'silent',
    ].map(name => `${name}.example.com`),
    '169.254.169.254',
  ]);
});
afterAll(async () => {
  await walls?.[Symbol.asyncDispose]();
  await internet?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  walls.events.length = 0;
  for (const list of [internet.seen, internet.resolved, internet.connected]) list.length = 0;
});

/** What programs say by hand, byte for byte; what is answered is printed. */
const say = (...lines: string[]) =>
  `exec 3<>/dev/tcp/127.0.0.1/\${CORDON_PROXY##*:}; printf '${lines.join('\\r\\n')}' >&3; timeout 20 cat <&3`;

describe('a host that was not allowed', () => {
  test.each([
    ['by HTTP', 'curl -sS http://other.example.com/'],
    ['by HTTPS', 'curl -sS https://other.example.com/'],
    ['by a tunnel', 'curl -sS -p http://other.example.com/'],
    ['by SOCKS', 'curl -sS --proxy $CORDON_SOCKS http://other.example.com/'],
    ['by its address', `curl -sS http://${other}/`],
    ['by its address in a tunnel', `curl -sS -p http://${other}/`],
    [
      'by its address over SOCKS',
      `curl -sS --proxy socks5://127.0.0.1:\${CORDON_PROXY##*:} http://${other}/`,
    ],
    ['below an allowed one', 'curl -sS http://x.docs.example.com/'],
    ['above an allowed one', 'curl -sS http://example.com/'],
    ['with an allowed one as user name', 'curl -sS http://docs.example.com@other.example.com/'],
    ['on a port that was not named', 'curl -sS http://docs.example.com:8080/'],
    ['on a port that was not named, in a tunnel', 'curl -sS -p http://docs.example.com:8080/'],
    ['by a redirection', say('GET http://docs.example.com\\\\@other.example.com/ HTTP/1.1', '', '')],
  ])('is not reached %s, nor is its name looked up', async (_, script) => {
    await walls.run(script);
    expect(internet.seen).toEqual([]);
    expect(internet.resolved.filter(name => name !== 'docs.example.com')).toEqual([]);
    expect(internet.connected).toEqual([]);
  });

  test('is refused with the grant that would cure it', async () => {
    const { out } = await walls.run(
      'curl -sS -i https://other.example.com:8443/; curl -sS -i http://other.example.com/',
    );
    expect(out).toContain('HTTP/1.1 403 Forbidden');
    expect(out).toContain('X-Cordon-Denied: other.example.com:8443; egress.notAllowed');
    expect(out).toContain('x-cordon-denied: other.example.com; egress.notAllowed');
    expect(out).toContain('Cordon: other.example.com:80 is not allowed, so nothing was sent to it.');
    expect(walls.refusals).toEqual(['egress.notAllowed']);
  });

  test('is not reached without the proxy either', async () => {
    const outcome = await walls.run(
      `unset $(env | grep -io '^[a-z_]*proxy[a-z_]*'); curl -sS -m 20 http://${other}/; curl -sS -m 20 -k https://${other}/; curl -sS -m 20 http://other.example.com/`,
    );
    expect(outcome.status).not.toBe(0);
    expect(internet.seen).toEqual([]);
  });
});

describe('an allowed name that leads where nothing should go', () => {
  test.each([
    ['inside.example.com', 'egress.privateAddress'],
    ['loop.example.com', 'egress.privateAddress'],
    ['loop6.example.com', 'egress.privateAddress'],
    ['mapped.example.com', 'egress.privateAddress'],
    ['translated.example.com', 'egress.privateAddress'],
    ['metadata.example.com', 'egress.metadata'],
    ['partly.example.com', 'egress.metadata'],
    ['169.254.169.254', 'egress.metadata'],
    ['[::ffff:169.254.169.254]', 'egress.metadata'],
    ['metadata.google.internal', 'egress.metadata'],
    ['nowhere.example.com', 'egress.unknownHost'],
    ['silent.example.com', 'egress.unreachable'],
  ])('%s: %s', async (host, code) => {
    await walls.run(
      `curl -sS --noproxy "" -g 'http://${host}/'; curl -sS --noproxy "" -g -p 'http://${host}/'; curl -sS -g --noproxy "" --proxy $CORDON_SOCKS 'http://${host}/'`,
    );
    expect(walls.refusals).toEqual([code]);
    expect(internet.seen).toEqual([]);
  });

  test('a name with one public address is reached there and nowhere else', async () => {
    await walls.run('curl -sS http://mixed.example.com/');
    expect(internet.connected).toEqual([`${allowed}:80`]);
  });

  test.each([
    '127.0.0.1',
    '0x7f.1',
    '2130706433',
    '017700000001',
    '127.1',
    '0',
    '[::1]',
    '[::ffff:7f00:1]',
    '１２７.0.0.1',
  ])('loopback written as %s is loopback', async host => {
    const { out } = await walls.run(say(`GET http://${host}/ HTTP/1.1`, `Host: ${host}`, '', ''));
    expect(out).toMatch(/^(HTTP\/1.1 40[03]|$)/);
    expect(internet.connected).toEqual([]);
  });

  test('a name that leads elsewhere the second time is connected to where it was checked', async () => {
    let times = 0;
    internet.name('docs.example.com', () => (times++ === 0 ? [allowed] : ['127.0.0.1']));
    try {
      await walls.run('curl -sS https://docs.example.com/');
      expect({ connected: internet.connected, times }).toEqual({ connected: [`${allowed}:443`], times: 1 });
      await walls.run('curl -sS https://docs.example.com/');
      expect(internet.connected).toEqual([`${allowed}:443`]);
      expect(walls.refusals).toEqual(['egress.privateAddress']);
    } finally {
      internet.name('docs.example.com', [allowed]);
    }
  });
});

describe('a connection that names another host than the one it was opened to', () => {
  test.each([
    ['in the Host header', 'curl -sS -H "Host: neighbour.example.com" http://docs.example.com/'],
    [
      'in the Host header of a tunnel',
      'curl -sS -p -H "Host: neighbour.example.com" http://docs.example.com/',
    ],
    [
      'in the Host header over SOCKS',
      'curl -sS --proxy $CORDON_SOCKS -H "Host: neighbour.example.com" http://docs.example.com/',
    ],
    [
      'in its TLS greeting',
      'curl -sS -k --connect-to neighbour.example.com:443:docs.example.com:443 https://neighbour.example.com/',
    ],
    [
      'in its TLS greeting over SOCKS',
      'curl -sS -k --proxy $CORDON_SOCKS --connect-to neighbour.example.com:443:docs.example.com:443 https://neighbour.example.com/',
    ],
    [
      'in a second Host header',
      say(
        'GET http://docs.example.com/ HTTP/1.1',
        'Host: docs.example.com',
        'Host: neighbour.example.com',
        '',
        '',
      ),
    ],
    [
      'in the Host header of its CONNECT',
      say('CONNECT docs.example.com:443 HTTP/1.1', 'Host: neighbour.example.com:443', '', ''),
    ],
    [
      'in a second request of a tunnel',
      say(
        'CONNECT docs.example.com:80 HTTP/1.1',
        '',
        'GET /first HTTP/1.1',
        'Host: docs.example.com',
        '',
        'GET /second HTTP/1.1',
        'Host: neighbour.example.com',
        'Connection: close',
        '',
        '',
      ),
    ],
    [
      'as a whole address in a tunnel',
      say(
        'CONNECT docs.example.com:80 HTTP/1.1',
        '',
        'GET http://neighbour.example.com/ HTTP/1.1',
        'Host: docs.example.com',
        '',
        '',
      ),
    ],
  ])('%s is cut', async (_, script) => {
    await walls.run(script);
    expect(walls.refusals).toEqual(['egress.mismatch']);
    expect(internet.seen.filter(each => each.url !== '/first')).toEqual([]);
  });

  test('a TLS greeting without a name is cut, with an alert that programs understand', async () => {
    const outcome = await walls.run(
      'openssl s_client -noservername -proxy 127.0.0.1:${CORDON_PROXY##*:} -connect docs.example.com:443 < /dev/null',
    );
    expect(outcome.err).toContain('unrecognized name');
    expect(walls.refusals).toEqual(['egress.mismatch']);
  });

  test.each([
    ['words of another protocol', 'SSH-2.0-Test'],
    ['HTTP/2 without TLS', 'PRI * HTTP/2.0\\r\\n\\r\\nSM'],
    ['broken TLS', '\\x16\\x03\\x01\\x00\\x05\\x02\\x00\\x00\\x01\\x00'],
    ['a tunnel in a tunnel', 'CONNECT other.example.com:443 HTTP/1.1\\r\\n'],
  ])('%s does not pass on the ports of the web', async (_, words) => {
    await walls.run(say('CONNECT docs.example.com:443 HTTP/1.1', '', words, '', ''));
    expect(internet.seen).toEqual([]);
    expect(internet.connected.filter(place => place !== `${allowed}:443`)).toEqual([]);
  });
});

describe('a request that two readers could understand in two ways', () => {
  const post = (...headers: string[]) => [
    'POST http://docs.example.com/one HTTP/1.1',
    'Host: docs.example.com',
    ...headers,
  ];
  const hidden = ['GET /hidden HTTP/1.1', 'Host: neighbour.example.com', '', ''];
  test.each([
    ['two lengths', say(...post('Content-Length: 0', 'Content-Length: 60'), '', ...hidden)],
    [
      'a length and chunks',
      say(...post('Content-Length: 5', 'Transfer-Encoding: chunked'), '', '0', '', ...hidden),
    ],
    ['chunks under another name', say(...post('Transfer-Encoding: xchunked'), '', '0', '', ...hidden)],
    [
      'chunks with a blank before the colon',
      say(...post('Transfer-Encoding : chunked'), '', '0', '', ...hidden),
    ],
    ['chunks twice', say(...post('Transfer-Encoding: chunked, identity'), '', '0', '', ...hidden)],
    ['a length with a sign', say(...post('Content-Length: +5'), '', ...hidden)],
    ['a folded header', say(...post('X: a', ' Host: neighbour.example.com'), '', ...hidden)],
    ['a header without a name', say(...post(': x'), '', ...hidden)],
    [
      'a bare line feed',
      say('GET http://docs.example.com/one HTTP/1.1\\nHost: neighbour.example.com', '', ...hidden),
    ],
    ['a header too large', say(...post(`X: ${'a'.repeat(40_000)}`), '', '')],
    ['an unknown version', say('GET http://docs.example.com/one HTTP/3.7', '', '')],
    ['what is no HTTP', say('hello', '', '')],
  ])('%s: nothing hidden arrives', async (_, script) => {
    await walls.run(script);
    expect(internet.seen.filter(each => each.url !== '/one')).toEqual([]);
    expect(
      internet.seen.filter(each => each.body.includes('hidden') || each.host !== 'docs.example.com'),
    ).toEqual([]);
  });

  test('a second request on a connection is decided about by itself', async () => {
    const { out } = await walls.run(
      say(
        'GET http://docs.example.com/one HTTP/1.1',
        'Host: docs.example.com',
        '',
        'GET http://other.example.com/two HTTP/1.1',
        'Host: other.example.com',
        '',
        '',
      ),
    );
    expect(out).toContain('hello from docs.example.com/one');
    expect(out).toContain('other.example.com:80 is not allowed');
    expect(internet.seen.map(each => each.url)).toEqual(['/one']);
  });

  test('credentials for the proxy do not reach the host', async () => {
    const { out } = await walls.run(
      'curl -sS --proxy-header "Proxy-Authorization: Basic c2VjcmV0" --proxy $CORDON_PROXY http://docs.example.com/one',
    );
    expect(out).toBe('hello from docs.example.com/one\n');
  });
});

describe('limits', () => {
  let small: Walls;
  afterEach(() => small[Symbol.asyncDispose]());

  test.each([
    ['HTTP', 'http://docs.example.com/'],
    ['HTTPS', 'https://docs.example.com/'],
  ])('no more is sent to a host over %s than may be, however many connections it takes', async (_, url) => {
    small = await Walls.open(internet, ['docs.example.com'], { limits: { uploadPerHost: 100_000 } });
    const { out } = await small.run(
      `head -c 60000 /dev/zero > part; for i in 1 2 3; do curl -s -o /dev/null -w '%{http_code} ' --data-binary @part ${url}; done`,
    );
    expect(out).not.toBe('200 200 200 ');
    expect(out.startsWith('200 ')).toBe(true);
    expect(small.refusals).toEqual(['egress.uploadLimit']);
    expect(internet.seen.map(each => each.body.length).reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(
      100_000,
    );
  });

  test('a connection on which nothing moves is closed', async () => {
    small = await Walls.open(internet, ['docs.example.com'], { limits: { idle: 300, ask: 300 } });
    const outcome = await small.run(say('CONNECT docs.example.com:443 HTTP/1.1', '', '') + '; echo over');
    expect(outcome.out).toContain('over');
  });

  test('a connection does not last for ever', async () => {
    small = await Walls.open(internet, ['docs.example.com'], { limits: { total: 500 } });
    const outcome = await small.run(
      'trap "" PIPE; exec 3<>/dev/tcp/127.0.0.1/${CORDON_PROXY##*:}; while printf x >&3; do sleep 0.1; done 2>/dev/null; echo over',
    );
    expect(outcome.out).toBe('over\n');
  });
});

test('the walls hold as before: what the proxy is handed comes from inside, and nothing listens outside', async () => {
  const port = (await walls.run('echo ${CORDON_PROXY##*:}')).out.trim();
  expect(() =>
    execFileSync('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}`], { stdio: 'pipe', encoding: 'utf8' }),
  ).toThrow('refused');
});
