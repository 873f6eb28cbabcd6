import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { grantFor, isGranted, parseDomain } from '../../../src/egress/grant.ts';

describe('a domain to allow', () => {
  test.each([
    ['docs.example.com', { host: 'docs.example.com' }],
    ['Docs.Example.com.', { host: 'docs.example.com' }],
    ['docs.example.com:8443', { host: 'docs.example.com', port: 8443 }],
    ['10.0.0.5:8080', { host: '10.0.0.5', port: 8080 }],
    ['[2001:db8::1]:443', { host: '2001:db8::1', port: 443 }],
    ['localhost:5432', { host: 'localhost', port: 5432 }],
  ])('%s is understood', (text, grant) => {
    expect(parseDomain(text)).toEqual(grant);
  });

  test.each([
    '',
    'com',
    '.',
    '*',
    '*.example.com',
    '*.com',
    'example.*',
    'https://example.com',
    'example.com/path',
    'user@example.com',
    'example.com:',
    'example.com:0',
    'example.com:65536',
    'example.com:80:80',
    'example.com:http',
    'example.com:-1',
    'example.com, other.com',
    'example.com other.com',
    'example.com\nother.com',
    '::1',
    '[::1',
    'exam\0ple.com',
  ])('%j is refused, in words', text => {
    expect(() => parseDomain(text)).toThrow(
      expect.objectContaining({ code: 'egress.invalidDomain', remedy: expect.stringMatching(/\.$/) }),
    );
  });

  test('allows itself and nothing else: no host below, beside or above it', () => {
    const grants = [parseDomain('example.com')];
    const reached = ['example.com', 'www.example.com', 'com', 'notexample.com', 'example.com.evil.com'];
    expect(reached.filter(host => isGranted(grants, host, 443))).toEqual(['example.com']);
  });

  test('covers the two ports of the web, or exactly the one that is named', () => {
    const ports = [22, 80, 443, 8443];
    const plain = [parseDomain('example.com')];
    const named = [parseDomain('example.com:8443')];
    expect(ports.filter(port => isGranted(plain, 'example.com', port))).toEqual([80, 443]);
    expect(ports.filter(port => isGranted(named, 'example.com', port))).toEqual([8443]);
  });

  test('when there is none, nothing is allowed', () => {
    expect(isGranted([], 'example.com', 443)).toBe(false);
  });

  test('is proposed so that reading it allows just that host and port', () => {
    fc.assert(
      fc.property(fc.domain(), fc.integer({ min: 1, max: 65_535 }), (domain, port) => {
        const { host } = parseDomain(domain);
        expect(isGranted([parseDomain(grantFor(host, port))], host, port)).toBe(true);
      }),
    );
    expect(grantFor('::1', 8080)).toBe('[::1]:8080');
  });
});
