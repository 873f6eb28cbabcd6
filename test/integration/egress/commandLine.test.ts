import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildCommandLine, type CommandLine } from '../sandbox/commandLine.ts';

let cordon: CommandLine;
let server: http.Server;
let place: string;
beforeAll(async () => {
  cordon = await buildCommandLine();
  server = http.createServer((request, response) => response.end(`${request.method ?? ''} ok\n`));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server?.close();
  cordon?.[Symbol.dispose]();
});

// An address that is allowed by itself is reached even on loopback; programs must be told to use the proxy for it.
const fetching = () => `curl -sS --noproxy "" http://${place}/`;

describe('cordon sandbox --allow-domain', () => {
  test.each([[['--direct']], [['--read-only']], [[]], [['--session', 'net']]])(
    'opens the way to what it names, and prints nothing else (%j)',
    async options => {
      const words = ['sandbox', ...options, '--allow-domain', place, '--', 'bash', '-c', fetching()];
      expect(await cordon.run(words)).toMatchObject({ status: 0, stdout: 'GET ok\n', stderr: '' });
    },
  );

  test('opens no other way', async () => {
    const words = ['sandbox', '--allow-domain', 'docs.example.com', '--', 'bash', '-c', fetching()];
    const { stdout } = await cordon.run(words);
    expect(stdout).toBe(
      `Cordon: ${place} is an address of this machine or of a private network, so nothing was sent to it. ` +
        `The grant that would let it through: ${place}\n`,
    );
  });

  test('without it there is no way at all, and no word of one', async () => {
    const script = 'env | grep -ci proxy; curl -sS -m 20 http://docs.example.com/';
    const { status, stdout } = await cordon.run(['sandbox', '--', 'bash', '-c', script]);
    expect({ status, stdout }).toEqual({ status: 6, stdout: '0\n' });
  });

  test('two commands of one session at once each have their own', async () => {
    const run = (...domain: string[]) =>
      cordon.run([
        'sandbox',
        '--session',
        'both',
        '--allow-domain',
        ...domain,
        '--',
        'bash',
        '-c',
        `sleep 1; ${fetching()}`,
      ]);
    const [one, two] = await Promise.all([run(place), run('docs.example.com')]);
    expect(one.stdout).toBe('GET ok\n');
    expect(two.stdout).toContain('nothing was sent to it');
  });
});
