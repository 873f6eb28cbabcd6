import { CordonError } from '../base/errors.ts';
import { bracketed, normaliseHost } from './hostName.ts';

/** One host that may be reached. Without a port: 80 and 443. It says nothing of hosts below it. */
export interface DomainGrant {
  /** Normalised: lower-case ASCII name, or an IP address. */
  readonly host: string;
  readonly port?: number;
}

/**
 * Reads `docs.example.com`, `docs.example.com:8443`, `10.0.0.5:8080` or `[2001:db8::1]:443`. A domain ending alone
 * (`com`) and wildcards are refused: hosts are allowed one by one. Throws a CordonError `egress.invalidDomain`.
 */
export function parseDomain(text: string): DomainGrant {
  const [, written = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/u.exec(text) ?? [];
  if (text.includes('*'))
    throw invalid(text, 'it has a wildcard, and hosts are allowed one by one', 'Name each host.');
  if (text.includes('/') || text.includes('@'))
    throw invalid(text, 'it is an address of a page', 'Name the host alone, such as docs.example.com.');
  const host = normaliseHost(written);
  const isRightPort = port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);
  if (host === undefined || !isRightPort)
    throw invalid(
      text,
      'it is not HOST or HOST:PORT',
      'Write it as docs.example.com or docs.example.com:8443.',
    );
  if (host.kind === 'name' && !host.text.includes('.') && host.text !== 'localhost')
    throw invalid(text, 'it has no dot, so it is no full name of a host', 'Name the host in full.');
  return { host: host.text, ...(port === undefined ? {} : { port: Number(port) }) };
}

/** Whether one of the grants covers this normalised host and port. No grants allow nothing. */
export function isGranted(grants: Iterable<DomainGrant>, host: string, port: number): boolean {
  for (const grant of grants)
    if (grant.host === host && (grant.port === undefined ? isWebPort(port) : grant.port === port))
      return true;
  return false;
}

/** Whether one of these hosts is this normalised one, or lies above it: who forbids `example.com` means all of it. */
export function isForbidden(hosts: Iterable<string>, host: string): boolean {
  for (const each of hosts) if (host === each || host.endsWith(`.${each}`)) return true;
  return false;
}

/** The smallest grant that covers this host and port, as `parseDomain` reads it. */
export function grantFor(host: string, port: number): string {
  return isWebPort(port) ? bracketed(host) : `${bracketed(host)}:${port}`;
}

export function isWebPort(port: number): boolean {
  return port === 80 || port === 443;
}

function invalid(text: string, why: string, remedy: string): CordonError {
  return new CordonError(
    'egress.invalidDomain',
    `${JSON.stringify(text.slice(0, 100))} cannot be allowed: ${why}.`,
    remedy,
  );
}
