/** What the beginning of a TLS connection says of its host. */
export type Greeting =
  | { readonly kind: 'incomplete' }
  /** Not TLS, or not as the standard has it. */
  | { readonly kind: 'invalid' }
  | { readonly kind: 'hello'; readonly serverName: string | undefined };

/** More than any real greeting, keys for the time after quantum computers included. */
const longestHello = 64 * 1024;

/**
 * Reads the server name of a TLS ClientHello (RFC 8446 §4.1.2, RFC 6066 §3) from the first bytes of a connection.
 * Strict: what two readers could understand in two ways (doubled extensions, several names, lengths that do not add
 * up) is invalid. Pure.
 */
export function readGreeting(bytes: Buffer): Greeting {
  const message: Buffer[] = [];
  let held = 0;
  for (let at = 0; ;) {
    // One message may be spread over several records.
    if (at < bytes.length && bytes[at] !== 0x16) return { kind: 'invalid' };
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) return { kind: 'invalid' };
    if (bytes.length < at + 5) return { kind: 'incomplete' };
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > 16_384) return { kind: 'invalid' };
    const record = bytes.subarray(at + 5, at + 5 + length);
    message.push(record);
    held += record.length;
    if (message[0]?.[0] !== undefined && message[0][0] !== 1) return { kind: 'invalid' };
    const whole = held >= 4 ? Buffer.concat(message) : undefined;
    const wanted = whole === undefined ? undefined : 4 + whole.readUIntBE(1, 3);
    if (wanted !== undefined && wanted > longestHello) return { kind: 'invalid' };
    if (whole !== undefined && wanted !== undefined && held >= wanted)
      // Data may come before the answer (TLS 1.3), but in records of its own.
      return held === wanted && record.length === length
        ? parseHello(whole.subarray(4))
        : { kind: 'invalid' };
    if (record.length < length) return { kind: 'incomplete' };
    at += 5 + length;
  }
}

function parseHello(body: Buffer): Greeting {
  try {
    const reader = new Reader(body);
    reader.skip(2 + 32);
    reader.vector(1);
    reader.vector(2);
    reader.vector(1);
    // Before TLS 1.2 there were greetings without extensions.
    if (reader.isDone) return { kind: 'hello', serverName: undefined };
    const extensions = new Reader(reader.vector(2));
    if (!reader.isDone) return { kind: 'invalid' };
    const seen = new Set<number>();
    let serverName: string | undefined;
    while (!extensions.isDone) {
      const type = extensions.number(2);
      const data = extensions.vector(2);
      if (seen.has(type)) return { kind: 'invalid' };
      seen.add(type);
      if (type === 0) serverName = onlyName(data);
    }
    return { kind: 'hello', serverName };
  } catch {
    return { kind: 'invalid' };
  }
}

/** The one host_name of a server_name extension. */
function onlyName(data: Buffer): string {
  const extension = new Reader(data);
  const names = new Reader(extension.vector(2));
  const type = names.number(1);
  const name = names.vector(2);
  if (!extension.isDone || !names.isDone || type !== 0 || name.length === 0)
    throw new RangeError('server name');
  if (name.some(byte => byte <= 0x20 || byte >= 0x7f)) throw new RangeError('server name');
  return name.toString('latin1');
}

class Reader {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  get isDone(): boolean {
    return this.#at === this.bytes.length;
  }

  skip(count: number): void {
    if (this.#at + count > this.bytes.length) throw new RangeError('too short');
    this.#at += count;
  }

  number(size: number): number {
    const from = this.#at;
    this.skip(size);
    return this.bytes.readUIntBE(from, size);
  }

  /** A length of `size` bytes, then as many bytes. */
  vector(size: number): Buffer {
    const length = this.number(size);
    const from = this.#at;
    this.skip(length);
    return this.bytes.subarray(from, from + length);
  }
}
