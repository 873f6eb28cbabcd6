import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { once } from 'node:events';
import ipaddr from 'ipaddr.js';
import { classify, metadataNames, ownAddresses } from './addresses.ts';
import { Downstream } from './downstream.ts';
import type { EgressLimits, EgressOptions, EgressTarget, Outside } from './egressProxy.ts';
import { normaliseHost, type Host } from './hostName.ts';
import { refusals, type Refusal } from './refusal.ts';

type Options = EgressOptions & { readonly limits: EgressLimits; readonly outside: Outside };

/** A connection to an allowed host, made. */
export interface Passage {
  readonly kind: 'open';
  readonly target: EgressTarget;
  readonly owner: string | undefined;
  readonly upstream: Socket;
  /** What reads from it; absent when it is read as a stream. */
  readonly downstream?: Downstream;
}

export type Admitted = Passage | { readonly kind: 'refused'; readonly refusal: Refusal };

/** What a program wants: to reach a host, on a connection that it made to us. */
interface Wish {
  readonly client: Duplex;
  readonly host: string;
  readonly port: number;
  /** Aborts when the program has gone: nothing is asked or connected then. */
  readonly hungUp: AbortSignal;
  /** Bytes that are passed on in whole, or both sides of a handshake that Node's own client is to read. */
  readonly use: 'bytes' | 'handshake';
}

interface Way {
  readonly target: EgressTarget;
  readonly owner: string | undefined;
}

/**
 * Decides about each connection and makes it. The order protects us:
 * 1. the host is brought to the one form in which it is compared;
 * 2. metadata services are refused, whatever is allowed;
 * 3. what is not allowed is asked or refused, before its name is resolved: a name can carry data by itself;
 * 4. the name is resolved, once;
 * 5. of its addresses only public ones stay, and those that are allowed themselves;
 * 6. one of these, and no other, is connected to.
 */
export class Admission {
  readonly #asked = new Map<
    string,
    { answer: Promise<boolean>; waiting: number; controller: AbortController }
  >();
  readonly #uploaded = new Map<string, number>();
  /** Connections to hosts, those included that are being made. */
  readonly #upstreams = new Map<Socket, EgressTarget>();
  /** How often a host was cut: who began before it does not get through after it. */
  readonly #cuts = new Map<string, number>();
  #closed = false;

  constructor(private readonly options: Options) {}

