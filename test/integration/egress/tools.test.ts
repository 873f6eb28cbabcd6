import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Internet, Walls } from './internet.ts';

const site = '93.184.216.34';
let internet: Internet;
let walls: Walls;
beforeAll(async () => {
  internet = new Internet(['docs.example.com', 'registry.example.com']);
  internet.name('docs.example.com', [site]).name('registry.example.com', [site]);
  await internet.web(site, 80, pages);
  await internet.secureWeb(site, 443, pages);
  await internet.service(site, 2222, socket => {
    socket.write('SSH-2.0-Test\r\n');
    socket.once('data', chunk => socket.end(`you are ${chunk.toString()}`));
  });
  makeRepository(join(internet.folder, 'repository'));
  makePackage(join(internet.folder, 'package'));
  walls = await Walls.open(internet, ['docs.example.com', 'registry.example.com', 'docs.example.com:2222']);
});
afterAll(async () => {
  await walls?.[Symbol.asyncDispose]();
  await internet?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  walls.events.length = 0;
});

describe('ordinary programs reach an allowed host without being told how', () => {
  test.each([
    ['curl over HTTP', 'curl -sS http://docs.example.com/page'],
    ['curl over HTTPS', 'curl -sS https://docs.example.com/page'],
    ['curl over HTTP in a tunnel', 'curl -sS -p http://docs.example.com/page'],
    ['curl over SOCKS', 'curl -sS --proxy "$CORDON_SOCKS" https://docs.example.com/page'],
    ['curl over SOCKS without TLS', 'curl -sS --proxy "$CORDON_SOCKS" http://docs.example.com/page'],
    ['wget', 'wget -q -O - --ca-certificate="$SSL_CERT_FILE" https://docs.example.com/page'],
    ["Node's fetch", `node -e "fetch('https://docs.example.com/page').then(r=>r.text()).then(console.log)"`],
    [
      "Node's fetch without TLS",
      `node -e "fetch('http://docs.example.com/page').then(r=>r.text()).then(console.log)"`,
    ],
    [
      "Node's https",
      `node -e "require('https').get('https://docs.example.com/page',r=>r.pipe(process.stdout))"`,
    ],
    [
      'Python',
      `python3 -c "import urllib.request as u;print(u.urlopen('https://docs.example.com/page').read().decode())"`,
    ],
    [
      'Python without TLS',
      `python3 -c "import urllib.request as u;print(u.urlopen('http://docs.example.com/page').read().decode())"`,
    ],
  ])('%s', async (_, script) => {
    const outcome = await walls.run(nodeFirst + script);
    expect({ ...outcome, out: outcome.out.trim() }).toMatchObject({ status: 0, out: 'the page' });
    expect(walls.refusals).toEqual([]);
  });

  test('git clones', async () => {
    const outcome = await walls.run(
      'git clone -q https://docs.example.com/repository/.git clone && cat clone/file.txt && rm -rf clone',
    );
    expect(outcome).toMatchObject({ status: 0, out: 'from the repository\n' });
  });

  test('npm installs', async () => {
    const outcome = await walls.run(
      'mkdir -p app && cd app && echo "{}" > package.json && ' +
        'npm install --no-audit --no-fund --no-update-notifier --registry https://registry.example.com/ small@1.0.0 >&2 && ' +
        'cat node_modules/small/index.js',
    );
    expect(outcome).toMatchObject({ status: 0, out: "module.exports = 'small';\n" });
  });

  test('pip looks into an index', async () => {
    const outcome = await walls.run(
      'python3 -m pip --disable-pip-version-check download --no-deps -d wheels --index-url https://registry.example.com/simple/ nothing',
    );
    expect(outcome.err).toContain('No matching distribution found for nothing');
    expect(internet.seen.map(each => each.url)).toContain('/simple/nothing/');
  });

  test.runIf(existsSync('/usr/bin/javac'))('Java', async () => {
    writeJava();
    const outcome = await walls.run('java Get.java');
    expect(outcome).toMatchObject({ status: 0, out: 'the page\n' });
  });

  test('a protocol where the host speaks first, on a port that was allowed by number', async () => {
    const outcome = await walls.run(
      'exec 3<>/dev/tcp/127.0.0.1/${CORDON_PROXY##*:}; printf "CONNECT docs.example.com:2222 HTTP/1.1\\r\\n\\r\\n" >&3; ' +
        'read -r status <&3; read -r empty <&3; read -r banner <&3; echo "$banner"; echo me >&3; cat <&3',
    );
    expect(outcome).toMatchObject({ status: 0, out: 'SSH-2.0-Test\r\nyou are me\n' });
  });

  test('a large upload and a large download arrive whole', async () => {
    const outcome = await walls.run(
      'head -c 20000000 /dev/urandom > big; sha256sum < big; ' +
        'curl -sS -T big https://docs.example.com/echo | sha256sum; curl -sS -T big http://docs.example.com/echo | sha256sum',
    );
    const [sent, ...received] = outcome.out.trim().split('\n');
    expect(received).toEqual([sent, sent]);
  });

  test('each connection is told of, with the bytes that went up and down', async () => {
    await walls.run('curl -sS http://docs.example.com/page');
    expect(walls.events).toEqual([
      { kind: 'connected', target: { host: 'docs.example.com', port: 80 }, address: expect.any(String) },
      {
        kind: 'closed',
        target: { host: 'docs.example.com', port: 80 },
        address: expect.any(String),
        bytesUp: expect.any(Number),
        bytesDown: expect.any(Number),
        duration: expect.any(Number),
      },
    ]);
    const [, closed] = walls.events;
    expect(closed).toMatchObject({
      bytesUp: closed?.kind === 'closed' && closed.bytesUp > 50 ? closed.bytesUp : 0,
    });
  });
});

