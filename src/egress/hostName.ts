import ipaddr from 'ipaddr.js';

/** A host as everything here compares it: a name in lower-case ASCII without trailing dot, or an IP address. */
export type Host =
  { readonly kind: 'name'; readonly text: string } | { readonly kind: 'address'; readonly text: string };

/**
 * Normalises a host as a program may write it. `0x7f.1`, `2130706433`, full-width digits and upper case become what
 * they stand for (by the URL standard's own rules); an IPv4 address in IPv6 clothes becomes plain. Undefined for
 * anything that is not exactly one host: ports, blanks, zones, user names, what resolvers might read in another way.
 */
export function normaliseHost(written: string): Host | undefined {
  if (written.length === 0 || written.length > 512 || !/^[^\s\0-\x20\x7f/\\?#@%<>^|"'`{}]+$/u.test(written))
    return undefined;
  const isBracketed = written.startsWith('[') && written.endsWith(']');
  const bare = isBracketed ? written.slice(1, -1) : written;
  if (/[[\]]/.test(bare) || (isBracketed && !bare.includes(':'))) return undefined;
  const url = URL.parse(`http://${bare.includes(':') ? `[${bare}]` : bare}/`);
  if (url === null || url.port !== '' || url.hostname === '') return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (ipaddr.isValid(host)) return { kind: 'address', text: ipaddr.process(host).toString() };
  const labels = host.split('.');
  const isName =
    host.length <= 253 && labels.every(each => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(each));
  // What ends in a number would be an address to somebody.
  if (!isName || /^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) return undefined;
  return { kind: 'name', text: host };
}

/** As it stands in a URL or a Host header. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
