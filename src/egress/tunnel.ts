import type { Socket } from 'node:net';
import type { Admission, Passage } from './admission.ts';
import { readGreeting } from './clientHello.ts';
import type { EgressTarget } from './egressProxy.ts';
import { isWebPort } from './grant.ts';
import { normaliseHost } from './hostName.ts';
import type { HttpFront } from './httpFront.ts';
import { refusals, type Refusal } from './refusal.ts';

/**
 * Joins a program that was promised a plain connection (CONNECT, SOCKS) with the host. What it says first is read:
 * TLS must name the host, HTTP goes through the proxy's own reader, which compares every Host header. Anything else
 * passes only on a port that was allowed by number, where the user chose what speaks there.
 */
export function tunnel(client: Socket, passage: Passage, admission: Admission, http: HttpFront): void {
  const { target, upstream, downstream } = passage;
  const passOn = () =>
    downstream === undefined ? void upstream.pipe(client) : downstream.start(upstream, client);
  const mayBeAnything = !isWebPort(target.port);
  const onUpstreamClose = () => client.destroySoon();
  client.once('close', () => upstream.destroySoon());
  upstream.once('close', onUpstreamClose);
  // Mail, SSH and databases speak first on the host's side.
  if (mayBeAnything) passOn();

  let heard = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk]);
    const verdict = judge(heard, target, mayBeAnything, upstream.bytesRead > 0);
    if (verdict.kind === 'more') return;
    client.off('data', onData);
    client.off('end', onEnd);
    client.pause();
    client.unshift(heard);
    switch (verdict.kind) {
      case 'pass':
        if (!mayBeAnything) passOn();
        return sendCounted(client, passage, upstream, admission);
      case 'http':
        upstream.unpipe(client);
        upstream.off('close', onUpstreamClose);
        // What the host said already was for the program, not for our reader: then a request gets a new connection.
        if (downstream === undefined || downstream.isStarted) upstream.destroy();
        return http.serve(client, target, upstream.destroyed ? undefined : passage);
      case 'refuse':
        admission.refuse(passage, verdict.refusal);
        upstream.destroy();
        client.end(verdict.isTls ? unrecognizedName : Buffer.alloc(0));
        client.resume();
    }
  };
  const onEnd = () => upstream.end();
  client.on('data', onData);
  client.on('end', onEnd);
  client.resume();
}

type Verdict =
  | { readonly kind: 'more' }
  | { readonly kind: 'pass' }
  | { readonly kind: 'http' }
  | { readonly kind: 'refuse'; readonly refusal: Refusal; readonly isTls: boolean };

function judge(heard: Buffer, target: EgressTarget, mayBeAnything: boolean, hostSpoke: boolean): Verdict {
  if (heard[0] === 0x16) {
    const greeting = readGreeting(heard);
    switch (greeting.kind) {
      case 'incomplete':
        return { kind: 'more' };
      case 'invalid':
        return { kind: 'refuse', refusal: refusals.notReadable(target.host, target.port), isTls: true };
      case 'hello':
        if (agrees(greeting.serverName, target.host)) return { kind: 'pass' };
        return {
          kind: 'refuse',
          refusal: refusals.mismatch(target.host, 'TLS greeting', greeting.serverName),
          isTls: true,
        };
    }
  }
  const word = heard.subarray(0, longestMethod + 1).toString('latin1');
  if (!hostSpoke && /^[A-Z]+ /.test(word)) return { kind: 'http' };
  if (!hostSpoke && /^[A-Z]{1,16}$/.test(word)) return { kind: 'more' };
  if (mayBeAnything) return { kind: 'pass' };
  return { kind: 'refuse', refusal: refusals.notReadable(target.host, target.port), isTls: false };
}

/** An address is not named in a greeting (RFC 6066 §3); some programs do it all the same. */
function agrees(serverName: string | undefined, host: string): boolean {
  const wanted = normaliseHost(host);
  if (serverName === undefined) return wanted?.kind === 'address';
  return normaliseHost(serverName)?.text === wanted?.text;
}

/** Passes on what the program sends, as far as the limit goes. */
export function sendCounted(
  client: Socket,
  way: Pick<Passage, 'target' | 'owner'>,
  upstream: Socket,
  admission: Admission,
): void {
  client.on('data', (chunk: Buffer) => {
    if (admission.mayUpload(way, chunk.length)) return;
    upstream.destroy();
    client.destroy();
  });
  client.pipe(upstream);
}

const longestMethod = 16;

/** The fatal TLS alert for a server name that is not served here. */
export const unrecognizedName = Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x70]);
