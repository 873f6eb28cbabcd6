import type { IncomingMessage } from 'node:http';
import type { EgressTarget } from './egressProxy.ts';
import { normaliseHost } from './hostName.ts';
import { refusals, type Refusal } from './refusal.ts';

export type HttpTarget =
  | { readonly kind: 'target'; readonly host: string; readonly port: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly target?: EgressTarget };

/**
 * Where a plain HTTP request is meant to go. Outside of a tunnel its line must be a whole `http://` address; inside
 * one (`settled`) it must be a path. Either way a Host header, of which there may be one, must name the same host. Pure.
 */
export function targetOf(
  request: Pick<IncomingMessage, 'url' | 'rawHeaders'>,
  settled: EgressTarget | undefined,
): HttpTarget {
  const line = request.url ?? '';
  const hosts = request.rawHeaders.flatMap((value, at, all) =>
    at % 2 === 1 && all[at - 1]?.toLowerCase() === 'host' ? [value] : [],
  );
  const place = settled ?? placeOf(line);
  if (place === undefined)
    return bad(
      line.startsWith('/')
        ? 'this is a proxy; a request to it names a whole http:// address'
        : 'only http:// addresses and CONNECT are understood',
    );
  if (settled !== undefined && !line.startsWith('/') && line !== '*' && !sameHost(placeOf(line), settled))
    return mismatch(settled, line);
  if (hosts.length > 1) return mismatch(place, hosts.join(', '));
  const [host] = hosts;
  if (host === undefined || host === '')
    return settled === undefined ? { kind: 'target', ...place } : mismatch(settled, undefined);
  const named = placeOf(`http://${host}/`);
  // Without a port of its own the header says nothing about it.
  const hasPort = /:\d*$/.test(host.replace(/^\[[^\]]*\]/, ''));
  const isSame = named !== undefined && sameHost(hasPort ? named : { ...named, port: place.port }, place);
  return isSame ? { kind: 'target', ...place } : mismatch(place, host);
}

/** Names of headers that speak to the next hop only (RFC 9110 §7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Raw headers (name, value, name, value …) as they may be passed on, less those in `without` (lower case). Pure. */
export function forwardedHeaders(rawHeaders: readonly string[], without: readonly string[] = []): string[] {
  const named = new Set(
    rawHeaders.flatMap((value, at) =>
      at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'connection'
        ? value.split(',').map(each => each.trim().toLowerCase())
        : [],
    ),
  );
  // Whoever names it a matter of one hop must not make us drop what frames or addresses the message.
  for (const each of ['content-length', 'host']) named.delete(each);
  return rawHeaders.flatMap((name, at) => {
    const lower = name.toLowerCase();
    if (at % 2 === 1 || hopByHop.has(lower) || named.has(lower) || without.includes(lower)) return [];
    return [name, rawHeaders[at + 1] ?? ''];
  });
}

function placeOf(address: string): EgressTarget | undefined {
  const [, written = '', port] =
    /^http:\/\/(\[[^\]]*\]|[^:/?#@]*)(?::(\d{0,5}))?(?:[/?#].*)?$/i.exec(address) ?? [];
  const host = normaliseHost(written);
  return host === undefined ? undefined : { host: host.text, port: port ? Number(port) : 80 };
}

function sameHost(one: EgressTarget | undefined, other: EgressTarget): boolean {
  return one?.host === other.host && one.port === other.port;
}

function bad(why: string): HttpTarget {
  return { kind: 'refused', refusal: refusals.badRequest(why) };
}

function mismatch(target: EgressTarget, found: string | undefined): HttpTarget {
  return { kind: 'refused', refusal: refusals.mismatch(target.host, 'Host header', found), target };
}
