import ipaddr from 'ipaddr.js';
import { ProblemError } from './problem.ts';

/**
 * The address that request paths are put behind, without trailing slash. Forgives what people type: a slash at the
 * end, `/v1` where the protocol adds it by itself, or no `/v1` where it belongs to the base.
 * Throws a ProblemError `gateway.badBaseUrl`.
 */
export function anthropicBase(baseUrl: string | undefined): URL {
  const url = parse(baseUrl ?? 'https://api.anthropic.com');
  url.pathname = url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '');
  return url;
}

/** As `anthropicBase`, for Chat Completions, whose base includes the version. */
export function openaiBase(baseUrl: string | undefined): URL {
  const url = parse(baseUrl ?? 'https://api.openai.com/v1');
  url.pathname = url.pathname.replace(/\/+$/, '').replace(/\/chat\/completions$/, '');
  if (url.pathname === '/') url.pathname = '/v1';
  return url;
}

/** The address of `path` below `base`. */
export function below(base: URL, path: string): string {
  return `${base.origin}${base.pathname.replace(/\/+$/, '')}${path}`;
}

/**
 * Throws a ProblemError when a key would travel unencrypted over a network that is not the user's own: plain http is
 * for this machine and private addresses.
 */
export function refuseKeyInTheClear(base: URL): void {
  if (base.protocol === 'https:' || isPrivate(base.hostname)) return;
  throw badBaseUrl(
    `The key would travel unencrypted to ${base.host}, so nothing was sent.`,
    'Use https:// in the base URL; plain http:// is for servers on this machine or in a private network.',
  );
}

function isPrivate(hostname: string): boolean {
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) return true;
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  if (!ipaddr.isValid(address)) return false;
  return ['loopback', 'private', 'uniqueLocal'].includes(ipaddr.process(address).range());
}

function parse(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw badBaseUrl('The base URL is not an address.', 'It looks like https://example.com/v1.');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw badBaseUrl(
      `The base URL begins with ${url.protocol}, which is not a web address.`,
      'Use https:// or http://.',
    );
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw badBaseUrl(
      'The base URL holds a name, password, query or fragment.',
      'Leave only the address; the key is asked for by itself and kept safely.',
    );
  }
  return url;
}

function badBaseUrl(message: string, remedy: string): ProblemError {
  return new ProblemError({ code: 'gateway.badBaseUrl', message, remedy, status: 400, passes: false });
}
