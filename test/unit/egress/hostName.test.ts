import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normaliseHost } from '../../../src/egress/hostName.ts';

describe('a host is compared in one form', () => {
  test.each([
    ['Docs.Example.COM', 'docs.example.com'],
    ['docs.example.com.', 'docs.example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['ｅｘａｍｐｌｅ.com', 'example.com'],
    ['ex\u00adample.com', 'example.com'],
    ['_dmarc.example.com', '_dmarc.example.com'],
    ['localhost.', 'localhost'],
  ])('%j is the name %s', (written, text) => {
    expect(normaliseHost(written)).toEqual({ kind: 'name', text });
  });

  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1.', '127.0.0.1'],
    ['0x7f.1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['017700000001', '127.0.0.1'],
    ['127.1', '127.0.0.1'],
    ['１２７.０.０.１', '127.0.0.1'],
    ['127。0。0。1', '127.0.0.1'],
    ['0', '0.0.0.0'],
    ['[::1]', '::1'],
    ['::1', '::1'],
    ['::ffff:7f00:1', '127.0.0.1'],
    ['[::ffff:169.254.169.254]', '169.254.169.254'],
  ])('%j is the address %s', (written, text) => {
    expect(normaliseHost(written)).toEqual({ kind: 'address', text });
  });

  test.each([
    '',
    '.',
    '..',
    'a..b',
    'example.com..',
    'a b',
    'example.com\0',
    'example.com\r\nHost: other',
    'example.com/x',
    'example.com?x',
    'example.com#x',
    'example.com:80',
    'user@example.com',
    'exam%70le.com',
    'fe80::1%eth0',
    '[::1',
    '::1]',
    '[example.com]',
    '1.2.3.4.5',
    '256.256.256.256',
    '0x100000000',
    'example.0x7f',
    '-a.example',
    '*.example.com',
    'a'.repeat(64) + '.com',
    'a.'.repeat(200) + 'com',
    'a'.repeat(5000),
  ])('%j is none', written => {
    expect(normaliseHost(written)).toBeUndefined();
  });

  test('whatever is written: normalising twice changes nothing, and nothing odd comes out', () => {
    const odd = fc.string({ unit: fc.constantFrom(...Array.from('aZ0.:[]@/\\%-_ xｅ１。\u200b\u00ad')) });
    fc.assert(
      fc.property(fc.oneof(odd, fc.string(), fc.domain(), fc.ipV4Extended(), fc.ipV6()), written => {
        const host = normaliseHost(written);
        if (host === undefined) return;
        expect(normaliseHost(host.text)).toEqual(host);
        expect(host.text).toMatch(host.kind === 'name' ? /^[a-z0-9._-]+$/ : /^[0-9a-f.:]+$/);
      }),
      { numRuns: 5_000 },
    );
  });
});
