import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import net, { type OnReadOpts, type Socket } from 'node:net';
import type { NetworkService } from '../../sandbox/sandbox.ts';
import { Admission } from './admission.ts';
import { serveDirect } from './direct.ts';
import { HttpFront } from './httpFront.ts';
import { NameService } from './nameService.ts';
import { proxyEnvironment } from './proxyEnvironment.ts';
import type { Refusal } from './refusal.ts';
import { serveSocks } from './socks.ts';

/** A host and port that a sandboxed program wants to reach. */
export interface EgressTarget {
  /** Normalised: a name in lower-case ASCII without trailing dot, or an IP address. */
  readonly host: string;
  readonly port: number;
}

/** What happened on a connection that `owner` made. */
export type EgressEvent = { readonly owner: string | undefined } &
  /** Was not reached, or was cut: the program saw an error that says so. */
  (
    | { readonly kind: 'refused'; readonly target: EgressTarget; readonly refusal: Refusal }
    | { readonly kind: 'connected'; readonly target: EgressTarget; readonly address: string }
    /** Bytes as they went over the connection to the host; duration in milliseconds. */
    | {
        readonly kind: 'closed';
        readonly target: EgressTarget;
        readonly address: string;
        readonly bytesUp: number;
        readonly bytesDown: number;
        readonly duration: number;
      }
  );

export interface EgressLimits {
  /** Bytes that may be sent to one host, all connections of this proxy together. */
  readonly uploadPerHost: number;
  /** Milliseconds until a connection on which nothing moves is closed. */
  readonly idle: number;
  /** Milliseconds that a connection may last. */
  readonly total: number;
  /** Milliseconds to reach a host. */
  readonly connect: number;
  /** Milliseconds that a connection waits for `ask`. */
  readonly ask: number;
}

export const defaultEgressLimits: EgressLimits = {
  uploadPerHost: 64 * 2 ** 20,
  idle: 5 * 60_000,
  total: 2 * 3_600_000,
  connect: 30_000,
  ask: 10 * 60_000,
};

export interface EgressOptions {
  /** Who made a connection, in the caller's own terms; handed on to everything below. Absent: nobody in particular. */
  readonly ownerOf?: (connection: Socket) => string | undefined;
  /**
   * Whether this host or address is allowed now. Asked for each connection; for a name that leads to a private
   * address it is asked again with that address, so only who allowed the very address gets there.
   */
  readonly allows: (target: EgressTarget, owner: string | undefined) => boolean;
  /**
   * Asks the user about a host that is not allowed, while the connection waits; several connections of one owner to
   * one host wait for one answer. What it rejects with counts as a denial. The signal aborts when nobody waits any
   * more. Absent: what is not allowed is refused at once.
   */
  readonly ask?: (
    target: EgressTarget,
    owner: string | undefined,
    signal: AbortSignal,
  ) => Promise<'allow' | 'deny'>;
  readonly onEvent: (event: EgressEvent) => void;
  /** Ports below 1024 besides 80 and 443 that programs reach without knowing of the proxy. */
  readonly directPorts?: readonly number[];
  readonly limits?: Partial<EgressLimits>;
  /** How names are resolved and addresses reached; the machine's own way when absent. */
  readonly outside?: Outside;
}

/** The world behind the proxy. */
export interface Outside {
  /** All addresses of a name. Rejects when there are none. */
  resolve(name: string): Promise<readonly LookupAddress[]>;
  /** Starts to connect to exactly one of these addresses; `onread` as in Node's own options. */
  connect(addresses: readonly LookupAddress[], port: number, onread?: OnReadOpts): Socket;
}

/** The broker's way out for sandboxed commands. Disposing cuts every connection. */
export interface EgressProxy extends Disposable {
  /** For `openSandbox`: commands then find the proxy on their loopback. */
  readonly network: NetworkService;
  /**
   * Ends every connection to a host (by name or address), also those that are being made. Whether it may be reached
   * again is for `allows` to say.
   */
  cut(host: string): void;
}

/**
 * Starts the only way out: a proxy that speaks HTTP, CONNECT and SOCKS5 on every connection it is handed, and serves
 * programs that know nothing of proxies through names of its own. It opens no port and listens nowhere by itself. A
 * program reaches a host only when it is allowed, by an address resolved once and checked, and only as long as what it
 * says on the connection names that same host.
 */
export function startEgressProxy(options: EgressOptions): EgressProxy {
  const limits = { ...defaultEgressLimits, ...options.limits };
  const open = new Set<Socket>();
  const admission = new Admission({ ...options, limits, outside: options.outside ?? machine });
  const http = new HttpFront(admission, limits);
  const ports = [...new Set([80, 443, ...(options.directPorts ?? [])])].filter(port => port < 1024);
  const names = new NameService(
    host => options.ask !== undefined || ports.some(port => options.allows({ host, port }, undefined)),
  );
  const accept = (connection: Socket, directPort?: number): void => {
    open.add(connection);
    const overdue = setTimeout(() => connection.destroy(), limits.total);
    connection.once('close', () => {
      clearTimeout(overdue);
      open.delete(connection);
    });
    connection.on('error', () => connection.destroy());
    connection.setTimeout(Math.max(limits.idle, limits.ask), () => connection.destroy());
    if (directPort !== undefined) {
      const host = names.nameOf(connection.localAddress);
      if (host === undefined) return void connection.resetAndDestroy();
      return void serveDirect(connection, host, directPort, admission, http);
    }
    // Both protocols begin with the program's own words.
    connection.once('readable', () => {
      const first = connection.read() as Buffer | null;
      if (first === null) return void connection.destroy();
      connection.unshift(first);
      if (first[0] === 0x05) void serveSocks(connection, admission, http);
      else http.serve(connection);
    });
  };
  return {
    network: {
      accept,
      environment: port => proxyEnvironment(port, options.ask === undefined),
      ports,
      answerName: query => names.answer(query),
    },
    cut: host => admission.cut(host),
    [Symbol.dispose]() {
      admission.close();
      for (const connection of open) connection.destroy();
    },
  };
}

const machine: Outside = {
  resolve: name => lookup(name, { all: true, verbatim: true }),
  connect: (addresses, port, onread) =>
    net.connect({
      ...(onread === undefined ? {} : { onread }),
      host: 'checked',
      port,
      autoSelectFamily: true,
      // Not asked again: this is the list that was checked, and nothing else.
      lookup: (_name, { all }, done) => {
        const [first] = addresses;
        if (all === true) done(null, [...addresses]);
        else done(null, first?.address ?? '', first?.family);
      },
    }),
};