  /** Refuses everything from now on. */
  close(): void {
    this.#closed = true;
    for (const { controller } of this.#asked.values()) controller.abort();
  }

  /** Ends what goes to a host, by its name or its address. */
  cut(host: string): void {
    const named = normaliseHost(host)?.text ?? host;
    this.#cuts.set(named, (this.#cuts.get(named) ?? 0) + 1);
    for (const [upstream, target] of this.#upstreams)
      if (target.host === named || upstream.remoteAddress === named)
        upstream.destroy(new Error('its permission was taken back'));
  }

  /** Never rejects. */
  async admit({ client, host, port, hungUp, use }: Wish): Promise<Admitted> {
    const named = normaliseHost(host);
    if (named === undefined || !Number.isInteger(port) || port < 1 || port > 65_535)
      return { kind: 'refused', refusal: refusals.badRequest('it names no valid host and port') };
    const target = { host: named.text, port };
    const owner = this.options.ownerOf?.(client as Socket);
    const way = { target, owner };
    try {
      const refusal = await this.#refusalOf(named, way, hungUp);
      if (refusal !== undefined) return this.refuse(way, refusal);
      const cuts = this.#cuts.get(target.host);
      const addresses = await this.#addressesOf(named, way);
      if (!Array.isArray(addresses)) return this.refuse(way, addresses);
      if (cuts !== this.#cuts.get(target.host)) throw new Error('its permission was taken back');
      const downstream = use === 'bytes' ? new Downstream() : undefined;
      return await this.#connect(way, addresses, hungUp, downstream);
    } catch (error) {
      return this.refuse(way, refusals.unreachable(target.host, port, reasonOf(error)));
    }
  }

  /** Records a refusal; also of a connection that was open and is to be cut. */
  refuse({ target, owner }: Way, refusal: Refusal): { readonly kind: 'refused'; readonly refusal: Refusal } {
    if (!this.#closed) this.options.onEvent({ kind: 'refused', owner, target, refusal });
    return { kind: 'refused', refusal };
  }

  /** The same, of a request that was never decided about. */
  refuseFrom(client: Duplex, target: EgressTarget, refusal: Refusal) {
    return this.refuse({ target, owner: this.options.ownerOf?.(client as Socket) }, refusal);
  }

  /** Counts bytes on their way to a host. False when they are too many: they must not be sent. */
  mayUpload(way: Way, bytes: number): boolean {
    const { host } = way.target;
    const limit = this.options.limits.uploadPerHost;
    const before = this.#uploaded.get(host) ?? 0;
    if (before + bytes > limit) {
      if (before <= limit) this.refuse(way, refusals.uploadLimit(host, limit));
      this.#uploaded.set(host, limit + 1);
      return false;
    }
    this.#uploaded.set(host, before + bytes);
    return true;
  }

  async #refusalOf(host: Host, way: Way, hungUp: AbortSignal): Promise<Refusal | undefined> {
    const { target, owner } = way;
    const isMetadata =
      host.kind === 'address' ? classify(host.text) === 'metadata' : metadataNames.has(host.text);
    if (isMetadata) return refusals.metadata(host.text);
    if (this.#closed) return refusals.notAllowed(target.host, target.port);
    const { uploadPerHost } = this.options.limits;
    if ((this.#uploaded.get(target.host) ?? 0) > uploadPerHost)
      return refusals.uploadLimit(target.host, uploadPerHost);
    if (this.options.allows(target, owner)) return undefined;
    // Nobody is asked about a private address on a program's whim: who wants it allows it beforehand.
    if (host.kind === 'address' && (classify(host.text) !== 'public' || ownAddresses().has(host.text)))
      return refusals.privateAddress(host.text, host.text, target.port);
    if (await this.#userAllows(way, hungUp)) return undefined;
    return refusals.notAllowed(target.host, target.port);
  }

  /** One question for all connections of an owner to a host that wait at the same time. */
  async #userAllows({ target, owner }: Way, hungUp: AbortSignal): Promise<boolean> {
    const { ask, limits } = this.options;
    if (ask === undefined || hungUp.aborted) return false;
    const key = JSON.stringify([target.host, target.port, owner]);
    let asked = this.#asked.get(key);
    if (asked === undefined) {
      const controller = new AbortController();
      const overdue = setTimeout(() => controller.abort(), limits.ask);
      const answer = Promise.race([
        Promise.resolve()
          .then(() => ask(target, owner, controller.signal))
          .then(said => said === 'allow' && !controller.signal.aborted),
        once(controller.signal, 'abort').then(() => false),
      ])
        .catch(() => false)
        .finally(() => {
          clearTimeout(overdue);
          this.#asked.delete(key);
        });
      asked = { answer, waiting: 0, controller };
      this.#asked.set(key, asked);
    }
    const mine = asked;
    mine.waiting += 1;
    const leave = () => {
      mine.waiting -= 1;
      if (mine.waiting === 0) mine.controller.abort();
    };
    hungUp.addEventListener('abort', leave, { once: true });
    const allowed = await mine.answer;
    hungUp.removeEventListener('abort', leave);
    return allowed && !this.#closed;
  }

  async #addressesOf(host: Host, { target, owner }: Way) {
    const { allows, outside } = this.options;
    if (host.kind === 'address') {
      // The very address was allowed.
      return [{ address: host.text, family: host.text.includes(':') ? 6 : 4 }];
    }
    const found = await outside.resolve(host.text).catch(() => []);
    if (found.length === 0) return refusals.unknownHost(host.text);
    const own = ownAddresses();
    const plain = found
      .filter(({ address }) => isIP(address) !== 0 && !address.includes('%'))
      .map(({ address }) => ipaddr.process(address).toString())
      .map(address => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (plain.some(({ address }) => classify(address) === 'metadata')) return refusals.metadata(host.text);
    const reachable = plain.filter(
      ({ address }) =>
        (classify(address) === 'public' && !own.has(address)) ||
        allows({ host: address, port: target.port }, owner),
    );
    if (reachable.length > 0) return reachable;
    return refusals.privateAddress(host.text, plain[0]?.address ?? 'nowhere', target.port);
  }

  async #connect(
    { target, owner }: Way,
    addresses: { address: string; family: number }[],
    hungUp: AbortSignal,
    downstream: Downstream | undefined,
  ): Promise<Admitted> {
    const { outside, limits, onEvent } = this.options;
    hungUp.throwIfAborted();
    const upstream = outside.connect(addresses, target.port, downstream?.onread);
    this.#upstreams.set(upstream, target);
    upstream.once('close', () => this.#upstreams.delete(upstream));
    const abandon = () => upstream.destroy();
    hungUp.addEventListener('abort', abandon, { once: true });
    const overdue = setTimeout(
      () => upstream.destroy(new Error('it did not answer in time')),
      limits.connect,
    );
    try {
      await once(upstream, 'connect');
      hungUp.throwIfAborted();
      if (this.#closed) throw new Error('the session is over');
    } catch (error) {
      upstream.on('error', () => undefined).destroy();
      throw error;
    } finally {
      clearTimeout(overdue);
      hungUp.removeEventListener('abort', abandon);
    }
    const started = performance.now();
    const address = upstream.remoteAddress ?? addresses[0]?.address ?? '';
    onEvent({ kind: 'connected', owner, target, address });
    upstream.once('close', () =>
      onEvent({
        kind: 'closed',
        owner,
        target,
        address,
        bytesUp: upstream.bytesWritten,
        bytesDown: upstream.bytesRead,
        duration: performance.now() - started,
      }),
    );
    upstream.setTimeout(limits.idle, () => upstream.destroy());
    upstream.on('error', () => upstream.destroy());
    return { kind: 'open', target, owner, upstream, ...(downstream === undefined ? {} : { downstream }) };
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : 'the connection failed';
}