function writeJava(): void {
  writeFileSync(
    join(walls.workspace, 'Get.java'),
    `public class Get { public static void main(String[] a) throws Exception {
      System.out.print(new String(new java.net.URL("http://docs.example.com/page").openStream().readAllBytes()));
    } }`,
  );
}

describe('programs that know nothing of proxies', () => {
  const unset = 'unset $(env | grep -io "^[a-z_]*proxy[a-z_]*") JAVA_TOOL_OPTIONS; ';
  test.each([
    ['over HTTPS', 'curl -sS https://docs.example.com/page'],
    ['over HTTP', 'curl -sS http://docs.example.com/page'],
    [
      "with Node's fetch",
      `node -e "fetch('https://docs.example.com/page').then(r=>r.text()).then(console.log)"`,
    ],
    [
      'with Python',
      `python3 -c "import urllib.request as u;print(u.urlopen('https://docs.example.com/page').read().decode())"`,
    ],
  ])('reach an allowed host %s', async (_, script) => {
    const outcome = await walls.run(unset + script);
    expect({ ...outcome, out: outcome.out.trim() }).toMatchObject({ status: 0, out: 'the page' });
  });

  test.runIf(existsSync('/usr/bin/javac'))('reach an allowed host with Java', async () => {
    writeJava();
    const outcome = await walls.run(unset + 'java Get.java');
    expect(outcome).toEqual({ status: 0, out: 'the page\n', err: '' });
  });

  test('find that other hosts do not exist', async () => {
    const outcome = await walls.run(unset + 'curl -sS https://other.example.com/');
    expect(outcome).toMatchObject({ status: 6, out: '' });
  });

  test('are cut when they name another host than they asked for', async () => {
    const outcome = await walls.run(
      unset +
        'ip=$(getent ahostsv4 docs.example.com | head -1 | cut -d" " -f1); curl -sS -k --connect-to "::$ip:443" https://neighbour.example.com/; curl -sS -H "Host: neighbour.example.com" http://docs.example.com/page',
    );
    expect(outcome.out).toContain('named another host');
    expect(walls.refusals).toEqual(['egress.mismatch']);
  });

  test('reach nothing at a loopback address that stands for no name', async () => {
    const outcome = await walls.run(unset + 'curl -sS http://127.0.0.1/; curl -sS https://127.64.9.9/');
    expect(outcome.out).toBe('');
    expect(outcome.status).not.toBe(0);
    expect(walls.events).toEqual([]);
  });
});

describe('loopback inside stays what it is', () => {
  test('a server of one command is reached by another, past the proxy', async () => {
    const serving = walls.run(
      `python3 -c "
import http.server
h = http.server.HTTPServer(('127.0.0.1', 8099), http.server.SimpleHTTPRequestHandler)
h.handle_request()"`,
    );
    const outcome = await walls.run(
      'for i in $(seq 200); do curl -sS http://127.0.0.1:8099/authority.crt && exit 0; sleep 0.1; done; exit 1',
    );
    await serving;
    expect(outcome).toMatchObject({ status: 0, out: internet.authority });
    expect(walls.events).toEqual([]);
  });

  test("the host's own loopback is not there", async () => {
    const server = createServer(socket => socket.end('of the host')).listen(0, '127.0.0.1');
    await new Promise(resolve => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const direct = await walls.run(`exec 3<>/dev/tcp/127.0.0.1/${port}`);
    const proxied = await walls.run(`curl -sS --noproxy "" http://127.0.0.1:${port}/`);
    server.close();
    expect(direct.status).not.toBe(0);
    expect(proxied.out).toContain('nothing was sent to it');
    expect(walls.refusals).toEqual(['egress.privateAddress']);
  });
});

const nodeFirst = `PATH=${JSON.stringify(join(process.execPath, '..'))}:$PATH; `;

const pages: RequestListener = (request, response) => {
  const url = request.url ?? '/';
  if (url === '/page') return void response.end('the page\n');
  if (url === '/echo') {
    return void response.end(Buffer.from(internet.seen.at(-1)?.body ?? '', 'latin1'));
  }
  if (url === '/small') {
    const file = readFileSync(join(internet.folder, 'package', 'small-1.0.0.tgz'));
    const integrity = `sha512-${createHash('sha512').update(file).digest('base64')}`;
    const dist = { tarball: 'https://registry.example.com/small-1.0.0.tgz', integrity };
    response.setHeader('content-type', 'application/json');
    return void response.end(
      JSON.stringify({
        name: 'small',
        'dist-tags': { latest: '1.0.0' },
        versions: { '1.0.0': { name: 'small', version: '1.0.0', dist } },
      }),
    );
  }
  const file = join(internet.folder, url === '/small-1.0.0.tgz' ? 'package' : '.', url.split('?')[0] ?? '');
  try {
    response.end(readFileSync(file));
  } catch {
    response.writeHead(404).end();
  }
};

function makeRepository(folder: string): void {
  mkdirSync(folder);
  writeFileSync(join(folder, 'file.txt'), 'from the repository\n');
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.com', ...args], {
      cwd: folder,
      stdio: 'ignore',
    });
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-q', '-m', 'one');
  git('update-server-info');
}

function makePackage(folder: string): void {
  mkdirSync(join(folder, 'package'), { recursive: true });
  writeFileSync(join(folder, 'package', 'package.json'), '{"name":"small","version":"1.0.0"}');
  writeFileSync(join(folder, 'package', 'index.js'), "module.exports = 'small';\n");
  execFileSync('tar', ['czf', 'small-1.0.0.tgz', 'package'], { cwd: folder });
}
