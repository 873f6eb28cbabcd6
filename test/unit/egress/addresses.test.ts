import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classify } from '../../../src/egress/addresses.ts';

describe('addresses', () => {
  test.each(['8.8.8.8', '93.184.216.34', '2606:4700:4700::1111', '::ffff:8.8.8.8', '1.1.1.1'])(
    '%s is public',
    address => expect(classify(address)).toBe('public'),
  );

  test.each(['192.0.2.1', '198.51.100.1', '203.0.113.255'])(
    '%s, of documents, stands for the internet',
    address => expect(classify(address)).toBe('public'),
  );

  test.each([
    ['loopback', '127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '::127.0.0.1'],
    ['unspecified', '0.0.0.0', '0.1.2.3', '::', '::ffff:0.0.0.0'],
    ['private', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '::ffff:192.168.1.1'],
    ['unique-local and site-local', 'fc00::1', 'fd12:3456::1', 'fec0::1'],
    ['link-local', 'fe80::1'],
    ['carrier-grade NAT', '100.64.0.1', '100.127.255.255'],
    ['multicast and broadcast', '224.0.0.1', '239.255.255.255', 'ff02::1', '255.255.255.255'],
    ['reserved or for tests', '240.0.0.1', '192.0.0.1', '198.18.0.1'],
    ['documents in IPv6', '2001:db8::1', '3fff::1'],
    ['NAT64', '64:ff9b::7f00:1', '64:ff9b::808:808', '64:ff9b:1::7f00:1'],
    ['6to4', '2002:7f00:1::', '2002:808:808::1'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2', '2001::1'],
    ['no address', '', 'example.com', '1.2.3', '1.2.3.4.5', '::1%lo'],
  ])('%s: not public', (_, ...addresses) => {
    expect(addresses.filter(address => classify(address) === 'public')).toEqual([]);
  });

  test.each([
    '169.254.169.254',
    '169.254.170.2',
    '::ffff:169.254.169.254',
    '::169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::',
    'fd00:ec2::254',
    'fd20:ce::254',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
  ])('%s is a metadata service', address => expect(classify(address)).toBe('metadata'));

  test('an IPv4 address is never better off in IPv6 clothes', () => {
    fc.assert(
      fc.property(fc.ipV4(), address => {
        const plain = classify(address);
        expect(classify(`::ffff:${address}`)).toBe(plain);
        expect([plain, 'private']).toContain(classify(`::${address}`));
        expect(classify(`64:ff9b::${address}`)).toBe(plain === 'metadata' ? 'metadata' : 'private');
      }),
    );
  });
});
