import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';

/** Where an address leads. Only `public` is reached without having been allowed by address. */
export type AddressClass = 'public' | 'private' | 'metadata';

/**
 * Classifies an IP address. Private is everything but ordinary public unicast: loopback, link-local, private,
 * unique-local, carrier-grade NAT, multicast, reserved, and every form that carries another address
 * inside (mapped, compatible, NAT64, 6to4, Teredo). What is not an address is private too.
 */
export function classify(address: string): AddressClass {
  if (isIP(address) === 0 || address.includes('%')) return 'private';
  const parsed = ipaddr.process(address);
  const embedded = parsed.kind() === 'ipv6' ? embeddedAddress(parsed as ipaddr.IPv6) : undefined;
  if (isMetadata(parsed) || (embedded !== undefined && isMetadata(embedded))) return 'metadata';
  if (documentation.some(range => range[0].kind() === parsed.kind() && parsed.match(range))) return 'public';
  return parsed.range() === 'unicast' && embedded === undefined ? 'public' : 'private';
}

/**
 * RFC 5737. On the internet nothing is there, and nobody's machines are in a private network; where these addresses do
 * lead somewhere, they stand for the internet: in laboratories and behind gateways.
 */
const documentation = ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'].map(each =>
  ipaddr.parseCIDR(each),
);

/** This machine's own addresses: a service here may trust who reaches it by them. */
export function ownAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap(each => each ?? []);
  return new Set(all.map(({ address }) => ipaddr.process(address.replace(/%.*$/, '')).toString()));
}

/** Names that clouds give to their metadata services, normalised. */
export const metadataNames: ReadonlySet<string> = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
]);

/** Services that hand out a machine's credentials to whoever asks from it. Some have addresses that look public. */
const metadataRanges = [
  // AWS, Azure, Google, Oracle, DigitalOcean, OpenStack and the container services beside them.
  '169.254.0.0/16',
  // AWS over IPv6; Google over IPv6.
  'fd00:ec2::/32',
  'fd20:ce::/32',
  // Alibaba.
  '100.100.100.200/32',
  // Azure's wire server.
  '168.63.129.16/32',
  // Oracle, older form.
  '192.0.0.192/32',
].map(each => ipaddr.parseCIDR(each));

function isMetadata(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return metadataRanges.some(range => range[0].kind() === address.kind() && address.match(range));
}

/** The IPv4 address inside an IPv6 one, for the prefixes that translators and tunnels use. */
function embeddedAddress(address: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  const bytes = address.toByteArray();
  const at = (offset: number) => new ipaddr.IPv4(bytes.slice(offset, offset + 4));
  const startsWith = (...prefix: number[]) => prefix.every((byte, index) => bytes[index] === byte);
  if (bytes.slice(0, 12).every(byte => byte === 0)) return at(12);
  // NAT64, the well-known and the local prefix.
  if (startsWith(0x00, 0x64, 0xff, 0x9b)) return at(12);
  if (startsWith(0x20, 0x02)) return at(2);
  // Teredo keeps it inverted.
  if (startsWith(0x20, 0x01, 0x00, 0x00)) return new ipaddr.IPv4(bytes.slice(12).map(byte => byte ^ 0xff));
  return undefined;
}
