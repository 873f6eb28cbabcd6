import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Internet, Walls } from '../integration/egress/internet.ts';

const bytes = 1_000_000_000;
const rounds = 5;
const site = '93.184.216.34';

/** Sends `bytes` zeros to whoever asks, in a process of its own as a real host would be. */
const server = `
const [, , key, cert, bytes] = process.argv;
const chunk = Buffer.alloc(256 * 1024);
const answer = (_, response) => {
  let left = Number(bytes);
  response.setHeader('content-length', left);
  const more = () => {
    while (left > 0) {
      const part = chunk.subarray(0, left);
      left -= part.length;
      if (!response.write(part)) return response.once('drain', more);
    }
    response.end();
  };
  more();
};
const { readFileSync } = require('node:fs');
const plain = require('node:http').createServer(answer).listen(0, '127.0.0.1', () => {
  const secure = require('node:https')
    .createServer({ key: readFileSync(key), cert: readFileSync(cert) }, answer)
    .listen(0, '127.0.0.1', () => console.log(plain.address().port, secure.address().port));
});
`;

test('throughput through the proxy, as a ratio of direct loopback', async () => {
  await using internet = new Internet(['docs.example.com']);
  const files = ['site.key', 'site.pem'].map(name => join(internet.folder, name));
  const host = spawn(process.execPath, ['-e', server, '-', ...files, String(bytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(host.stdout, 'data')) as [Buffer];
    const [plain = 0, secure = 0] = line.toString().trim().split(' ').map(Number);
    internet.name('docs.example.com', [site]).place(site, 80, plain).place(site, 443, secure);
    await using walls = await Walls.open(internet, ['docs.example.com']);
    const measure = ['-s', '-o', '/dev/null', '-w', '%{speed_download}'];
    for (const [scheme, port] of [
      ['http', plain],
      ['https', secure],
    ] as const) {
      const direct: number[] = [];
      const proxied: number[] = [];
      const bare: number[] = [];
      await using relay = await startRelay(internet.folder, port);
      let processor = 0;
      // In turns: the machine's speed changes.
      for (let round = 0; round < rounds; round++) {
        const fetchFrom = (at: number) => {
          const connect = `docs.example.com:${port}:127.0.0.1:${at}`;
          const authority = join(internet.folder, 'ca.pem');
          const options = ['--noproxy', '*', '--cacert', authority, '--connect-to', connect];
          const address = `${scheme}://docs.example.com:${port}/`;
          return Number(execFileSync('curl', [...options, ...measure, address], { encoding: 'utf8' }));
        };
        direct.push(fetchFrom(port));
        if (relay !== undefined) bare.push(fetchFrom(relay.port));
        const before = process.cpuUsage();
        const { out } = await walls.run(
          `curl ${measure.map(each => `'${each}'`).join(' ')} ${scheme}://docs.example.com/`,
        );
        const { user, system } = process.cpuUsage(before);
        processor += (user + system) / 1e6;
        proxied.push(Number(out));
      }
      const ratio = median(proxied) / median(direct);
      console.log(
        [
          `egress over ${scheme}: ${mega(median(proxied))} MB/s through the proxy, ${mega(median(direct))} MB/s direct, ratio ${ratio.toFixed(2)}`,
          relay === undefined
            ? 'there is no C compiler here to make a bare relay'
            : `a relay in C that checks nothing: ${mega(median(bare))} MB/s, ${(median(bare) / median(direct)).toFixed(2)} of direct; the proxy has ${(median(proxied) / median(bare)).toFixed(2)} of that`,
          `the broker used ${(processor / rounds / (bytes / 1e9)).toFixed(2)} s of processor for 1 GB`,
        ].join('\n'),
      );
      expect(ratio).toBeGreaterThan(0);
    }
  } finally {
    host.kill('SIGKILL');
  }
});

/**
 * What any relay costs on this machine: every byte goes through the kernel twice as often as without, and one more
 * process wants the processors.
 */
async function startRelay(
  folder: string,
  to: number,
): Promise<(AsyncDisposable & { readonly port: number }) | undefined> {
  const program = join(folder, 'relay');
  try {
    execFileSync('cc', ['-O2', '-pthread', '-o', program, join(import.meta.dirname, 'relay.c')]);
  } catch {
    return undefined;
  }
  const child = spawn(program, [String(to)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    port: Number(line.toString()),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function mega(speed: number): string {
  return (speed / 1e6).toFixed(0);
}
