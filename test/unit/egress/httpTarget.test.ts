import { describe, expect, test } from 'vitest';
import { forwardedHeaders, targetOf } from '../../../src/egress/httpTarget.ts';

const where = (url: string, ...hosts: string[]) =>
  targetOf({ url, rawHeaders: hosts.flatMap(host => ['Host', host]) }, undefined);
const inside = (url: string, ...hosts: string[]) =>
  targetOf({ url, rawHeaders: hosts.flatMap(host => ['host', host]) }, { host: 'a.example', port: 8080 });

describe('where a request goes', () => {
  test.each([
    ['http://a.example/x', 'a.example', 80],
    ['http://A.example./x', 'a.example', 80],
    ['HTTP://a.example:8080', 'a.example', 8080],
    ['http://[::1]:81/', '::1', 81],
    ['http://0x7f.1/', '127.0.0.1', 80],
    ['http://a.example?u=http://b.example/', 'a.example', 80],
  ])('%s', (url, host, port) => {
    expect(where(url)).toEqual({ kind: 'target', host, port });
  });

  test.each([
    ['a path alone', '/x'],
    ['another scheme', 'https://a.example/'],
    ['a file', 'file:///etc/passwd'],
    ['a user name', 'http://a.example@b.example/'],
    ['a user name with a colon', 'http://a.example:80@b.example/'],
    ['a backslash', 'http://a.example\\@b.example/'],
    ['a slash too few', 'http:/a.example/'],
    ['no host', 'http:///x'],
    ['an asterisk', '*'],
  ])('%s is not understood', (_, url) => {
    expect(where(url)).toMatchObject({ kind: 'refused', refusal: { code: 'egress.badRequest' } });
  });

  test.each([
    ['another host', ['b.example']],
    ['another port', ['a.example:81']],
    ['two hosts', ['a.example', 'b.example']],
    ['the same host twice', ['a.example', 'a.example']],
    ['no host that one can read', ['a.example@b.example']],
    ['a host below', ['x.a.example']],
  ])('a header that names %s is refused', (_, hosts) => {
    expect(where('http://a.example/', ...hosts)).toMatchObject({ refusal: { code: 'egress.mismatch' } });
  });

  test('inside a tunnel a header must name its host', () => {
    expect(inside('/x', 'A.example:8080')).toEqual({ kind: 'target', host: 'a.example', port: 8080 });
    expect(inside('/x', 'a.example')).toEqual({ kind: 'target', host: 'a.example', port: 8080 });
    for (const asked of [
      inside('/x'),
      inside('/x', ''),
      inside('/x', 'b.example'),
      inside('/x', 'a.example:80'),
      inside('http://b.example/x', 'a.example:8080'),
      inside('http://a.example/x', 'a.example:8080'),
    ])
      expect(asked).toMatchObject({ refusal: { code: 'egress.mismatch' } });
  });
});

test('headers for the next hop stay behind, also those that Connection names, but not what frames a message', () => {
  const raw = [
    ['Accept', '*/*'],
    ['Connection', 'close, X-Mine, Content-Length, Host'],
    ['X-Mine', '1'],
    ['Content-Length', '3'],
    ['Transfer-Encoding', 'chunked'],
    ['Proxy-Authorization', 'Basic x'],
    ['Upgrade', 'h2c'],
    ['TE', 'trailers'],
    ['Expect', '100-continue'],
    ['Set-Cookie', 'a'],
    ['Set-Cookie', 'b'],
  ].flat();
  expect(forwardedHeaders(raw, ['expect'])).toEqual(
    [
      ['Accept', '*/*'],
      ['Content-Length', '3'],
      ['Set-Cookie', 'a'],
      ['Set-Cookie', 'b'],
    ].flat(),
  );
});
